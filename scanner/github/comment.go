package github

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-github/v60/github"
)

// marker identifies comments of stanch. Markdown does not show it.
const marker = "<!-- stanch -->\n"

// maxComment is how many characters GitHub takes.
const maxComment = 65_536

// Comment writes text, in Markdown, as a comment on the pull request, and replaces an
// earlier comment of stanch. Without create it only replaces: a pull request without
// findings gets no new comment. The error wraps ErrDenied if the token lacks the right.
func (c *Client) Comment(ctx context.Context, number int, text string, create bool) error {
	body := marker + text
	if len(body) > maxComment {
		return fmt.Errorf("commenting on #%d: the text is too long", number)
	}
	id, err := c.find(ctx, number)
	if err == nil && (id != 0 || create) {
		err = c.do(func() (*github.Response, error) {
			comment := &github.IssueComment{Body: &body}
			if id != 0 {
				_, resp, err := c.api.Issues.EditComment(ctx, c.owner, c.name, id, comment)
				return resp, err
			}
			_, resp, err := c.api.Issues.CreateComment(ctx, c.owner, c.name, number, comment)
			return resp, err
		})
	}
	if err != nil {
		return fmt.Errorf("commenting on #%d: %w", number, err)
	}
	return nil
}

// find returns the id of the comment that stanch wrote, 0 if there is none. It ignores
// comments of people who copied the marker.
func (c *Client) find(ctx context.Context, number int) (int64, error) {
	o := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	for page := 1; page != 0; {
		o.Page = page
		var list []*github.IssueComment
		var resp *github.Response
		err := c.do(func() (*github.Response, error) {
			var err error
			list, resp, err = c.api.Issues.ListComments(ctx, c.owner, c.name, number, o)
			return resp, err
		})
		if err != nil {
			return 0, err
		}
		for _, x := range list {
			if strings.HasPrefix(x.GetBody(), marker) && x.GetUser().GetType() == "Bot" {
				return x.GetID(), nil
			}
		}
		page = resp.NextPage
	}
	return 0, nil
}
