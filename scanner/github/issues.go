package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/google/go-github/v60/github"
)

// An Issue is an issue of a repository.
type Issue struct {
	Number int
	Body   string
	Open   bool
}

// IsPrivate reports whether only some people can see the repository.
func (c *Client) IsPrivate(ctx context.Context) (private bool, err error) {
	err = c.do(func() (*github.Response, error) {
		r, resp, err := c.api.Repositories.Get(ctx, c.owner, c.name)
		private = r.GetPrivate()
		return resp, err
	})
	return private, c.explain("looking at", err)
}

// EachIssue calls each with the issues that have a label, the newest first, until it wants no
// more. Only people with rights in the repository give labels.
func (c *Client) EachIssue(ctx context.Context, label string, each func(Issue) (more bool)) error {
	path := fmt.Sprintf("repos/%s/%s/issues?state=all&per_page=%d&labels=%s", c.owner, c.name, perPage, url.QueryEscape(label))
	return c.explain("listing the issues of", classify(eachAPIPage(ctx, c.sender, path, func(page []*github.Issue) (bool, error) {
		for _, i := range page {
			if !i.IsPullRequest() && !each(Issue{i.GetNumber(), i.GetBody(), i.GetState() == "open"}) {
				return false, nil
			}
		}
		return true, nil
	})))
}

// OpenIssue opens an issue, with a label that is made if there is none.
func (c *Client) OpenIssue(ctx context.Context, title, body, label string) (issue Issue, err error) {
	err = c.do(func() (*github.Response, error) {
		i, resp, err := c.api.Issues.Create(ctx, c.owner, c.name, &github.IssueRequest{Title: &title, Body: &body, Labels: &[]string{label}})
		issue = Issue{i.GetNumber(), i.GetBody(), true}
		return resp, err
	})
	return issue, c.explain("opening an issue in", err)
}

// CommentIssue comments on an issue.
func (c *Client) CommentIssue(ctx context.Context, number int, body string) error {
	return c.explain(fmt.Sprintf("commenting on #%d in", number), c.do(func() (*github.Response, error) {
		_, resp, err := c.api.Issues.CreateComment(ctx, c.owner, c.name, number, &github.IssueComment{Body: &body})
		return resp, err
	}))
}

// IssueHasComment reports whether there is a comment on an issue for which is returns true.
func (c *Client) IssueHasComment(ctx context.Context, number int, is func(body string) bool) (has bool, err error) {
	path := fmt.Sprintf("repos/%s/%s/issues/%d/comments?per_page=%d", c.owner, c.name, number, perPage)
	err = classify(eachAPIPage(ctx, c.sender, path, func(page []*github.IssueComment) (bool, error) {
		for _, x := range page {
			has = has || is(x.GetBody())
		}
		return !has, nil
	}))
	return has, c.explain(fmt.Sprintf("reading the comments on #%d in", number), err)
}

// SetIssue closes or reopens an issue.
func (c *Client) SetIssue(ctx context.Context, number int, open bool) error {
	state, reason := "closed", "completed"
	if open {
		state, reason = "open", "reopened"
	}
	return c.explain(fmt.Sprintf("changing #%d in", number), c.do(func() (*github.Response, error) {
		_, resp, err := c.api.Issues.Edit(ctx, c.owner, c.name, number, &github.IssueRequest{State: &state, StateReason: &reason})
		return resp, err
	}))
}

// explain says what was being done to the repository.
func (c *Client) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s %s/%s: %w", doing, c.owner, c.name, err)
	if errors.Is(err, ErrDenied) {
		err = fmt.Errorf("%w (the token needs the right to read and write issues there)", err)
	}
	return err
}
