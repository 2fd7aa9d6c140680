package orgscan

import (
	"context"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/github"
)

// scanTexts scans the texts beside a repository and adds its findings to all.
func (s *Scan) scanTexts(ctx context.Context, sc *scanner.Scanner, r Repository, all *merged) {
	kinds := slices.DeleteFunc(slices.Clone(s.Include), func(kind string) bool {
		return kind == github.Gists || kind == github.Discussions && !r.HasDiscussions
	})
	if len(kinds) == 0 || ctx.Err() != nil {
		return
	}
	page := r.lister.WebURL(r.Name)
	texts, err := r.lister.Texts(r.Name, kinds, "")
	if err != nil {
		all.unread(page, err)
		return
	}
	texts.MaxSize = s.MaxBlobSize
	// An error is in the summary as well.
	_ = sc.Scan(ctx, texts, partOf{all, page})
}

// scanGists scans the gists of the owners among targets, and of their members.
func (s *Scan) scanGists(ctx context.Context, sc *scanner.Scanner, targets []string, all *merged) {
	if !slices.Contains(s.Include, github.Gists) {
		return
	}
	for _, target := range targets {
		if strings.Contains(target, "/") || ctx.Err() != nil {
			continue
		}
		lister, err := s.Lister(ctx, target)
		if err == nil {
			err = lister.Gists(ctx, target, nil, func(page github.APIPage[github.Gist]) error {
				for _, g := range page.Items {
					if !s.Shard.hasName(g.WebURL) {
						continue
					}
					s.Progress("%s", g.WebURL)
					f := &fetched{page: g.WebURL}
					f.repo, f.err = fetchAll(ctx, g.CloneURL, nil)
					_ = s.scanRepository(ctx, sc, f, all) // it is in the summary
					s.close(f)
					if ctx.Err() != nil {
						break
					}
				}
				return ctx.Err()
			})
		}
		if err != nil && ctx.Err() == nil {
			all.unread("gists of "+target, err)
		}
	}
}
