//go:build sweep

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

func newSweepStatus(s *cli.Streams, db *databaseFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how far sweeps are, and what they wait for",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return db.with(cmd.Context(), func(store *sweep.Store, _ *riverqueue.Queue) error {
				st, err := store.Status(cmd.Context())
				if err != nil {
					return cli.Unfinished(err)
				}
				if asJSON {
					e := json.NewEncoder(s.Stdout)
					e.SetIndent("", "  ")
					return e.Encode(st)
				}
				return writeStatus(s.Stdout, st)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// outdated says how repositories were read that an earlier detector has read.
const outdated = "an earlier build, other rules or other flags"

func writeStatus(out io.Writer, st sweep.Status) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var w io.Writer = table
	for _, t := range st.Targets {
		state := "not swept yet"
		switch {
		case !t.Ended.IsZero():
			state = "swept " + when(t.Ended)
		case !t.Begun.IsZero():
			state = fmt.Sprintf("sweeping since %s, %d to look at", when(t.Begun), t.Due)
		}
		if !t.Next.IsZero() {
			state += ", next " + when(t.Next)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable.Text(t.Name), state, counts(t.States))
		if t.Outdated > 0 {
			fmt.Fprintf(w, "\t%d read with %s\t\n", t.Outdated, outdated)
		}
		if t.Why != "" {
			fmt.Fprintf(w, "\tlisting: %s\t\n", printable.Text(t.Why))
		}
	}
	if n := len(st.Troubled); n > 0 {
		fmt.Fprintln(w)
		for _, r := range st.Troubled {
			fmt.Fprintf(w, "%s\t%s\t%s\n", strings.ToUpper(r.State), printable.Text(r.Name), printable.Text(r.Why))
		}
	}
	if len(st.Workers) > 0 {
		fmt.Fprintln(w)
	}
	for _, worker := range st.Workers {
		fmt.Fprintf(w, "worker\t%s\tseen %s\n", printable.Text(worker.Name), when(worker.Seen))
	}
	fmt.Fprintf(w, "\nfindings\t%d open, %d acknowledged\t%s\n", st.Findings.Open, st.Findings.Acknowledged, counts(st.Findings.ByState))
	return table.Flush()
}

// counts says "3 failed, 12 swept".
func counts(by map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d %s", by[name], name))
	}
	return strings.Join(parts, ", ")
}
