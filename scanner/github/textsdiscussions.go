package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/internal/requests"
)

// Discussions are in GraphQL alone. go-github knows none, and a request and an answer
// need no library. A query may ask for half a million nodes: these ask for
// 20 × 50 × 20.
const (
	postFields  = `id url body createdAt updatedAt author { login }`
	replyFields = `pageInfo { hasNextPage endCursor } nodes { ` + postFields + ` }`
	// the comments on a discussion
	commentFields  = `pageInfo { hasNextPage endCursor } nodes { ` + postFields + ` replies(first: 20) { ` + replyFields + ` } }`
	allDiscussions = `query($owner: String!, $name: String!, $after: String) { repository(owner: $owner, name: $name) {
		discussions(first: 20, after: $after) { pageInfo { hasNextPage endCursor }
			nodes { ` + postFields + ` title comments(first: 50) { ` + commentFields + ` } } } } }`
	moreComments = `query($id: ID!, $after: String) { node(id: $id) { ... on Discussion { comments(first: 50, after: $after) { ` + commentFields + ` } } } }`
	moreReplies  = `query($id: ID!, $after: String) { node(id: $id) { ... on DiscussionComment { replies(first: 100, after: $after) { ` + replyFields + ` } } } }`
)

// A post is a discussion, a comment or a reply.
type post struct {
	ID, URL, Title, Body string
	CreatedAt, UpdatedAt time.Time
	Author               *struct{ Login string }
	Comments, Replies    posts
}

// posts is one page of them.
type posts struct {
	PageInfo struct {
		HasNextPage bool
		EndCursor   string
	}
	Nodes []post
}

type graphAnswer struct {
	Data struct {
		Repository *struct{ Discussions posts }
		Node       *struct{ Comments, Replies posts }
	}
	Errors []struct{ Type, Message string }
}

// discussions reads the discussions, with all comments and replies.
func discussions(ctx context.Context, f *feed) error {
	owner, name, _ := strings.Cut(f.repo, "/")
	variables := map[string]any{"owner": owner, "name": name}
	if f.resumed && f.Pass.After != "" {
		variables["after"] = f.Pass.After
	}
	f.begin()
	f.changed = true
	return f.posts(ctx, posts{}, true, allDiscussions, variables, func(a *graphAnswer) (posts, bool) {
		if a.Data.Repository == nil {
			return posts{}, false
		}
		f.Pass.After, _ = variables["after"].(string)
		return a.Data.Repository.Discussions, true
	})
}

// posts adds the posts of page and the posts below them, and asks query for the pages after
// it. With first set, it also adds the first post of page.
func (f *feed) posts(ctx context.Context, page posts, first bool, query string, variables map[string]any, of func(*graphAnswer) (posts, bool)) error {
	for n := 1; ; n++ {
		for _, p := range page.Nodes {
			if err := f.post(ctx, p); err != nil {
				return err
			}
		}
		if !first && !page.PageInfo.HasNextPage {
			return nil
		}
		if !first {
			if variables["after"] == page.PageInfo.EndCursor {
				return apiPageError(n, errors.New("the next page is the same again"))
			}
			variables["after"] = page.PageInfo.EndCursor
		}
		first = false
		answer, err := f.query(ctx, query, variables)
		if err != nil {
			return apiPageError(n, err)
		}
		var ok bool
		if page, ok = of(answer); !ok {
			return apiPageError(n, ErrGone)
		}
	}
}

func (f *feed) post(ctx context.Context, p post) error {
	one := text{kind: finding.KindDiscussion, id: "discussions/" + p.ID, url: p.URL, at: p.CreatedAt, edited: p.UpdatedAt, title: p.Title, body: p.Body}
	if p.Author != nil {
		one.author = p.Author.Login
	}
	if err := f.add(one); err != nil {
		return err
	}
	err := f.posts(ctx, p.Comments, false, moreComments, map[string]any{"id": p.ID}, func(a *graphAnswer) (posts, bool) {
		if a.Data.Node == nil {
			return posts{}, false
		}
		return a.Data.Node.Comments, true
	})
	if err != nil {
		return err
	}
	return f.posts(ctx, p.Replies, false, moreReplies, map[string]any{"id": p.ID}, func(a *graphAnswer) (posts, bool) {
		if a.Data.Node == nil {
			return posts{}, false
		}
		return a.Data.Node.Replies, true
	})
}

// query asks GraphQL. If a limit is exceeded, which is an answer with the status 200, it
// asks again; the transport waits before that.
func (f *feed) query(ctx context.Context, query string, variables map[string]any) (*graphAnswer, error) {
	var err error
	for range requests.MaxTries {
		var answer graphAnswer
		err = f.lister.do(func() (*github.Response, error) {
			// GraphQL is at /graphql, and at /api/graphql beside /api/v3.
			req, err := f.lister.api.NewRequest("POST", "../graphql", map[string]any{"query": query, "variables": variables})
			if err != nil {
				return nil, err
			}
			return f.lister.api.Do(ctx, req, &answer)
		})
		switch {
		case err != nil:
			return nil, err
		case len(answer.Errors) == 0:
			return &answer, nil
		case answer.Errors[0].Type == "NOT_FOUND":
			return nil, fmt.Errorf("%w: %s", ErrGone, answer.Errors[0].Message)
		}
		err = errors.New("GitHub's GraphQL: " + answer.Errors[0].Message)
		if answer.Errors[0].Type != "RATE_LIMITED" {
			return nil, err
		}
	}
	return nil, err
}
