package engine

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// A limitedHub is a Hub whose limits all workers know.
type limitedHub struct {
	sweep.Hub
	store *sweep.Store
}

// request makes a request unless the budget is spent, and notes it if the answer says so.
func (l limitedHub) request(ctx context.Context, request func() error) error {
	later, err := l.store.Limit(ctx, l.Budget())
	if err != nil {
		return err
	}
	if later != nil {
		return later
	}
	err = request()
	if errors.As(err, &later) && !later.Alone {
		err = errors.Join(err, l.store.PutLimit(ctx, l.Budget(), later))
	}
	return err
}

// Repositories implements Hub.
func (l limitedHub) Repositories(ctx context.Context, target string, yield func([]sweep.Listed) (bool, error)) error {
	return l.request(ctx, func() error { return l.Hub.Repositories(ctx, target, yield) })
}

// Count implements Hub.
func (l limitedHub) Count(ctx context.Context, target string) (n int, err error) {
	err = l.request(ctx, func() error {
		n, err = l.Hub.Count(ctx, target)
		return err
	})
	return n, err
}

// Repository implements Hub.
func (l limitedHub) Repository(ctx context.Context, target, name, id string) (listed sweep.Listed, err error) {
	err = l.request(ctx, func() error {
		listed, err = l.Hub.Repository(ctx, target, name, id)
		return err
	})
	return listed, err
}

// Gists implements Hub.
func (l limitedHub) Gists(ctx context.Context, target string, yield func([]sweep.Listed) error) error {
	return l.request(ctx, func() error { return l.Hub.Gists(ctx, target, yield) })
}

// Parent implements Hub.
func (l limitedHub) Parent(ctx context.Context, name string) (parent string, err error) {
	err = l.request(ctx, func() error {
		parent, err = l.Hub.Parent(ctx, name)
		return err
	})
	return parent, err
}

// LostCommits implements Hub.
func (l limitedHub) LostCommits(ctx context.Context, name string, since time.Time) (lost map[string]string, until time.Time, err error) {
	err = l.request(ctx, func() error {
		lost, until, err = l.Hub.LostCommits(ctx, name, since)
		return err
	})
	return lost, until, err
}

// Texts implements Hub. The engine notes the limits that reading them meets.
func (l limitedHub) Texts(ctx context.Context, name, cursor string, batch bool) (texts sweep.Texts, err error) {
	err = l.request(ctx, func() error {
		texts, err = l.Hub.Texts(ctx, name, cursor, batch)
		return err
	})
	return texts, err
}

// TextsAgain implements Hub.
func (l limitedHub) TextsAgain(ctx context.Context, name string, ids []finding.BlobID) (texts scanner.Source, err error) {
	err = l.request(ctx, func() error {
		texts, err = l.Hub.TextsAgain(ctx, name, ids)
		return err
	})
	return texts, err
}

// CloneURL implements Hub. The git server has limits of its own.
func (l limitedHub) CloneURL(ctx context.Context, name string) (string, error) {
	later, err := l.store.Limit(ctx, gitBudget(l))
	if err != nil {
		return "", err
	}
	if later != nil {
		return "", later
	}
	return l.Hub.CloneURL(ctx, name)
}

// gitBudget names the limit that fetches count against.
func gitBudget(h sweep.Hub) string { return h.Budget() + " git" }

// classify turns the refusal of a git server into a *Later, if it says when to ask again,
// or into a *Final, if asking again is no use.
func (w *scanJob) classify(ctx context.Context, err error) error {
	var refused *transport.StatusError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusForbidden:
		if seconds, parseErr := strconv.Atoi(refused.RetryAfter); parseErr == nil {
			later := &sweep.Later{At: w.Store.Now().Add(time.Duration(min(max(seconds, 1), 3600)) * time.Second), Why: err.Error()}
			if refused.Code == http.StatusServiceUnavailable || w.repo.Clone != "" { // of this one alone
				return later
			}
			return errors.Join(later, w.Store.PutLimit(ctx, gitBudget(w.hub), later))
		}
	}
	switch refused.Code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return &sweep.Final{Err: err}
	}
	return err
}
