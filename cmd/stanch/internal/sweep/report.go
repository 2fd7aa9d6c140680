//go:build sweep

package sweep

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/finding"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/sweepreport"
)

func newSweepReport(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f := &scanflags.Flags{}
	cmd := &cobra.Command{
		Use:   "report [TARGET]",
		Short: "Write the findings of all sweeps, in any format",
		Long: `Write the report of all targets, or of one: findings with all their places and their
history, and the outcome for each repository. Nothing is read or verified again.`,
		Example: `  stanch sweep report                     # all targets
  stanch sweep report acme -o leaks.html  # one; a page for a browser
  stanch respond plan --sweep acme        # plan to shut off its live keys`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.CheckFailOn(); err != nil {
				return err
			}
			out, err := f.Output.Open(s)
			if err != nil {
				return err
			}
			defer out.Discard()
			h, err := f.Output.Handler(out)
			if err != nil {
				return err
			}
			return db.read(cmd.Context(), func(store *sweep.Store) error {
				names, err := targetNames(cmd.Context(), store, args)
				if err != nil {
					return err // of no target at all: nothing was read, which is not clean
				}
				target := ""
				if len(args) > 0 {
					target = names[0]
				}
				return writeSwept(cmd.Context(), s.Version, store, target, f.FailOn, h, out)
			})
		},
	}
	f.Output.Add(cmd)
	f.AddSweepFailOn(cmd)
	return cmd
}

// Report passes the report of a target, by name or URL, to h. It reads the database
// that the environment names, or the user's own, and changes nothing.
func Report(ctx context.Context, version, target string, h finding.Handler) error {
	return (&databaseFlags{}).read(ctx, func(store *sweep.Store) error {
		names, err := targetNames(ctx, store, []string{target})
		if err != nil {
			return err
		}
		r := &sweepreport.Report{Version: version, Store: store, Handler: h, Target: names[0], FailOn: scanrun.FailOnNever}
		if _, err = r.Write(ctx); err != nil {
			return cli.Failed(err)
		}
		return nil
	})
}

// writeSwept writes the report of a target to h, and puts out in its place. The error
// decides the exit code.
func writeSwept(ctx context.Context, version string, store *sweep.Store, target, failOn string, h finding.Handler, out *cli.Output) error {
	r := &sweepreport.Report{Version: version, Store: store, Handler: h, Target: target, FailOn: scanrun.FailOn(failOn)}
	result, err := r.Write(ctx)
	if err != nil {
		return cli.Failed(err)
	}
	if err := out.Commit(); err != nil {
		return cli.Failed(err)
	}
	return cli.ScanEnded(result, nil)
}
