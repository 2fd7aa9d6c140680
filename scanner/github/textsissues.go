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

// edited reads the items of the list at path that changed since the time of r, the oldest
// change first. It asks for the next page by the time of the last item, not by number. An
// item that is edited meanwhile moves to the end; with numbered pages, the items after it
// would move up by one, and one of them would be missed.
func edited[T any](ctx context.Context, r *textReader, path string, item func(T) text, wanted func(T) bool) error {
	since, page, stale, seen := r.since, 1, 0, map[string]bool{}
	for n := 1; ; n++ {
		query := fmt.Sprintf("repos/%s/%s&sort=updated&direction=asc&per_page=%d&page=%d", r.repo, path, perPage, page)
		if !since.IsZero() {
			query += "&since=" + since.UTC().Format(time.RFC3339)
		}
		var list []T
		if _, err := get(ctx, r.lister.sender, query, &list); err != nil {
			return apiPageError(n, err)
		}
		stale++
		var last time.Time
		for _, one := range list {
			t := item(one)
			last = t.edited
			if key := t.id + last.String(); !seen[key] {
				seen[key], stale = true, 0
			}
			if !wanted(one) {
				continue
			}
			if err := r.add(t); err != nil {
				return err
			}
		}
		switch next := last.Add(-time.Second); {
		case len(list) < perPage:
			return nil
		case stale > 1:
			return apiPageError(n, errors.New("GitHub lists the same again"))
		case next.After(since):
			since, page = next, 1
		default: // a hundred of one second
			page++
		}
	}
}

// issues reads the issues; GitHub has pull requests among them.
func (r *textReader) issues(ctx context.Context) error {
	return edited(ctx, r, "issues?state=all", func(i github.Issue) text {
		return text{
			kind: finding.KindIssue, id: fmt.Sprintf("issues/%d", i.GetNumber()), url: i.GetHTMLURL(), author: i.GetUser().GetLogin(),
			at: i.GetCreatedAt().Time, edited: i.GetUpdatedAt().Time, title: i.GetTitle(), body: i.GetBody(),
		}
	}, func(i github.Issue) bool { return !i.IsPullRequest() })
}

// pulls reads the pull requests. They have no "since": the last change comes first.
// One that is changed meanwhile moves to the front, and nothing is missed.
func (r *textReader) pulls(ctx context.Context) error {
	path := fmt.Sprintf("repos/%s/pulls?state=all&sort=updated&direction=desc&per_page=%d", r.repo, perPage)
	return eachAPIPage(ctx, r.lister.sender, path, func(page []*github.PullRequest) (bool, error) {
		for _, p := range page {
			if p.GetUpdatedAt().Before(r.since) {
				return false, nil
			}
			err := r.add(text{
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
func (r *textReader) comments(ctx context.Context) error {
	return edited(ctx, r, "issues/comments?", func(c github.IssueComment) text {
		return text{
			kind: finding.KindComment, id: fmt.Sprintf("issues/comments/%d", c.GetID()), url: c.GetHTMLURL(), author: c.GetUser().GetLogin(),
			at: c.GetCreatedAt().Time, edited: c.GetUpdatedAt().Time, body: c.GetBody(),
		}
	}, func(c github.IssueComment) bool {
		ofPull := strings.Contains(c.GetHTMLURL(), "/pull/")
		return ofPull && r.wants(Pulls) || !ofPull && r.wants(Issues)
	})
}

// reviewComments reads the comments on lines of the changes of pull requests, each
// with the lines that it stands at: they may be in no commit any more.
func (r *textReader) reviewComments(ctx context.Context) error {
	return edited(ctx, r, "pulls/comments?", func(c github.PullRequestComment) text {
		return text{
			kind: finding.KindComment, id: fmt.Sprintf("pulls/comments/%d", c.GetID()), url: c.GetHTMLURL(), author: c.GetUser().GetLogin(),
			at: c.GetCreatedAt().Time, edited: c.GetUpdatedAt().Time, body: strings.TrimSuffix(c.GetBody()+"\n\n"+c.GetDiffHunk(), "\n\n"),
		}
	}, func(github.PullRequestComment) bool { return true })
}
