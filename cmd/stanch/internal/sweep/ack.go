//go:build sweep

package sweep

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

func newSweepAck(s *cli.Streams, db *databaseFlags) *cobra.Command {
	var by, note, until string
	cmd := &cobra.Command{
		Use:   "ack FINGERPRINT",
		Short: "Say that somebody knows of a finding",
		Long: `Acknowledge a finding, for good or until the end of a day: it does not count, and
reports name the person and the day. A live one is reported all the same. Another
acknowledgement replaces the first;
"stanch sweep unack" takes it back.`,
		Example: `  stanch sweep ack 0123456789abcdef0123456789abcdef --until 2027-01-31 --note 'rotated with release 12'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fingerprint, err := checkFingerprint(args[0])
			if err != nil {
				return err
			}
			var end time.Time // none
			if cmd.Flags().Changed("until") {
				if end, err = lastDay(until, time.Now()); err != nil {
					return err
				}
			}
			who, err := acknowledger(by, cmd.Flags().Changed("by"), userName)
			if err != nil {
				return err
			}
			return db.acknowledge(cmd.Context(), fingerprint, func(ctx context.Context, store *sweep.Store) error {
				if err := store.Acknowledge(ctx, fingerprint, who, note, end); err != nil {
					return err
				}
				said := "acknowledged by " + printable.Text(who)
				if until != "" {
					said += " until " + until
				}
				_, err := fmt.Fprintln(s.Stdout, said)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "the `NAME` of the person who knows of it (default: the user who runs this)")
	cmd.Flags().StringVar(&until, "until", "", "the last `DAY`, in UTC, on which it does not count, such as 2027-01-31 (default: for good)")
	cmd.Flags().StringVar(&note, "note", "", "the `REASON`, for reports")
	return cmd
}

func newSweepUnack(s *cli.Streams, db *databaseFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "unack FINGERPRINT",
		Short:   "Take an acknowledgement back",
		Long:    `Remove the acknowledgement of a finding: it counts again.`,
		Example: "  stanch sweep unack 0123456789abcdef0123456789abcdef",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fingerprint, err := checkFingerprint(args[0])
			if err != nil {
				return err
			}
			return db.acknowledge(cmd.Context(), fingerprint, func(ctx context.Context, store *sweep.Store) error {
				if err := store.Unacknowledge(ctx, fingerprint, userName()); err != nil {
					return err
				}
				_, err := fmt.Fprintln(s.Stdout, "not acknowledged any more")
				return err
			})
		},
	}
}

// acknowledge calls do with the store. Its error names the finding.
func (f *databaseFlags) acknowledge(ctx context.Context, fingerprint string, do func(context.Context, *sweep.Store) error) error {
	return f.with(ctx, func(store *sweep.Store, _ *riverqueue.Queue) error {
		err := do(ctx, store)
		switch {
		case errors.Is(err, sweep.ErrNoFinding):
			return cli.Failed(fmt.Errorf("%w with the fingerprint %s (reports in JSON and HTML have them)", err, fingerprint))
		case err != nil:
			return cli.Failed(fmt.Errorf("the finding %s: %w", fingerprint, err))
		}
		return nil
	})
}

// checkFingerprint returns a fingerprint as the store has it.
func checkFingerprint(typed string) (string, error) {
	fingerprint := strings.ToLower(strings.TrimSpace(typed))
	if hash, err := hex.DecodeString(fingerprint); err != nil || len(hash) != 16 {
		return "", fmt.Errorf("%q is not a fingerprint: one has 32 hexadecimal digits, as in reports", typed)
	}
	return fingerprint, nil
}

// lastDay returns the end of a day. Reports name days in UTC: in any other zone, some would
// name the day after.
func lastDay(day string, now time.Time) (end time.Time, err error) {
	if day == "" { // a script whose variable is not set must not acknowledge for good
		return time.Time{}, errors.New("--until is empty: name a day, such as 2027-01-31, or leave --until out")
	}
	begin, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, fmt.Errorf("--until %s: not a date such as 2027-01-31", day)
	}
	end = begin.AddDate(0, 0, 1).Add(-time.Millisecond) // a store knows no less
	if end.Before(now) {
		return time.Time{}, fmt.Errorf("--until %s: that day is over; name a later one, or leave --until out", day)
	}
	return end, nil
}

// acknowledger returns the name that --by gives, or the name of the user without --by.
func acknowledger(by string, typed bool, userName func() string) (string, error) {
	if name := strings.TrimSpace(by); name != "" {
		return name, nil
	}
	if typed {
		return "", errors.New(`--by is empty: name a person; "stanch sweep unack" takes an acknowledgement back`)
	}
	name := strings.TrimSpace(userName())
	if name == "" {
		return "", errors.New("this process runs as a user without a name: say with --by who acknowledges the finding")
	}
	return name, nil
}

// userName returns the name of the user that runs this process. It is "" in a container
// without a list of users, if $USER is empty too.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return os.Getenv("USER")
}
