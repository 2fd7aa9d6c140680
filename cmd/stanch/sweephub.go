//go:build sweep

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// targetOptions are those of a sweep.Target.
type targetOptions struct {
	Filter  github.Filter `json:"filter"`
	Deleted bool          `json:"deleted"`
	Include []string      `json:"include,omitempty"`
}

// maxPause is for how long a worker sleeps because GitHub asks it to. For longer the job
// is put away, and the worker does another one.
const maxPause = 5 * time.Second

// hubs returns what makes the Hub of a target. Targets with the same token share what is
// known of its limits.
func hubs(as githubLogin, version string, maxSize int64) func(sweep.Target) (sweep.Hub, error) {
	var mu sync.Mutex
	listers := map[string]*github.Lister{}
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
			lister, err := login.lister(context.Background(), version, owner, maxPause, nil)
			if err != nil {
				return nil, err
			}
			listers[key] = lister
		}
		budget := key
		if !as.perOwner() { // each worker may have a token of its own
			token, err := listers[key].Token(context.Background())
			if err != nil {
				return nil, err
			}
			budget += " " + token.SHA256()[:min(12, len(token.SHA256()))]
		}
		return &hub{listers[key], options, one, maxSize, budget}, nil
	}
}

// A hub is GitHub as a sweep sees it.
type hub struct {
	lister  *github.Lister
	options targetOptions
	one     bool // the target is a repository
	maxSize int64
	budget  string
}

// later makes of a limit of GitHub what a queue knows.
func later(err error) error {
	var limited *github.RateLimited
	if errors.As(err, &limited) {
		return &sweep.Later{At: limited.Until, Why: limited.Error()}
	}
	if errors.Is(err, github.ErrGone) || errors.Is(err, github.ErrDenied) {
		return &sweep.Final{Err: err}
	}
	return err
}

// Pages implements sweep.Hub.
func (h *hub) Pages(ctx context.Context, target string, yield func([]sweep.Listed) (bool, error)) error {
	return later(h.lister.Pages(ctx, target, func(page []github.Repository) (bool, error) {
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

// More implements sweep.Hub.
func (h *hub) More(ctx context.Context, target string, yield func([]sweep.Listed) error) error {
	if h.one || !slices.Contains(h.options.Include, gists) {
		return nil
	}
	return later(h.lister.Gists(ctx, target, time.Time{}, func(g github.Gist) error {
		name := strings.TrimPrefix(strings.TrimPrefix(g.Page, "https://"), "http://")
		return yield([]sweep.Listed{{ID: "gist " + name, Name: name, Pushed: g.UpdatedAt, Page: g.Page, Clone: g.CloneURL}})
	}))
}

// Texts implements sweep.Hub.
func (h *hub) Texts(_ context.Context, name, cursor string) (scanner.Source, func() string, error) {
	kinds := slices.DeleteFunc(slices.Clone(h.options.Include), func(what string) bool { return what == gists })
	if len(kinds) == 0 {
		return nil, nil, nil
	}
	since := time.Time{}
	if cursor != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, cursor); err != nil {
			return nil, nil, fmt.Errorf("until where texts of %s were read: %w", name, err)
		}
	}
	texts, err := h.lister.Texts(name, kinds, since)
	if err != nil {
		return nil, nil, err
	}
	texts.MaxSize = h.maxSize
	return texts, func() string {
		if texts.Next().IsZero() {
			return ""
		}
		return texts.Next().UTC().Format(time.RFC3339)
	}, nil
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
	if errors.Is(err, github.ErrNoActivity) {
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

// Budget implements sweep.Hub.
func (h *hub) Budget() string { return h.budget }

// PageURL implements sweep.Hub.
func (h *hub) PageURL(name string) string { return h.lister.PageURL(name) }
