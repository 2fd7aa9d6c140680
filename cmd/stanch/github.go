package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
)

func newGitHub(s *cli.Streams) *cobra.Command {
	f := &githubFlags{}
	cmd := &cobra.Command{
		Use:   "github ORG|USER|OWNER/REPO...",
		Short: "Scan all repositories of a GitHub organization or user",
		Long: `Scan the whole history of each repository of an organization or a user, pull
requests and wikis included, and report each key once, with all its places. The
token decides which private repositories are among them; it goes to GitHub alone.
It is that of --token-file, GITHUB_TOKEN, GH_TOKEN, or what "gh auth token" says,
the first that there is; or that of a GitHub App (--app-id and --app-key).
Repositories are cloned to a temporary folder, the next while one is scanned, and
removed when they have been read.

GitHub keeps commits that were force-pushed away or whose branch was deleted, and
gives them to who asks. They are scanned too, if there is a token: that costs two
requests for each repository, of 5,000 an hour. --deleted=false leaves them out.

--include adds what GitHub keeps beside repositories: the texts of issues, pull
requests and discussions, with the comments on them; the texts of releases, and
their files of up to a MiB; logs and artifacts of the last 100 runs of workflows;
the public gists of an owner or its members.

--shard 2/8 scans the second of eight parts, for a matrix of jobs in CI. Each
repository is in one of them, by its id, whatever others there are. A key that is
in repositories of two parts is in two reports.

A repository that cannot be read is named in the report, and the others are
scanned; the exit code is 3 then.`,
		Example: "  GITHUB_TOKEN=$(gh auth token) stanch github acme\n  stanch github acme --forks --skip 'acme/*-archive' --format json --output acme.jsonl\n  stanch github octocat/hello-world",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.filter.Check(); err != nil {
				return err
			}
			if err := checkInclude(f.include); err != nil {
				return err
			}
			part, err := parseShard(f.shard)
			if err != nil {
				return err
			}
			f.deletedSet = cmd.Flags().Changed("deleted")
			w := &githubSweep{flags: f, shard: part, listers: map[string]*github.Lister{}, streams: s}
			for _, target := range args {
				if _, err := w.lister(cmd.Context(), target); err != nil {
					return err
				}
			}
			job, err := f.Prepare(s)
			if err != nil {
				return err
			}
			w.job = job
			return w.run(cmd.Context(), args)
		},
	}
	f.Add(cmd, true)
	f.login.add(cmd.Flags())
	f.addFilter(cmd.Flags())
	f.addInclude(cmd.Flags())
	f.addDeleted(cmd.Flags())
	cmd.Flags().StringVar(&f.shard, "shard", "", "scan part `I/N` of the repositories, for N machines that scan all of them")
	return cmd
}

func (f *githubFlags) addInclude(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.include, "include", nil, "scan these too: "+strings.Join(includable, ", "))
}

func (f *githubFlags) addDeleted(flags *pflag.FlagSet) {
	flags.BoolVar(&f.deleted, "deleted", true, "scan commits that were force-pushed away or whose branch was deleted, if there is a token")
}

// githubFlags are those of stanch github.
type githubFlags struct {
	scanflags.Flags
	login               githubLogin
	filter              github.Filter
	include             []string
	shard               string
	deleted, deletedSet bool
}

func (f *githubFlags) addFilter(flags *pflag.FlagSet) {
	flags.BoolVar(&f.filter.Forks, "forks", false, "scan forks too")
	flags.StringVar(&f.filter.Archived, "archived", "include", "what of archived repositories: include, exclude, or only")
	flags.StringSliceVar(&f.filter.Visibility, "visibility", nil, "scan only repositories that are public, private, or internal")
	flags.StringSliceVar(&f.filter.Topics, "topic", nil, "scan only repositories with one of these topics")
	flags.StringSliceVar(&f.filter.Skip, "skip", nil, "leave out repositories whose OWNER/NAME, or NAME, fits this pattern, as acme/*-archive")
	flags.StringSliceVar(&f.filter.Only, "only", nil, "scan only repositories whose OWNER/NAME, or NAME, fits one of these patterns")
	flags.Int64Var(&f.filter.MaxSize, "max-repo-size", 0, "leave out repositories that GitHub says are larger than this many MiB; 0 is no limit")
}

// waitAloud waits, and says so if it takes longer than a person expects.
func waitAloud(s *cli.Streams) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		if d > 5*time.Second {
			fmt.Fprintf(s.Stderr, "stanch: GitHub asks to wait until %s\n", time.Now().Add(d).Format(time.TimeOnly))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
}

// A githubSweep scans repositories one after the other, and makes one report.
type githubSweep struct {
	job     *scanflags.Job
	flags   *githubFlags
	shard   shard
	streams *cli.Streams
	listers map[string]*github.Lister // by owner, if they differ
	listed  int                       // repositories, those that are left out included
	// saidNoDeleted is of the goroutine that clones.
	saidNoDeleted bool
}

// lister returns the Lister for target.
func (w *githubSweep) lister(ctx context.Context, target string) (*github.Lister, error) {
	owner, _, _ := strings.Cut(target, "/")
	key := ""
	if w.flags.login.perOwner() {
		key = strings.ToLower(owner)
	}
	if w.listers[key] == nil {
		// The limit of requests is by the hour.
		lister, err := w.flags.login.lister(ctx, w.streams.Version, owner, time.Hour+time.Minute, waitAloud(w.streams))
		if err != nil {
			return nil, err
		}
		w.listers[key] = lister
	}
	return w.listers[key], nil
}

