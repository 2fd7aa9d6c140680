//go:build sweep

package sweep

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// writeTargets writes a table of targets for people. flags returns the options of a target as a
// person types them.
func writeTargets(out io.Writer, targets []sweep.Target, flags func(*sweep.Target) string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var w io.Writer = table
	fmt.Fprintln(w, "TARGET\tEVERY\tLAST SWEEP\tNEXT\tFLAGS")
	for _, t := range targets {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", printable.Text(t.Name), schedule(t.Every), lastSweep(&t), nextSweep(&t),
			printable.Text(cmp.Or(flags(&t), "-")))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, t := range targets {
		if trouble := t.Trouble(); trouble != "" {
			fmt.Fprintf(out, "\n%s: listing %s\n", printable.Text(t.Name), trouble)
		}
	}
	return nil
}

// schedule returns how long after each other sweeps of a target begin: "10m", "1h", or "by hand".
func schedule(d time.Duration) string {
	if d == 0 {
		return "by hand"
	}
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String()) // "1h0m0s", "10m0s"
}

func localTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.DateTime)
}

// lastSweep says when the last sweep of a target has begun, and whether it could not list it.
func lastSweep(t *sweep.Target) string {
	if t.FailsToList() {
		return localTime(t.Begun) + ", failed"
	}
	return localTime(t.Begun)
}

// nextSweep says when the next sweep of a target begins. The listing of one that fails is tried
// again then.
func nextSweep(t *sweep.Target) string {
	switch {
	case t.Begun.After(t.Ended) && !t.FailsToList():
		return "running"
	case t.Every == 0:
		return "-"
	case t.Begun.IsZero():
		return "now"
	}
	return localTime(t.Next())
}
