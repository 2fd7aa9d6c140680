package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

const gists = "gists"

// includable is what --include takes: what GitHub keeps beside repositories.
var includable = []string{github.Issues, github.Pulls, github.Discussions, github.Releases, github.Actions, gists}

func checkInclude(include []string) error {
	for _, what := range include {
		if !slices.Contains(includable, what) {
			return fmt.Errorf("--include %s: it is some of %s", what, strings.Join(includable, ", "))
		}
	}
	return nil
}

// scanTexts scans what GitHub keeps beside a repository and adds what it finds to all.
func (w *githubSweep) scanTexts(ctx context.Context, sc *scanner.Scanner, r listed, all *merged) {
	var kinds []string
	for _, what := range w.flags.include {
		switch {
		case what == gists:
		case what == github.Discussions && !r.HasDiscussions:
		default:
			kinds = append(kinds, what)
		}
	}
	if len(kinds) == 0 || ctx.Err() != nil {
		return
	}
	page := r.from.PageURL(r.Name)
	texts, err := r.from.Texts(r.Name, kinds, time.Time{})
	if err != nil {
		all.sum.Unread = append(all.sum.Unread, finding.Unread{What: page, Why: err.Error()})
		return
	}
	texts.MaxSize = w.flags.MaxSize << 20
	// An error ends up in the summary.
	_ = sc.Scan(ctx, texts, partOf{all, page})
}

// scanGists scans the gists of the owners among targets, and of their members.
func (w *githubSweep) scanGists(ctx context.Context, sc *scanner.Scanner, targets []string, all *merged) {
	if !slices.Contains(w.flags.include, gists) {
		return
	}
	for _, target := range targets {
		if strings.Contains(target, "/") || ctx.Err() != nil {
			continue
		}
		lister, err := w.lister(ctx, target)
		if err == nil {
			err = lister.Gists(ctx, target, time.Time{}, func(g github.Gist) error {
				if !w.shard.hasName(g.Page) {
					return ctx.Err()
				}
				w.say("%s", g.Page)
				c := clone{page: g.Page}
				c.repo, c.err = gitsource.Clone(ctx, g.CloneURL, nil)
				w.scanOne(ctx, sc, c, all)
				return ctx.Err()
			})
		}
		if err != nil && ctx.Err() == nil {
			all.sum.Unread = append(all.sum.Unread, finding.Unread{What: "gists of " + target, Why: err.Error()})
		}
	}
}
