package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/githubapi"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

func newGitHub(s *streams) *cobra.Command {
	f := &githubFlags{}
	cmd := &cobra.Command{
		Use:   "github ORG|USER|OWNER/REPO...",
		Short: "Scan all repositories of a GitHub organization or user",
		Long: `Scan the whole history of each repository of an organization or a user, pull
requests and wikis included, and report each key once, with all its places. The
token in GITHUB_TOKEN or GH_TOKEN decides which private repositories are among
them; it goes to GitHub alone. Repositories are cloned to a temporary folder, the
next while one is scanned, and removed when they have been read.

A repository that cannot be read is named in the report, and the others are
scanned; the exit code is 3 then.`,
		Example: "  GITHUB_TOKEN=$(gh auth token) stanch github acme\n  stanch github acme --forks --skip 'acme/*-archive' --format json --output acme.jsonl\n  stanch github octocat/hello-world",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lister, err := githubapi.NewLister(f.api, cmp.Or(os.Getenv("GITHUB_TOKEN"), os.Getenv("GH_TOKEN")), number())
			if err != nil {
				return fmt.Errorf("--api-url: %w", err)
			}
			lister.MaxWait = time.Hour + time.Minute // the limit of requests is by the hour
			lister.Wait = waitAloud(s)
			for _, pattern := range f.skip {
				if _, err := path.Match(pattern, ""); err != nil {
					return fmt.Errorf("--skip %s: %w", pattern, err)
				}
			}
			job, err := f.prepare(s)
			if err != nil {
				return err
			}
			return (&sweep{job: job, flags: f, lister: lister}).run(cmd.Context(), args)
		},
	}
	f.add(cmd, true)
	cmd.Flags().BoolVar(&f.forks, "forks", false, "scan forks too")
	cmd.Flags().StringSliceVar(&f.skip, "skip", nil, "leave out repositories whose OWNER/NAME fits this pattern, as acme/*-archive")
	cmd.Flags().StringVar(&f.api, "api-url", cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com"), "of GitHub Enterprise Server: https://HOST/api/v3")
	return cmd
}

// githubFlags are those of stanch github.
type githubFlags struct {
	scanFlags
	forks bool
	skip  []string
	api   string
}

// waitAloud waits, and says so if it takes longer than a person expects.
func waitAloud(s *streams) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		if d > 5*time.Second {
			fmt.Fprintf(s.stderr, "stanch: GitHub asks to wait until %s\n", time.Now().Add(d).Format(time.TimeOnly))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
}

// A sweep scans repositories one after the other, and makes one report.
type sweep struct {
	job    *job
	flags  *githubFlags
	lister *githubapi.Lister
	listed int // repositories, those that are left out included
}

func (w *sweep) run(ctx context.Context, targets []string) error {
	defer w.job.out.discard()
	repos, err := w.list(ctx, targets)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return incomplete(err)
	case len(repos) == 0:
		fmt.Fprintln(w.job.streams.stderr, "stanch: there is no repository to scan")
	}
	// A token that has lost its rights sees what an owner without repositories has.
	if w.listed == 0 {
		return incomplete(fmt.Errorf("%s: GitHub lists no repository, which may be for want of rights of the token", strings.Join(targets, ", ")))
	}
	target := targets[0]
	if len(targets) > 1 {
		target = fmt.Sprintf("%s and %d more", target, len(targets)-1)
	}
	return w.job.run(ctx, "github", target, func(sc *scanner.Scanner, sink scanner.Sink) error {
		return w.scan(ctx, sc, sink, repos)
	})
}

