package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
)

// A signal says in a few bytes how many texts a repository has, and when the last of them
// was changed. GraphQL gives those of a hundred repositories for one request, of about four
// points of the 5,000 an hour that GraphQL has for itself (docs.github.com, "Rate limits and
// query limits for the GraphQL API"). If the signal is as it was, lists need not be asked
// for.
//
// Signals stand in for ETags where those are of no use: for discussions, which REST does not
// have, and for all lists if the token is of an App. GitHub does not document that the edit
// of a comment changes the time of its issue or discussion, although it does
// (github.com/microsoft/TypeScript-Twoslash-Repro-Action/issues/17). So no signal is believed
// for longer than signalTime.
const signalTime = 7 * 24 * time.Hour

// signalAge is how old a signal may be when it is compared. A later change shows in the
// next look.
const signalAge = time.Hour

const signalsQuery = `query($owner: String!, $after: String) { repositoryOwner(login: $owner) {
	repositories(first: 100, after: $after, ownerAffiliations: OWNER, orderBy: {field: PUSHED_AT, direction: DESC}) {
		pageInfo { hasNextPage endCursor } nodes { nameWithOwner
			issues(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }
			pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }
			discussions(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }
			releases(first: 10, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount nodes { updatedAt } } } } } }`

// A lastChanged is how many things there are, and when the last ones were changed.
type lastChanged struct {
	TotalCount int
	Nodes      []struct{ UpdatedAt time.Time }
}

type signalsAnswer struct {
	Data struct {
		RepositoryOwner *struct {
			Repositories struct {
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
				Nodes []struct {
					NameWithOwner                               string
					Issues, PullRequests, Discussions, Releases *lastChanged
				}
			}
		}
	}
	Errors []struct{ Message string }
}

// signals keeps signals until they are used, of one owner after the other. It may be used
// concurrently.
type signals struct {
	mu      sync.Mutex
	owner   string
	after   string // where the next page begins, "" for the first
	asked   time.Time
	refused time.Time // GitHub gives none: a right is missing, or the server is old
	of      map[string]string
}

// take returns the signal of a repository, "" if there is none. It asks for a page at most.
// Scans of all repositories come in the order of the pages, the latest push first, so that
// a page serves a hundred of them.
func (s *signals) take(ctx context.Context, sender *sender, repo string) (string, error) {
	owner, _, _ := strings.Cut(strings.ToLower(repo), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner != owner || time.Since(s.asked) > signalAge {
		s.owner, s.of, s.after = owner, map[string]string{}, ""
	}
	repo = strings.ToLower(repo)
	if _, ok := s.of[repo]; !ok {
		if err := s.ask(ctx, sender); err != nil {
			return "", err
		}
	}
	signal := s.of[repo]
	delete(s.of, repo) // each look needs one of its own
	return signal, nil
}

// ask reads the next page of the signals of an owner.
func (s *signals) ask(ctx context.Context, sender *sender) error {
	if time.Since(s.refused) < time.Hour {
		return nil
	}
	variables := map[string]any{"owner": s.owner}
	if s.after != "" {
		variables["after"] = s.after
	}
	var answer signalsAnswer
	err := sender.do(func() (*github.Response, error) {
		req, err := sender.api.NewRequest("POST", "../graphql", map[string]any{"query": signalsQuery, "variables": variables})
		if err != nil {
			return nil, err
		}
		return sender.api.Do(ctx, req, &answer)
	})
	switch {
	case errors.As(err, new(*RateLimited)), ctx.Err() != nil:
		return err
	case err != nil, len(answer.Errors) > 0, answer.Data.RepositoryOwner == nil:
		s.refused, s.after = time.Now(), ""
		return nil //nolint:nilerr // the lists are asked for instead
	}
	page := answer.Data.RepositoryOwner.Repositories
	for _, n := range page.Nodes {
		s.of[strings.ToLower(n.NameWithOwner)] = signalOf(n.Issues, n.PullRequests, n.Discussions, n.Releases)
	}
	s.asked, s.after = time.Now(), ""
	if page.PageInfo.HasNextPage {
		s.after = page.PageInfo.EndCursor
	}
	return nil
}

// signalOf returns a hash, "" if one of the things is not known.
func signalOf(things ...*lastChanged) string {
	var b strings.Builder
	for _, t := range things {
		if t == nil {
			return ""
		}
		fmt.Fprintf(&b, "%d", t.TotalCount)
		for _, n := range t.Nodes {
			fmt.Fprintf(&b, " %d", n.UpdatedAt.Unix())
		}
		b.WriteString("\n")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:12])
}
