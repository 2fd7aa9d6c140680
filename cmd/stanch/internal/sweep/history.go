//go:build sweep

package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

func newSweepHistory(s *cli.Streams, db *databaseFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "history FINGERPRINT",
		Short: "Show who changed the status of a finding, and when",
		Long: `Show the changes of a finding, the oldest first: its status, owner and comment after
each, who made it and how, and the answers of AWS that differ from the one before. Times
are in UTC.`,
		Example: "  stanch sweep history 0123456789abcdef0123456789abcdef",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fingerprint, err := checkFingerprint(args[0])
			if err != nil {
				return err
			}
			return db.read(cmd.Context(), func(store *sweep.Store) error {
				d, err := triageStore(store).Detail(cmd.Context(), fingerprint)
				switch {
				case errors.Is(err, triage.ErrNoFinding):
					return cli.Failed(fmt.Errorf("%w (reports in JSON and HTML have them)", err))
				case err != nil:
					return cli.Failed(err)
				}
				if asJSON {
					e := json.NewEncoder(s.Stdout)
					e.SetIndent("", "  ")
					return e.Encode(map[string]any{"fingerprint": d.Fingerprint, "states": d.States, "changes": d.Changes})
				}
				return writeHistory(s.Stdout, &d)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// writeHistory writes the changes and the states of a finding in the order of their times.
func writeHistory(out io.Writer, d *triage.Detail) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var w io.Writer = table
	moment := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
	fmt.Fprintf(w, "%s\tfirst seen\t\n", moment(d.FirstSeen))
	states := d.States
	answers := func(before time.Time) {
		for len(states) > 0 && (before.IsZero() || !states[0].At.After(before)) {
			fmt.Fprintf(w, "%s\tAWS\t%s\n", moment(states[0].At), printable.Text(string(states[0].State)))
			states = states[1:]
		}
	}
	for _, c := range d.Changes {
		answers(c.At)
		who := printable.Text(c.Who)
		if who == "" {
			who = "stanch"
		}
		fmt.Fprintf(w, "%s\t%s (%s)\t%s\n", moment(c.At), who, c.Via, outcome(&c))
	}
	answers(time.Time{})
	return table.Flush()
}

// outcome describes a finding after a change.
func outcome(c *triage.Change) string {
	said := string(c.Status)
	if c.Until != "" {
		said += " until " + c.Until
	}
	if c.Owner != "" {
		said += ", owner " + printable.Quoted(c.Owner)
	}
	if c.Comment != "" {
		said += ", " + printable.Quoted(c.Comment)
	}
	if c.Why != "" {
		said += " (" + c.Why + ")"
	}
	return said
}
