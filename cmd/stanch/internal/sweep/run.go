//go:build sweep

package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/metrics"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

func newSweepRun(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f, full, all := &engineFlags{}, false, false
	cmd := &cobra.Command{
		Use:   "run [TARGET...]",
		Short: "Sweep targets now, and report",
		Long: `Sweep the targets, all if none is named, and report. The text lists the findings that
are new and those that are live, and counts the others; --all lists all. Other formats
have all findings. Each leaked key is used for one call at AWS, sts:GetCallerIdentity; --no-verify
sends nothing. If a sweep is interrupted, the next run goes on from there.

A repository that cannot be read is tried three times; then it is named in the
report, the exit code is 3, and the next sweep tries again.`,
		Example: `  stanch sweep run                               # all targets
  stanch sweep run acme -o leaks.html            # one; a page for a browser
  stanch sweep run --no-verify                   # without asking AWS
  stanch sweep run --notify slack:env:SLACK_URL  # tell Slack of live keys`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if !all {
				f.Output.ListAll = "--all"
			}
			begin := func(store *sweep.Store, q *riverqueue.Queue) error {
				names, err := targetNames(ctx, store, args)
				if err != nil {
					return err
				}
				if len(args) > 0 {
					args = names
				}
				for _, name := range names {
					switch err := store.Begin(ctx, q, name, full); {
					case errors.Is(err, sweep.ErrNoTarget): // wrong usage
						return err
					case err != nil:
						return cli.Failed(fmt.Errorf("beginning the sweep of %s: %w", name, err))
					}
				}
				return nil
			}
			after := func(j *scanflags.Job, store *sweep.Store) error {
				target := ""
				if len(args) == 1 {
					target = args[0]
				}
				return writeSwept(context.WithoutCancel(ctx), j.Streams.Version, store, target, f.FailOn, j.Handler, j.Out)
			}
			return f.run(ctx, s, db, lifecycle{once: true, begin: begin, beside: f.progress(s), after: after})
		},
	}
	f.addReport(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "list findings in the text that are neither new nor live, too")
	cmd.Flags().BoolVar(&full, "full", false, "look at all repositories, even if GitHub says that nothing was pushed")
	return cmd
}

// targetNames returns the names of the targets that args mean, by name or URL: of all if
// there are none.
func targetNames(ctx context.Context, store *sweep.Store, args []string) ([]string, error) {
	targets, err := store.Targets(ctx)
	if err != nil {
		return nil, cli.Failed(err)
	}
	if len(args) > 0 {
		return named(targets, args), nil
	}
	if len(targets) == 0 {
		return nil, errors.New("there is no target: add one with \"stanch sweep add\"")
	}
	var names []string
	for _, t := range targets {
		names = append(names, t.Name)
	}
	return names, nil
}

func newSweepWork(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f := &engineFlags{}
	cmd := &cobra.Command{
		Use:   "work",
		Short: "Do the jobs of a fleet until told to end",
		Long: `Do the jobs in the database, and begin sweeps when they are due. Each leaked key is used
for one call at AWS, sts:GetCallerIdentity; --no-verify sends nothing. Any number of
workers may share a database of PostgreSQL. SIGTERM ends one, and the others take over
its jobs. A worker writes no report: "stanch sweep report" does.

With --metrics-listen it answers at /metrics, for Prometheus, /healthz and /readyz. These
ask for no token: they tell numbers, and the names of targets and receivers.`,
		Example: "  stanch sweep work --scans 4  # read four repositories at once",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.observe.metrics = metrics.New(s.Version)
			beside, err := f.observe.beside(cmd.Context(), f.progress(s))
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), s, db, lifecycle{beside: beside})
		},
	}
	f.add(cmd)
	f.observe.add(cmd)
	cmd.Flags().StringVar(&f.observe.listen, "metrics-listen", "", "answer Prometheus and probes at `ADDRESS`")
	return cmd
}

// sent says how many requests AWS has got, "" for none.
func sent(j *scanflags.Job) string {
	requests := 0
	for _, host := range j.STS.Sent() {
		requests += host.Requests
	}
	if requests == 0 {
		return ""
	}
	return printable.Plural(requests, "request") + " to AWS"
}

// progress returns the function that tells a person at a terminal how far a sweep is, until its
// context ends; nil without a terminal.
func (f *engineFlags) progress(s *cli.Streams) func(context.Context, *scanflags.Job, *sweep.Store, *slog.Logger) error {
	if s.Line == nil {
		return nil
	}
	return func(ctx context.Context, j *scanflags.Job, store *sweep.Store, _ *slog.Logger) error {
		defer s.Line.Clear()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(500 * time.Millisecond):
			}
			if status, err := store.Status(ctx); err == nil {
				s.Line.Show(status.Progress(cmp.Or(f.asking.text(), sent(j))))
			}
		}
	}
}
