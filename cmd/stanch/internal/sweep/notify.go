//go:build sweep

package sweep

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/githubflags"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/notifyflags"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/alert"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

func newSweepNotify(s *cli.Streams, db *databaseFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try receivers of alerts, or forget them",
		Long: `Receivers of alerts are given by --notify to "stanch sweep run", "serve" and "work".
"stanch sweep status" shows what each of them got, and what waits.`,
		Example: `  stanch sweep notify test slack:env:SLACK_URL    # does it arrive?
  stanch sweep notify forget slack:env:SLACK_URL  # when it is used no more`,
		Args: cli.NoCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNotifyTest(s), newNotifyForget(s, db))
	return cmd
}

func newNotifyTest(s *cli.Streams) *cobra.Command {
	f, as, owner := notifyflags.Flags{}, notifyflags.Identity{}, &respond.OwnerFlags{}
	cmd := &cobra.Command{
		Use:   "test RECEIVER...",
		Short: "Send a test alert",
		Long: `Send an alert that says that it is a test, so that you know that alerts arrive before
one has to. Nothing is read or written in the database.`,
		Example: `  stanch sweep notify test slack:env:SLACK_URL mailto:security@example.com`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.To, as.AWS = args, owner
			receivers, err := f.Open(cmd.Context(), s, as)
			if err != nil {
				return err
			}
			var errs []error
			for _, r := range receivers {
				a := &finding.Alert{Delivery: rand.Text(), Kind: finding.AlertTest, Time: time.Now().UTC().Truncate(time.Second)}
				a.Complete()
				if err := notifyflags.Send(cmd.Context(), r, a); err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintf(s.Stderr, "stanch: %s: the test was taken\n", printable.Text(r.Name()))
			}
			return cli.UnfinishedIf(errors.Join(errs...))
		},
	}
	githubflags.AddToken(cmd.Flags(), &as.GitHub)
	owner.OperatorFlags.Add(cmd)
	return cmd
}

func newNotifyForget(s *cli.Streams, db *databaseFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "forget RECEIVER...",
		Short: "Forget receivers, with the alerts that wait for them",
		Long: `Forget receivers by the names that "stanch sweep status" shows, with the alerts that
wait for them. A process that still has the receiver in --notify makes it known again.`,
		Example: `  stanch sweep notify forget slack:env:SLACK_URL`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return db.with(cmd.Context(), func(store *sweep.Store, _ *riverqueue.Queue) error {
				var errs []error
				for _, name := range args {
					there, err := alert.Forget(cmd.Context(), store, name)
					if err == nil && !there {
						err = fmt.Errorf("%s: there is no such receiver (see \"stanch sweep status\")", name)
					}
					if err == nil {
						fmt.Fprintf(s.Stderr, "stanch: %s: forgotten\n", printable.Text(name))
					}
					errs = append(errs, err)
				}
				if err := errors.Join(errs...); err != nil {
					return cli.Failed(err)
				}
				return nil
			})
		},
	}
}