// list returns the repositories of the targets that the flags leave, each once.
func (w *sweep) list(ctx context.Context, targets []string) (repos []githubapi.Repository, err error) {
	forks, seen := map[string]bool{}, map[string]bool{}
	for _, target := range targets {
		list, err := w.lister.List(ctx, target)
		if err != nil {
			return nil, err
		}
		w.listed += len(list)
		for _, r := range list {
			skip := func(pattern string) bool { ok, _ := path.Match(pattern, r.Name); return ok }
			switch {
			case seen[r.Name] || slices.ContainsFunc(w.flags.skip, skip):
			case r.Fork && !w.flags.forks && !strings.Contains(target, "/"): // one that is named is meant
				forks[r.Name] = true
			default:
				repos = append(repos, r)
				seen[r.Name] = true
				delete(forks, r.Name)
			}
		}
	}
	if len(forks) > 0 {
		fmt.Fprintf(w.job.streams.stderr, "stanch: %d forks are left out; --forks scans them\n", len(forks))
	}
	return repos, nil
}

// scan scans repos and reports to sink, which it closes.
func (w *sweep) scan(ctx context.Context, sc *scanner.Scanner, sink scanner.Sink, repos []githubapi.Repository) error {
	start := time.Now()
	all := merged{byFingerprint: map[string]int{}}
	clones, stop := w.clone(ctx, repos)
	defer stop()
	n := 0
	for c := range clones {
		n++
		w.say("%d/%d %s", n, len(repos), c.name)
		w.scanOne(ctx, sc, c, &all)
	}
	all.sum.Elapsed = time.Since(start)
	return errors.Join(ctx.Err(), all.report(sink))
}

// say tells a person at a terminal how far the sweep is.
func (w *sweep) say(format string, args ...any) {
	if mayMove(w.job.streams.stderr) {
		fmt.Fprintf(w.job.streams.stderr, "\r\x1b[K"+format+"\n", args...)
	}
}

// A clone is a repository, or why it could not be had.
type clone struct {
	name, page string
	wiki       bool
	repo       *gitsource.Repository
	err        error
}

// clone clones repos and their wikis, the next while one is scanned. The channel is
// closed after the last; stop removes what nobody took.
func (w *sweep) clone(ctx context.Context, repos []githubapi.Repository) (clones <-chan clone, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	c := make(chan clone)
	send := func(name string, wiki bool) {
		one := clone{name: name, page: w.lister.PageURL(name), wiki: wiki}
		one.repo, one.err = gitsource.Clone(ctx, w.lister.CloneURL(name), nil)
		select {
		case c <- one:
		case <-ctx.Done():
			one.close(w.job.streams)
		}
	}
	go func() {
		defer close(c)
		for _, r := range repos {
			if ctx.Err() != nil {
				return
			}
			send(r.Name, false)
			if r.HasWiki {
				send(r.Name+".wiki", true)
			}
		}
	}()
	return c, func() {
		cancel()
		for one := range c {
			one.close(w.job.streams)
		}
	}
}

func (c *clone) close(s *streams) {
	if c.repo == nil {
		return
	}
	if err := c.repo.Close(); err != nil {
		fmt.Fprintf(s.stderr, "stanch: a temporary clone is left behind, remove it: %v\n", err)
	}
}

// noRepository is what git and go-git say of a repository that is not there, and of
// nothing else: objects and hosts are not found, too.
var noRepository = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)repository( '[^']*')? not found`) })

// scanOne scans a clone and adds what it finds to all.
func (w *sweep) scanOne(ctx context.Context, sc *scanner.Scanner, c clone, all *merged) {
	defer c.close(w.job.streams)
	switch {
	case ctx.Err() != nil:
	case c.wiki && c.err != nil && noRepository().MatchString(c.err.Error()):
		// GitHub says that there may be one, and not whether it has a page.
	case c.err != nil:
		all.sum.Unread = append(all.sum.Unread, scanner.Unread{What: c.page, Why: c.err.Error()})
	case !c.repo.Empty():
		c.repo.MaxBlobSize = w.flags.maxSize << 20
		// An error ends up in the summary: that is how a scan says what it has not read.
		_ = sc.Scan(ctx, paged{c.repo, c.page}, partOf{all, c.page})
	}
}
