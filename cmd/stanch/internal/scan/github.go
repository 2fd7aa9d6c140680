package scan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/githubflags"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/notifyflags"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/login"
	"github.com/stanch-dev/stanch/scanner/github/orgscan"
)

// NewGitHub returns the command that scans an organization.
func NewGitHub(s *cli.Streams) *cobra.Command {
	f := &githubFlags{}
	cmd := &cobra.Command{
		Use:   "github ORG|USER|OWNER/REPO...",
		Short: "Scan all repositories of a GitHub organization or user",
		Long: `Scan the whole history of each repository of an organization or a user, pull
requests and wikis included, and ask AWS which of the keys are live. Each leaked key is
used for one call at AWS, sts:GetCallerIdentity; --no-verify sends nothing. The report
has each key once, with all its places.

The token decides which private repositories are scanned; it goes to GitHub alone. It is
the first of these that there is: that of a GitHub App (--app-id and --app-key), that of
--token-file, GITHUB_TOKEN, GH_TOKEN, the output of "gh auth token". Several Apps, or
several files with tokens of different people, share the requests.

Repositories are cloned to a temporary folder, the next while one is scanned, and
removed when they have been read.

GitHub keeps commits that were force-pushed away or whose branch was deleted, and
anybody with their ids can fetch them. They are scanned too, if there is a token: that
costs two requests for each repository, of 5,000 an hour. --deleted=false leaves them
out.

--include adds texts that GitHub keeps beside repositories: those of issues, pull
requests and discussions, with the comments on them; the texts of releases, and
their files of up to a MiB; logs and artifacts of the last 100 runs of workflows;
the public gists of an owner or its members.

--shard 2/8 scans the second of eight parts, for a matrix of jobs in CI. Each
repository is in one of them, by its id, whatever others there are. A key that is
in repositories of two parts is in two reports.

An operand may be a URL too, such as https://github.com/acme or the one that git clones
from. It has to be of the GitHub that is asked.

A repository that cannot be read is named in the report, and the others are
scanned; the exit code is 3 then.`,
		Example: `  stanch github acme                         # all of an organization
  stanch github octocat/hello-world          # one repository
  stanch github acme --forks --skip '*-old'  # forks too, some left out
  stanch github acme --no-verify             # without asking AWS
  stanch github acme -o leaks.html           # a page for a browser`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.selection.Check(); err != nil {
				return err
			}
			shard, err := orgscan.ParseShard(f.shard)
			if err != nil {
				return err
			}
			scan := f.orgScan(s, shard, cmd.Flags().Changed("deleted"))
			for i := range args {
				if args[i], err = github.ParseTarget(args[i], f.login.API); err != nil {
					return err
				}
			}
			for _, target := range args { // before anything is asked: the token may be missing
				if _, err := scan.Lister(cmd.Context(), target); err != nil {
					return err
				}
			}
			if len(f.notify.To) > 0 && f.ShowSecrets {
				return errors.New("--notify and --show-secrets: alerts hold no secret, so give the one or the other")
			}
			f.WithoutLFS = true
			job, err := f.Prepare(s)
			if err != nil {
				return err
			}
			receivers, err := f.notify.Open(cmd.Context(), s, notifyflags.Identity{AWS: &f.Owner, GitHub: f.login})
			if err != nil {
				return err
			}
			told := &notifyflags.Collector{Handler: job.Handler}
			if len(receivers) > 0 {
				job.Handler = told
			}
			err = runOrgScan(cmd.Context(), job, scan, args)
			if untold := told.Tell(context.WithoutCancel(cmd.Context()), receivers, f.notify.Page); untold != nil {
				err = errors.Join(err, cli.Unfinished(untold))
			}
			return err
		},
	}
	f.Add(cmd, true)
	githubflags.AddAPI(cmd.Flags(), &f.login)
	githubflags.AddToken(cmd.Flags(), &f.login)
	f.selection.Add(cmd)
	f.notify.Add(cmd)
	cmd.Flags().StringVar(&f.shard, "shard", "", "scan part `I/N` of the repositories: N machines scan all of them")
	return cmd
}

// githubFlags are the flags of "stanch github".
type githubFlags struct {
	scanflags.Flags
	selection githubflags.Flags
	login     login.Login
	notify    notifyflags.Flags
	shard     string
}

// waitNoticeably waits, and says so if it takes longer than a person expects.
func waitNoticeably(s *cli.Streams) func(context.Context, time.Duration) error {
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

// orgScan returns the scan that the flags ask for. deletedSet says that --deleted was
// among them.
func (f *githubFlags) orgScan(s *cli.Streams, shard orgscan.Shard, deletedSet bool) *orgscan.Scan {
	as := f.login
	as.Version = s.Version
	as.Refused = func(flags string, err error) {
		fmt.Fprintf(s.Stderr, "stanch: GitHub refuses the token of %s, the others are used; replace it, it is tried again each ten minutes: %v\n", flags, err)
	}
	// GitHub counts requests by the hour.
	listers := &login.Listers{Login: as, MaxWait: time.Hour + time.Minute, Wait: waitNoticeably(s)}
	lost := orgscan.LostIfPossible
	switch {
	case !f.selection.Deleted:
		lost = orgscan.LostNever
	case deletedSet:
		lost = orgscan.LostAlways
	}
	return &orgscan.Scan{
		Lister: func(ctx context.Context, target string) (*github.Lister, error) {
			lister, err := listers.For(ctx, as.API, target)
			return lister, err
		},
		Filter: f.selection.Filter, Shard: shard, Include: f.selection.Include, Lost: lost, MaxBlobSize: f.MaxSize << 20,
		Notice:   func(format string, args ...any) { fmt.Fprintf(s.Loud().Stderr, "stanch: "+format+"\n", args...) },
		Progress: func(string, ...any) {},
		Watch:    func(src scanner.Source) scanner.Source { return src },
	}
}

// runOrgScan lists the repositories of targets, and scans them.
func runOrgScan(ctx context.Context, j *scanflags.Job, scan *orgscan.Scan, targets []string) error {
	defer j.Out.Discard()
	var listed *orgscan.Listing
	err := j.Streams.Line.During(func() string { return "asking GitHub for its repositories" }, func() (err error) {
		listed, err = scan.List(ctx, targets)
		return err
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return cli.Failed(err)
	}
	target := targets[0]
	if len(targets) > 1 {
		target = fmt.Sprintf("%s and %d more", target, len(targets)-1)
	}
	if shard := scan.Shard.String(); shard != "" {
		target += ", shard " + shard
	}
	scan.Progress = func(format string, args ...any) { j.Meter.Part("repository " + fmt.Sprintf(format, args...)) }
	scan.Watch = j.Meter.Source
	return cli.ScanEnded(j.Run(ctx, "github", target, func(sc *scanner.Scanner, sink scanner.Sink) error {
		return scan.Run(ctx, sc, sink, targets, listed)
	}))
}
