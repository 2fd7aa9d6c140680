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
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/printable"
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
	// out. Progress names the next repository, and says that it is cloned. They may be called
	// from two goroutines.
	Notice, Progress func(format string, args ...any)
	// Watch returns the source to scan instead of a repository, such as one that counts.
	Watch func(scanner.Source) scanner.Source

	saidNoLost bool
}

// A Repository is one to scan.
type Repository struct {
	github.Repository
	lister *github.Lister // that found it
}

// A Listing is the repositories of some targets.
type Listing struct {
	Repositories []Repository // to scan, each once
	// LeftOut are those that the filter leaves out, by name. Those of other shards are not
	// among them.
	LeftOut []finding.Repository
}

// List lists the repositories of targets, those that the filter and the shard leave and the
// others. It is an error if GitHub lists none at all, or if the filter leaves none.
func (s *Scan) List(ctx context.Context, targets []string) (*Listing, error) {
	l, listed, left, elsewhere := &Listing{}, 0, map[string]finding.Repository{}, map[string]bool{}
	seen := map[string]bool{}
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
			switch {
			case seen[r.Name]:
			case why != "":
				left[r.Name] = outcome(r, lister, finding.RepositorySkipped, why)
			case !s.Shard.has(r):
				elsewhere[r.Name] = true
			default:
				l.Repositories = append(l.Repositories, Repository{r, lister})
				seen[r.Name] = true
				delete(left, r.Name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if !elsewhere[name] { // it was named as well
			l.LeftOut = append(l.LeftOut, left[name])
		}
	}
	if n := len(elsewhere); n > 0 {
		s.Notice("%s in other shards than %s", plural(n), s.Shard)
	}
	return l, s.checkListed(l, targets, listed, len(elsewhere))
}

// outcome returns the record of a repository that lister has listed.
func outcome(r github.Repository, lister *github.Lister, state, why string) finding.Repository {
	return finding.Repository{Name: r.Name, URL: lister.WebURL(r.Name), State: state, Why: why, Archived: r.Archived, Private: r.Private}
}

// checkListed says how many repositories are left out. It returns an error if there is
// nothing to scan, unless the gists of an owner or the other shards are not nothing.
func (s *Scan) checkListed(l *Listing, targets []string, listed, elsewhere int) error {
	of, reasons := strings.Join(targets, ", "), reasons(l.LeftOut)
	scansGists := slices.Contains(s.Include, github.Gists) &&
		slices.ContainsFunc(targets, func(target string) bool { return !strings.Contains(target, "/") })
	switch {
	case listed == 0: // as for a token that has lost its rights, without an error
		return fmt.Errorf("%s: GitHub lists no repository: check the permissions of the token", of)
	case len(l.Repositories)+elsewhere == 0 && !scansGists:
		what := "nothing is left to scan"
		if flags := s.Filter.String(); flags != "" {
			what = flags + " leaves nothing to scan"
		}
		return fmt.Errorf("%s: %s: GitHub lists %s, left out: %s", of, what, plural(listed), reasons)
	case len(l.Repositories) == 0:
		s.Notice("there is no repository to scan")
	case len(l.LeftOut) > 0:
		s.Notice("%s left out: %s", plural(len(l.LeftOut)), reasons)
	}
	return nil
}

func plural(repositories int) string { return printable.Plural(repositories, "repository") }

// reasons counts why repositories are left out: "1 archived, 2 forks (--forks: scan them)".
func reasons(left []finding.Repository) string {
	count := map[string]int{}
	for _, r := range left {
		count[r.Why]++
	}
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(count)) {
		part := fmt.Sprintf("%d %s", count[why], why)
		if why == "fork" && count[why] > 1 {
			part += "s"
		}
		if why == "fork" {
			part += " (--forks: scan them)"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// Run scans the repositories of l, which List has returned for targets, and reports to sink,
// which it closes. A repository that cannot be read is in the summary.
func (s *Scan) Run(ctx context.Context, sc *scanner.Scanner, sink scanner.Sink, targets []string, l *Listing) error {
	start := time.Now()
	all := newMerged()
	n := 0
	done := map[string]finding.Repository{}
	cloning := func() {
		if n < len(l.Repositories) {
			s.Progress("%d of %d: %s · cloning", n+1, len(l.Repositories), l.Repositories[n].Name)
		}
	}
	cloning()
	s.fetchAhead(ctx, l.Repositories, func(f *fetched) {
		if !f.wiki {
			n++
		}
		s.Progress("%d of %d: %s", n, len(l.Repositories), f.Name)
		before := all.sum.Objects
		err := s.scanRepository(ctx, sc, f, all)
		if f.wiki {
			cloning()
			return
		}
		s.scanTexts(ctx, sc, f.Repository, all)
		if ctx.Err() != nil {
			return
		}
		r := outcome(f.Repository.Repository, f.lister, finding.RepositorySwept, "")
		if r.Objects = all.sum.Objects - before; err != nil {
			r.State, r.Why = finding.RepositoryFailed, err.Error()
		}
		done[f.Name] = r
		if !f.HasWiki {
			cloning()
		}
	})
	s.scanGists(ctx, sc, targets, all)
	for _, r := range l.Repositories {
		one, ok := done[r.Name]
		if !ok {
			one = outcome(r.Repository, r.lister, finding.RepositoryWaiting, "the scan ended before")
		}
		all.sum.Repositories = append(all.sum.Repositories, one)
	}
	all.sum.Repositories = append(all.sum.Repositories, l.LeftOut...)
	all.sum.ElapsedMS = time.Since(start).Milliseconds()
	all.sum.Stopped = ctx.Err() != nil
	return errors.Join(ctx.Err(), all.report(sink))
}

// scanRepository scans one repository, and adds its findings to all. The error says that it
// could not be read; the summary says so too.
func (s *Scan) scanRepository(ctx context.Context, sc *scanner.Scanner, f *fetched, all *merged) (err error) {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.wiki && fetch.NotThere(f.err):
		// It has no page.
	case f.err != nil:
		all.unread(f.page, f.err)
		return f.err
	case !f.repo.Empty():
		f.repo.MaxBlobSize = s.MaxBlobSize
		err = sc.Scan(ctx, s.Watch(source{fetch.Source{Repository: f.repo, WebURL: f.page}}), partOf{all, f.page})
	}
	if f.repo != nil && f.lostErr != nil && ctx.Err() == nil {
		all.unread(f.page+" commits that were force-pushed away or deleted", f.lostErr)
	}
	return err
}
