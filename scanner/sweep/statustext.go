package sweep

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
)

// OtherDetector is how reports describe the detector of outdated repositories, see
// Store.Outdated.
const OtherDetector = "an earlier build, other rules or other flags"

// WriteText writes the status as tables for people.
func (st Status) WriteText(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var w io.Writer = table
	for _, t := range st.Targets {
		state := "not swept yet"
		switch {
		case !t.Ended.IsZero():
			state = "swept " + localTime(t.Ended)
		case t.isStuck():
			state = "not listed since " + localTime(t.Begun)
		case !t.Begun.IsZero():
			state = fmt.Sprintf("sweeping since %s, %s left to look at", localTime(t.Begun), printable.Thousands(t.Due))
		}
		if !t.Next.IsZero() {
			state += ", next " + localTime(t.Next)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable.Text(t.Name), state, counts(t.States))
		if t.Outdated > 0 {
			fmt.Fprintf(w, "\t%s read with %s\t\n", printable.Thousands(t.Outdated), OtherDetector)
		}
		if trouble := (&Target{Why: t.Why, Wait: t.Wait, Asked: t.Asked}).Trouble(); trouble != "" {
			fmt.Fprintf(w, "\tlisting %s\t\n", trouble)
		}
	}
	if n := len(st.Troubled); n > 0 {
		fmt.Fprintln(w)
		failed := false
		for _, r := range st.Troubled {
			why := r.Why
			failed = failed || r.State == Failed && r.Accepted == ""
			if r.Accepted != "" {
				why = r.Accepted + " (" + why + ")"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", strings.ToUpper(r.State), printable.Text(r.Name), printable.Text(why))
		}
		if failed {
			fmt.Fprintln(w, "\tIf a repository cannot be read for good: stanch sweep accept OWNER/REPO --reason TEXT\t")
		}
	}
	if len(st.Workers) > 0 {
		fmt.Fprintln(w)
	}
	for _, worker := range st.Workers {
		fmt.Fprintf(w, "worker\t%s\t%s\n", printable.Text(worker.Name), worker.words())
	}
	writeReceivers(w, st.Receivers)
	acknowledged := printable.Thousands(st.Findings.Acknowledged) + " acknowledged or closed"
	if n := st.Findings.AcknowledgedLive; n > 0 {
		acknowledged += " (" + printable.Thousands(n) + " LIVE)"
	}
	fmt.Fprintf(w, "\nfindings\t%s that may be live, %s\t%s\n", printable.Thousands(st.Findings.Open), acknowledged, counts(st.Findings.told()))
	return table.Flush()
}

// isStuck reports whether the sweep of t goes on only once it can be listed.
func (t *TargetStatus) isStuck() bool { return t.Why != "" && t.Wait.IsZero() && t.Due == 0 }

// writeReceivers writes a line for each receiver.
func writeReceivers(w io.Writer, list []ReceiverStatus) {
	gone := false
	for i := range list {
		if i == 0 {
			fmt.Fprintln(w)
		}
		gone = gone || list[i].Gone
		fmt.Fprintf(w, "receiver\t%s\t%s\n", printable.Text(list[i].Name), list[i].text())
	}
	if gone {
		fmt.Fprintln(w, "\tGive a receiver that is gone to a process by --notify, or forget it: stanch sweep notify forget NAME\t")
	}
}

// text says how a receiver fares: "3 alerts delivered, last 2026-11-30 07:00:00".
func (r *ReceiverStatus) text() string {
	parts := []string{printable.Plural(r.Deliveries, "alert") + " delivered"}
	if !r.Delivered.IsZero() {
		parts[0] += ", last " + localTime(r.Delivered)
	}
	switch {
	case r.Gone:
		parts = append(parts, "GONE, no process has had it since "+localTime(r.Seen)+": its alerts are lost")
	case r.Without > 1: // a process that has it may begin later in the day
		parts = append(parts, "no process has had it since "+localTime(r.Seen))
	}
	if r.Digest > 0 {
		parts = append(parts, printable.Thousands(r.Digest)+" for the next digest")
	}
	if r.Waiting > 0 {
		parts = append(parts, printable.Thousands(r.Waiting)+" WAITING since "+localTime(r.Oldest))
	}
	if r.Lost > 0 {
		parts = append(parts, printable.Thousands(r.Lost)+" LOST")
	}
	if r.Why != "" {
		parts = append(parts, fmt.Sprintf("failed %s: %s", localTime(r.Failed), printable.Text(r.Why)))
	}
	return strings.Join(parts, "; ")
}

// words says when a worker was seen, whether it seems to be dead, and which job it has had for
// ten minutes or more.
func (w WorkerStatus) words() string {
	said := "seen " + localTime(w.Seen)
	if w.now.Sub(w.Seen) > 90*time.Second { // silent for longer than others wait for it
		said = "dead, seen last " + localTime(w.Seen)
	}
	if w.Doing != "" && w.now.Sub(w.Since) > 10*time.Minute {
		said += ", has done " + strings.TrimSpace(w.Doing+" "+printable.Text(w.Repository)) + " since " + localTime(w.Since)
	}
	return said
}

// told returns the counts by state, with "id only" and "not verified" in place of "skipped",
// as reports say it.
func (f FindingStatus) told() map[string]int {
	by := maps.Clone(f.ByState)
	delete(by, string(verifier.Skipped))
	for why, n := range f.Skipped {
		by[strings.ReplaceAll(why, "-", " ")] = n
	}
	return by
}

// counts says "3 failed, 12 swept".
func counts(by map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, printable.Thousands(by[name])+" "+name)
	}
	return strings.Join(parts, ", ")
}

func localTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.DateTime)
}

// Progress says in one line how far all sweeps are, and how many findings are open. asked says
// how far this process is with its questions to AWS, which is all that moves while a repository
// with many keys is verified; "" if it asks none.
func (st Status) Progress(asked string) string {
	left, all, why := 0, 0, ""
	for _, t := range st.Targets {
		for _, n := range t.States {
			all += n
		}
		left += t.Due
		if t.Why != "" {
			why = ", " + printable.Text(t.Why)
		}
	}
	open := "1 finding open"
	if n := st.Findings.Open; n != 1 {
		open = printable.Thousands(n) + " findings open"
	}
	if all == 0 && why == "" {
		return "asking GitHub for its repositories"
	}
	if asked != "" {
		asked += " · "
	}
	return fmt.Sprintf("%s of %s repositories done · %s%s%s", printable.Thousands(all-left), printable.Thousands(all), asked, open, why)
}
