package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

// A clone is a repository, or why it could not be had.
type clone struct {
	listed
	page string
	wiki bool
	repo *gitsource.Repository
	err  error
	// deletedErr is why commits that no ref leads to could not be had.
	deletedErr error
}

// clone clones repos and their wikis, the next while one is scanned. The channel is
// closed after the last; stop removes what nobody took.
func (w *githubSweep) clone(ctx context.Context, repos []listed) (clones <-chan clone, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	c := make(chan clone)
	send := func(r listed, wiki bool) {
		one := w.cloneOne(ctx, r, wiki)
		select {
		case c <- one:
		case <-ctx.Done():
			one.close(w.streams)
		}
	}
	go func() {
		defer close(c)
		for _, r := range repos {
			if ctx.Err() != nil {
				return
			}
			send(r, false)
			if r.HasWiki {
				r.Name += ".wiki"
				send(r, true)
			}
		}
	}()
	return c, func() {
		cancel()
		for one := range c {
			one.close(w.streams)
		}
	}
}

func (w *githubSweep) cloneOne(ctx context.Context, r listed, wiki bool) clone {
	one := clone{listed: r, page: r.from.PageURL(r.Name), wiki: wiki}
	url, err := r.from.CloneURL(ctx, r.Name)
	if err != nil {
		one.err = err
		return one
	}
	if one.repo, one.err = gitsource.Clone(ctx, url, nil); one.err == nil && !wiki {
		one.deletedErr = w.fetchDeleted(ctx, one)
	}
	return one
}

// fetchDeleted adds to a clone what GitHub has of it and no ref leads to.
func (w *githubSweep) fetchDeleted(ctx context.Context, c clone) error {
	if !w.flags.deleted {
		return nil
	}
	token, err := c.from.Token(ctx)
	if err != nil {
		return err
	}
	if token.IsZero() && !w.flags.deletedSet {
		w.sayNoDeleted("there is no token: 60 requests an hour are few")
		return nil
	}
	events, err := c.from.Activity(ctx, c.Name, time.Time{})
	if errors.Is(err, github.ErrNoActivity) && !w.flags.deletedSet {
		w.sayNoDeleted("this GitHub does not say what it was")
		return nil
	}
	if err != nil {
		return err
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Before)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil
	}
	url, err := c.from.CloneURL(ctx, c.Name)
	if err != nil {
		return err
	}
	// What GitHub has lost since, nobody can read.
	_, err = c.repo.FetchCommits(ctx, url, ids)
	return err
}

// sayNoDeleted says once why what nobody has asked for is not done. One goroutine
// clones.
func (w *githubSweep) sayNoDeleted(why string) {
	if !w.saidNoDeleted {
		w.saidNoDeleted = true
		fmt.Fprintf(w.streams.Stderr, "stanch: commits that were force-pushed away or deleted are not looked for: %s\n", why)
	}
}

func (c *clone) close(s *cli.Streams) {
	if c.repo == nil {
		return
	}
	if err := c.repo.Close(); err != nil {
		fmt.Fprintf(s.Stderr, "stanch: a temporary clone is left behind, remove it: %v\n", err)
	}
}

// onGitHub is a repository of GitHub, whose places say which one it is.
type onGitHub struct{ paged }

// Locate implements scanner.Source. Git's own clone has nothing that no ref leads to:
// what there is has been fetched by id.
func (o onGitHub) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	return o.paged.Locate(ctx, ids, func(id scanner.BlobID, place scanner.Provenance) error {
		if place.Unreachable != "" {
			place.Unreachable = "force-pushed away or deleted, and GitHub still gives it to who knows its id"
		}
		return yield(id, place)
	})
}
