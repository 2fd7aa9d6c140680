//go:build sweep

package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

func newSweepAccept(s *cli.Streams, db *databaseFlags) *cobra.Command {
	var by, reason, until string
	cmd := &cobra.Command{
		Use:   "accept OWNER/REPO...",
		Short: "Say that somebody knows that a repository cannot be read",
		Long: `Accept that repositories, or parts of them, cannot be read, as after a takedown: they no
longer make the exit code 3. Status and reports name them and the person. Each full
look tries them again, and so does a push. The acceptance ends by itself when the
repository can be read; "stanch sweep unaccept" takes it back.`,
		Example: `  stanch sweep accept acme/blocked --reason 'DMCA, ticket 12' --until 2027-01-31`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errors.New("--reason is missing: say why it is all right that the repository is not read")
			}
			var end time.Time // none
			if cmd.Flags().Changed("until") {
				var err error
				if end, err = lastDay(until, time.Now()); err != nil {
					return err
				}
			}
			who, err := acknowledger(by, cmd.Flags().Changed("by"), userName)
			if err != nil {
				return err
			}
			accepted := sweep.Acceptance{By: who, Reason: reason, Until: end}
			return db.eachRepository(cmd.Context(), args, func(ctx context.Context, store *sweep.Store, name string) error {
				if err := store.Accept(ctx, name, accepted); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.Stdout, "%s: %s\n", printable.Text(name), printable.Text(accepted.String()))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "the `NAME` of the person who knows of it (default: the user who runs this)")
	cmd.Flags().StringVar(&reason, "reason", "", "the `REASON`, for reports (required)")
	cmd.Flags().StringVar(&until, "until", "", "the last `DAY`, in UTC, on which it is accepted, such as 2027-01-31 (default: until it can be read)")
	return cmd
}

func newSweepUnaccept(s *cli.Streams, db *databaseFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "unaccept OWNER/REPO...",
		Short:   "Take back that a repository need not be read",
		Long:    `Count repositories again that cannot be read: the exit code is 3 while that is so.`,
		Example: "  stanch sweep unaccept acme/blocked",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return db.eachRepository(cmd.Context(), args, func(ctx context.Context, store *sweep.Store, name string) error {
				if err := store.Unaccept(ctx, name); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.Stdout, "%s: not accepted any more\n", printable.Text(name))
				return err
			})
		},
	}
}

// eachRepository calls do with the store and each name. Its error names the repositories.
func (f *databaseFlags) eachRepository(ctx context.Context, names []string, do func(context.Context, *sweep.Store, string) error) error {
	return f.with(ctx, func(store *sweep.Store, _ *riverqueue.Queue) error {
		var errs []error
		for _, name := range names {
			switch err := do(ctx, store, name); {
			case errors.Is(err, sweep.ErrNotUnread):
				errs = append(errs, fmt.Errorf("%s: %w (see \"stanch sweep status\")", name, err))
			case err != nil:
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
		if err := errors.Join(errs...); err != nil {
			return cli.Failed(err)
		}
		return nil
	})
}
