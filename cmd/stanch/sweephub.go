//go:build sweep

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/githubapi"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// targetOptions are those of a sweep.Target.
type targetOptions struct {
	Filter  githubapi.Filter `json:"filter"`
	Deleted bool             `json:"deleted"`
}

// maxPause is for how long a worker sleeps because GitHub asks it to. For longer the job
// is put away, and the worker does another one.
const maxPause = 5 * time.Second

// hubs returns what makes the Hub of a target. Targets with the same token share what is
// known of its limits.
func hubs(as githubLogin) func(sweep.Target) (sweep.Hub, error) {
	var mu sync.Mutex
	listers := map[string]*githubapi.Lister{}
	return func(t sweep.Target) (sweep.Hub, error) {
		var options targetOptions
		if err := json.Unmarshal(t.Options, &options); err != nil {
			return nil, fmt.Errorf("the options of %s in the database: %w", t.Name, err)
		}
		owner, _, one := strings.Cut(t.Name, "/")
		key := t.API
		if as.perOwner() {
			key += " " + strings.ToLower(owner)
		}
		mu.Lock()
		defer mu.Unlock()
		if listers[key] == nil {
			login := as
			login.api = t.API
			lister, err := login.lister(context.Background(), owner, maxPause, nil)
			if err != nil {
				return nil, err
			}
			listers[key] = lister
		}
		return &hub{listers[key], options, one}, nil
	}
}

// A hub is GitHub as a sweep sees it.
type hub struct {
	lister  *githubapi.Lister
	options targetOptions
	one     bool // the target is a repository
}

// later makes of a limit of GitHub what a queue knows.
func later(err error) error {
	var limited *githubapi.RateLimited
	if errors.As(err, &limited) {
		return &sweep.Later{At: limited.Until, Why: limited.Error()}
	}
	if errors.Is(err, githubapi.ErrGone) || errors.Is(err, githubapi.ErrDenied) {
		return &sweep.Final{Err: err}
	}
	return err
}

// Pages implements sweep.Hub.
func (h *hub) Pages(ctx context.Context, target string, yield func([]sweep.Listed) (bool, error)) error {
	return later(h.lister.Pages(ctx, target, func(page []githubapi.Repository) (bool, error) {
		list := make([]sweep.Listed, len(page))
		for i, r := range page {
			list[i] = sweep.Listed{
				ID: strconv.FormatInt(r.ID, 10), Name: r.Name, Fork: r.Fork, Archived: r.Archived, Private: r.Private,
				HasWiki: r.HasWiki, Pushed: r.PushedAt, Skip: h.options.Filter.Why(r, h.one),
			}
		}
		return yield(list)
	}))
}

// Parent implements sweep.Hub.
func (h *hub) Parent(ctx context.Context, name string) (string, error) {
	parent, err := h.lister.Parent(ctx, name)
	return parent, later(err)
}

// Lost implements sweep.Hub.
func (h *hub) Lost(ctx context.Context, name string, since time.Time) (map[string]string, error) {
	if token, err := h.lister.Token(ctx); !h.options.Deleted || err != nil || token.IsZero() {
		return nil, err // GitHub tells nobody else
	}
	events, err := h.lister.Activity(ctx, name, since)
	if errors.Is(err, githubapi.ErrNoActivity) {
		return nil, nil
	}
	if err != nil {
		return nil, later(err)
	}
	lost := make(map[string]string, len(events))
	for _, e := range events {
		what := "deleted/"
		if e.Forced {
			what = "forced/"
		}
		lost[what+strings.TrimPrefix(e.Ref, "refs/heads/")+"/"+e.Before[:12]] = e.Before
	}
	return lost, nil
}

// CloneURL implements sweep.Hub.
func (h *hub) CloneURL(ctx context.Context, name string) (string, error) {
	url, err := h.lister.CloneURL(ctx, name)
	return url, later(err)
}

// PageURL implements sweep.Hub.
func (h *hub) PageURL(name string) string { return h.lister.PageURL(name) }
