package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// switchedOff reports whether err says that the repository has no issues.
func switchedOff(err error) bool {
	var answer *github.ErrorResponse
	return errors.As(err, &answer) && answer.Response.StatusCode == http.StatusGone
}

// edited reads the items of the list at path that changed since the time of f.
//
// The page with the latest changes comes first: it tells whether there are any, and most
// often has them all. If not, the list is read with the oldest change first, and the next
// page is asked for by the time of the last item, not by number. An item that is edited
// meanwhile moves to the end; with numbered pages, the items after it would move up by one,
// and one of them would be missed.
func edited[T any](ctx context.Context, f *feed, path string, item func(T) text, wanted func(T) bool) error {
	add := func(list []T) (last time.Time, err error) {
		for _, one := range list {
			t := item(one)
			if last = t.edited; !wanted(one) || last.Before(f.Since) {
				continue
			}
			if err := f.add(t); err != nil {
				return last, err
			}
		}
		return last, nil
	}
	if !f.resumed {
		var list []T
		_, same, err := f.page(ctx, fmt.Sprintf("repos/%s/%s&sort=updated&direction=desc&per_page=%d", f.repo, path, perPage), 1, &list)
		if err != nil || same {
			return err
		}
		if len(list) < perPage || item(list[len(list)-1]).edited.Before(f.Since) {
			_, err := add(list)
			return err
		}
	}
	return oldestFirst(ctx, f, path, item, add)
}

// oldestFirst reads the items of the list at path that changed since the time of f, from
// the position at which the pass was cut off. add returns the time of the last item.
func oldestFirst[T any](ctx context.Context, f *feed, path string, item func(T) text, add func([]T) (time.Time, error)) error {
	f.Pass.At = later(f.Pass.At, f.Since)
	page, stale, seen := 1, 0, map[string]bool{}
	for n := 1; ; n++ {
		query := fmt.Sprintf("repos/%s/%s&sort=updated&direction=asc&per_page=%d&page=%d", f.repo, path, perPage, page)
		if !f.Pass.At.IsZero() {
			query += "&since=" + f.Pass.At.UTC().Format(time.RFC3339)
		}
		var list []T
		if _, err := get(ctx, f.lister.sender, query, &list); err != nil {
			return apiPageError(n, err)
		}
		stale++
		for _, one := range list {
			t := item(one)
			if key := t.id + t.edited.String(); !seen[key] {
				seen[key], stale = true, 0
			}
		}
		last, err := add(list)
		if err != nil {
			return err
		}
		switch next := last.Add(-time.Second); {
		case len(list) < perPage:
			return nil
		case stale > 1:
			return apiPageError(n, errors.New("GitHub lists the same again"))
		case next.After(f.Pass.At):
			f.Pass.At, page = next, 1
		default: // a hundred of one second
			page++
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// issues reads the issues; GitHub has pull requests among them.
func issues(ctx context.Context, f *feed) error {
	return edited(ctx, f, "issues?state=all", func(i github.Issue) text {
		return text{
			kind: finding.KindIssue, id: fmt.Sprintf("issues/%d", i.GetNumber()), url: i.GetHTMLURL(), author: i.GetUser().GetLogin(),
			at: i.GetCreatedAt().Time, edited: i.GetUpdatedAt().Time, title: i.GetTitle(), body: i.GetBody(),
		}
	}, func(i github.Issue) bool { return !i.IsPullRequest() })
}

// pulls reads the pull requests. They have no "since": the last change comes first.
// One that is changed meanwhile moves to the front, and nothing is missed.
func pulls(ctx context.Context, f *feed) error {
	path := fmt.Sprintf("repos/%s/pulls?state=all&sort=updated&direction=desc", f.repo)
	return pages(ctx, f, path, true, func(page []*github.PullRequest) (bool, error) {
		for _, p := range page {
			if p.GetUpdatedAt().Before(f.Since) {
				return false, nil
			}
			err := f.add(text{
				kind: finding.KindPullRequest, id: fmt.Sprintf("pulls/%d", p.GetNumber()), url: p.GetHTMLURL(), author: p.GetUser().GetLogin(),
				at: p.GetCreatedAt().Time, edited: p.GetUpdatedAt().Time, title: p.GetTitle(), body: p.GetBody(),
			})
			if err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// comments reads the comments on issues and on pull requests, which share one list.
func comments(ctx context.Context, f *feed) error {
	return edited(ctx, f, "issues/comments?", func(c github.IssueComment) text {
		return text{
			kind: finding.KindComment, id: fmt.Sprintf("issues/comments/%d", c.GetID()), url: c.GetHTMLURL(), author: c.GetUser().GetLogin(),
			at: c.GetCreatedAt().Time, edited: c.GetUpdatedAt().Time, body: c.GetBody(),
		}
	}, func(c github.IssueComment) bool {
		ofPull := strings.Contains(c.GetHTMLURL(), "/pull/")
		return ofPull && f.wants(Pulls) || !ofPull && f.wants(Issues)
	})
}

// reviewComments reads the comments on lines of the changes of pull requests, each
// with the lines that it stands at: they may be in no commit any more.
func reviewComments(ctx context.Context, f *feed) error {
	return edited(ctx, f, "pulls/comments?", func(c github.PullRequestComment) text {
		return text{
			kind: finding.KindComment, id: fmt.Sprintf("pulls/comments/%d", c.GetID()), url: c.GetHTMLURL(), author: c.GetUser().GetLogin(),
			at: c.GetCreatedAt().Time, edited: c.GetUpdatedAt().Time, body: strings.TrimSuffix(c.GetBody()+"\n\n"+c.GetDiffHunk(), "\n\n"),
		}
	}, func(github.PullRequestComment) bool { return true })
}
