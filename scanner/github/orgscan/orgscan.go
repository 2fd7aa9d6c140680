// Package orgscan scans the repositories of organizations and users of GitHub once, and
// makes one report of them: each key with all its locations.
//
//	Lister → Filter, Shard → fetch the next while one is scanned → texts beside it
//	  → gists → merged → Sink
package orgscan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
)

// LostCommits says whether commits are scanned that were force-pushed away or whose branch
// was deleted. That costs two requests for each repository.
type LostCommits int

// The choices of LostCommits.
const (
	LostIfPossible LostCommits = iota // if there is a token, and this GitHub lists them
	LostAlways                        // that they cannot be had is reported as unread
	LostNever
)

// A Scan scans the repositories of targets. All functions must be set.
type Scan struct {
	// Lister returns the Lister for an owner, or for the owner of owner/name.
	Lister func(ctx context.Context, target string) (*github.Lister, error)
	Filter github.Filter
	Shard  Shard
	// Include are kinds of texts beside repositories, some of github.Includable().
	Include []string
	Lost    LostCommits
	// MaxBlobSize is gitsource.Repository's.
	MaxBlobSize int64
	// Notice tells the user about the scan itself, for example how many forks are left
	// out. Progress names the next repository. They may be called from two goroutines.
	Notice, Progress func(format string, args ...any)

	saidNoLost bool
}

// A Repository is one to scan.
type Repository struct {
	github.Repository
	lister *github.Lister // that found it
}

// List returns the repositories of targets that the filter and the shard leave, each once.
// It is an error if GitHub lists none at all.
func (s *Scan) List(ctx context.Context, targets []string) (repos []Repository, err error) {
	listed, left, seen := 0, map[string]string{}, map[string]bool{}
	for _, target := range targets {
		lister, err := s.Lister(ctx, target)
		if err != nil {
			return nil, err
		}
		list, err := lister.List(ctx, target)
		if err != nil {
			return nil, err
		}
		listed += len(list)
		for _, r := range list {
			why := s.Filter.Excludes(r, strings.Contains(target, "/"))
			if why == "" && !s.Shard.has(r) {
				why = "in other shards than " + s.Shard.String()
			}
			if why != "" && !seen[r.Name] {
				left[r.Name] = why
			} else if !seen[r.Name] {
				repos = append(repos, Repository{r, lister})
				seen[r.Name] = true
				delete(left, r.Name)
			}
		}
	}
	s.noticeLeft(left)
	if len(repos) == 0 {
		s.Notice("there is no repository to scan")
	}
	// With a token that has lost its rights, GitHub lists nothing, and no error.
	if listed == 0 {
		err = fmt.Errorf("%s: GitHub lists no repository: check the rights of the token", strings.Join(targets, ", "))
	}
	return repos, err
}

// noticeLeft says how many repositories are left out for a reason that may surprise.
func (s *Scan) noticeLeft(left map[string]string) {
	count := map[string]int{}
	for _, why := range left {
		count[why]++
	}
	for _, why := range slices.Sorted(maps.Keys(count)) {
		switch why {
		case "forks":
			s.Notice("%d forks are left out; --forks scans them", count[why])
		case "skipped":
		default:
			s.Notice("%d repositories are left out: %s", count[why], why)
		}
	}
}

// Run scans repos, which List has returned for targets, and reports to sink, which it
// closes. A repository that cannot be read is in the summary.
func (s *Scan) Run(ctx context.Context, sc *scanner.Scanner, sink scanner.Sink, targets []string, repos []Repository) error {
	start := time.Now()
	all := newMerged()
	n := 0
	s.fetchAhead(ctx, repos, func(f *fetched) {
		n++
		s.Progress("%d/%d %s", n, len(repos), f.Name)
		s.scanRepository(ctx, sc, f, all)
		if !f.wiki {
			s.scanTexts(ctx, sc, f.Repository, all)
		}
	})
	s.scanGists(ctx, sc, targets, all)
	all.sum.ElapsedMS = time.Since(start).Milliseconds()
	all.sum.Stopped = ctx.Err() != nil
	return errors.Join(ctx.Err(), all.report(sink))
}

// scanRepository scans one repository, and adds its findings to all.
func (s *Scan) scanRepository(ctx context.Context, sc *scanner.Scanner, f *fetched, all *merged) {
	switch {
	case ctx.Err() != nil:
		return
	case f.wiki && fetch.NotThere(f.err):
		// It has no page.
	case f.err != nil:
		all.unread(f.page, f.err)
	case !f.repo.Empty():
		f.repo.MaxBlobSize = s.MaxBlobSize
		// The summary names an error too, as an unread part.
		_ = sc.Scan(ctx, source{fetch.Source{Repository: f.repo, WebURL: f.page}}, partOf{all, f.page})
	}
	if f.repo != nil && f.lostErr != nil && ctx.Err() == nil {
		all.unread(f.page+" commits that were force-pushed away or deleted", f.lostErr)
	}
}