// A listed repository is one to scan, and who asks for it.
type listed struct {
	github.Repository
	from *github.Lister
}

func (w *githubSweep) run(ctx context.Context, targets []string) error {
	defer w.job.Out.Discard()
	repos, err := w.list(ctx, targets)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return cli.Incomplete(err)
	case len(repos) == 0:
		fmt.Fprintln(w.streams.Stderr, "stanch: there is no repository to scan")
	}
	// A token that has lost its rights sees what an owner without repositories has.
	if w.listed == 0 {
		return cli.Incomplete(fmt.Errorf("%s: GitHub lists no repository, which may be for want of rights of the token", strings.Join(targets, ", ")))
	}
	target := targets[0]
	if len(targets) > 1 {
		target = fmt.Sprintf("%s and %d more", target, len(targets)-1)
	}
	if w.shard.of > 0 {
		target += ", shard " + w.shard.String()
	}
	return cli.ScanEnded(w.job.Run(ctx, "github", target, func(sc *scanner.Scanner, sink scanner.Sink) error {
		return w.scan(ctx, sc, sink, targets, repos)
	}))
}

// list returns the repositories of the targets that the flags leave, each once.
func (w *githubSweep) list(ctx context.Context, targets []string) (repos []listed, err error) {
	left, seen := map[string]string{}, map[string]bool{}
	for _, target := range targets {
		lister, err := w.lister(ctx, target)
		if err != nil {
			return nil, err
		}
		list, err := lister.List(ctx, target)
		if err != nil {
			return nil, err
		}
		w.listed += len(list)
		for _, r := range list {
			why := w.flags.filter.Why(r, strings.Contains(target, "/"))
			if why == "" && !w.shard.has(r) {
				why = "in other shards than " + w.shard.String()
			}
			if why != "" && !seen[r.Name] {
				left[r.Name] = why
			} else if !seen[r.Name] {
				repos = append(repos, listed{r, lister})
				seen[r.Name] = true
				delete(left, r.Name)
			}
		}
	}
	w.sayLeft(left)
	return repos, nil
}

// sayLeft says how many repositories are left out for a reason that may surprise.
func (w *githubSweep) sayLeft(left map[string]string) {
	count := map[string]int{}
	for _, why := range left {
		count[why]++
	}
	for _, why := range slices.Sorted(maps.Keys(count)) {
		switch why {
		case "forks":
			fmt.Fprintf(w.streams.Stderr, "stanch: %d forks are left out; --forks scans them\n", count[why])
		case "skipped":
		default:
			fmt.Fprintf(w.streams.Stderr, "stanch: %d repositories are left out: %s\n", count[why], why)
		}
	}
}

// scan scans repos and reports to sink, which it closes.
func (w *githubSweep) scan(ctx context.Context, sc *scanner.Scanner, sink scanner.Sink, targets []string, repos []listed) error {
	start := time.Now()
	all := merged{byFingerprint: map[string]int{}}
	clones, stop := w.clone(ctx, repos)
	defer stop()
	n := 0
	for c := range clones {
		n++
		w.say("%d/%d %s", n, len(repos), c.Name)
		w.scanOne(ctx, sc, c, &all)
		if !c.wiki {
			w.scanTexts(ctx, sc, c.listed, &all)
		}
	}
	w.scanGists(ctx, sc, targets, &all)
	all.sum.ElapsedMS = time.Since(start).Milliseconds()
	all.sum.Stopped = ctx.Err() != nil
	return errors.Join(ctx.Err(), all.report(sink))
}

// say tells a person at a terminal how far the sweep is.
func (w *githubSweep) say(format string, args ...any) {
	if cli.MayMove(w.streams.Stderr) {
		fmt.Fprintf(w.streams.Stderr, "\r\x1b[K"+format+"\n", args...)
	}
}

// noRepository is what git and go-git say of a repository that is not there, and of
// nothing else: objects and hosts are not found, too.
var noRepository = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)repository( '[^']*')? not found`) })

// scanOne scans a clone and adds what it finds to all.
func (w *githubSweep) scanOne(ctx context.Context, sc *scanner.Scanner, c clone, all *merged) {
	defer c.close(w.streams)
	switch {
	case ctx.Err() != nil:
	case c.wiki && c.err != nil && noRepository().MatchString(c.err.Error()):
		// GitHub says that there may be one, and not whether it has a page.
	case c.err != nil:
		all.sum.Unread = append(all.sum.Unread, finding.Unread{What: c.page, Why: c.err.Error()})
	case !c.repo.Empty():
		c.repo.MaxBlobSize = w.flags.MaxSize << 20
		// An error ends up in the summary: that is how a scan says what it has not read.
		_ = sc.Scan(ctx, onGitHub{paged{c.repo, c.page}}, partOf{all, c.page})
	}
	if c.repo != nil && c.deletedErr != nil && ctx.Err() == nil {
		all.sum.Unread = append(all.sum.Unread, finding.Unread{What: c.page + " commits that were force-pushed away or deleted", Why: c.deletedErr.Error()})
	}
}
