//go:build sweep

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/finding"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/verifier"
)

func newSweepReport(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f := &scanflags.Flags{}
	cmd := &cobra.Command{
		Use:   "report [TARGET]",
		Short: "Write what all sweeps have found, in any format",
		Long: `Write what is known of all targets, or of one: findings with all their places and
their history, and how each repository fared. Nothing is read or verified again.`,
		Example: "  stanch sweep report --format html --output leaks.html\n  stanch sweep report acme --format json | stanch respond plan --accounts 111122223333",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(scanrun.FailLevels, f.FailOn) {
				return fmt.Errorf("--fail-on %s: must be one of %s", f.FailOn, strings.Join(scanrun.FailLevels, ", "))
			}
			out, err := f.Output.Open(s.Stdout)
			if err != nil {
				return err
			}
			defer out.Discard()
			h, err := f.Output.Handler(out)
			if err != nil {
				return err
			}
			return db.with(cmd.Context(), func(store *sweep.Store, _ *riverqueue.Queue) error {
				return writeSwept(cmd.Context(), s.Version, store, append(args, "")[0], f.FailOn, h, out)
			})
		},
	}
	f.Output.Add(cmd)
	f.AddFailOn(cmd)
	return cmd
}

// writeSwept writes what store knows of a target to h, and puts out in its place. The
// error says what there is to act on.
func writeSwept(ctx context.Context, version string, store *sweep.Store, target, failOn string, h finding.Handler, out *cli.Output) error {
	w := &sweptReport{version: version, store: store, handler: h, target: target, failOn: scanrun.FailOn(failOn)}
	if err := w.write(ctx); err != nil {
		return cli.Incomplete(err)
	}
	if err := out.Commit(); err != nil {
		return cli.Incomplete(err)
	}
	return cli.ScanEnded(w.result, nil)
}

// A sweptReport turns what a store has into records.
type sweptReport struct {
	version string
	store   *sweep.Store
	handler finding.Handler
	target  string // "" for all
	failOn  scanrun.FailOn
	result  scanrun.Result
	begun   map[string]time.Time // of the last sweep of each target
	sum     finding.Summary
}

func (w *sweptReport) write(ctx context.Context) error {
	targets, err := w.store.Targets(ctx)
	if err != nil {
		return err
	}
	w.begun = map[string]time.Time{}
	var names []string
	started, ended := time.Time{}, time.Time{}
	for _, t := range targets {
		if w.target != "" && w.target != t.Name {
			continue
		}
		w.begun[t.Name] = t.Begun
		names = append(names, t.Name)
		if started.IsZero() || t.Begun.Before(started) {
			started = t.Begun
		}
		if t.Ended.After(ended) {
			ended = t.Ended
		}
		switch {
		case t.Why != "":
			w.unread(t.Name, t.Why)
		case t.Begun.IsZero():
			w.unread(t.Name, "it was not swept yet")
		case t.Ended.IsZero():
			w.unread(t.Name, "the sweep has not come to its end")
		}
	}
	if err := w.outdated(ctx, names); err != nil {
		return err
	}
	if w.target != "" && len(names) == 0 {
		return fmt.Errorf("%s: %w", w.target, sweep.ErrNoTarget)
	}
	w.sum.Unread = append([]finding.Unread{}, w.sum.Unread...)
	return errors.Join(
		w.handler.Scan(finding.Scan{Version: w.version, Source: "github", Target: strings.Join(names, " "), Started: started}),
		w.store.Findings(ctx, w.target, w.finding),
		w.store.Repositories(ctx, w.target, w.repository),
		w.end(started, ended))
}

// outdated says of which targets a part was not read with what the rest was.
func (w *sweptReport) outdated(ctx context.Context, names []string) error {
	counts, err := w.store.Outdated(ctx)
	for _, name := range names {
		if n := counts[name]; n > 0 {
			w.unread(name, fmt.Sprintf("%d of its repositories were read with %s, and not yet again", n, sweep.OtherDetector))
		}
	}
	return err
}

func (w *sweptReport) unread(what, why string) {
	u := finding.Unread{What: what, Why: why}
	w.sum.Unread, w.result.Summary.Unread = append(w.sum.Unread, u), append(w.result.Summary.Unread, u)
}

func (w *sweptReport) end(started, ended time.Time) error {
	w.sum.ElapsedMS = max(0, ended.Sub(started).Milliseconds())
	return w.handler.Summary(w.sum)
}

// finding reports one that was kept.
func (w *sweptReport) finding(f finding.Finding) error {
	h := f.History
	if h.AcknowledgedBy != "" && (h.AcknowledgedUntil.IsZero() || h.AcknowledgedUntil.After(time.Now())) {
		acknowledged(&f)
	}
	w.sum.Count(&f)
	if f.Ignored == "" && w.failOn.Counts(f.Verdict.State) {
		w.result.Leaks++
	}
	return w.handler.Finding(f)
}

// acknowledged makes a finding one that does not count; one that is live does.
func acknowledged(f *finding.Finding) {
	why := "acknowledged by " + f.History.AcknowledgedBy
	if until := f.History.AcknowledgedUntil; !until.IsZero() {
		why += " until " + until.Format(time.DateOnly)
	}
	if f.Verdict.State == verifier.Live {
		f.Overruled = why
	} else {
		f.Ignored = cmp.Or(f.Ignored, why)
	}
}

// repository reports how one fared in the last sweep of its target.
func (w *sweptReport) repository(r sweep.Repository) error {
	record := finding.Repository{
		Name: r.Name, URL: r.WebURL, State: r.State, Why: r.Why, At: r.At, ForkOf: r.Parent,
		Archived: r.Archived, Private: r.Private,
	}
	if r.At.Before(w.begun[r.Target]) && (r.State == sweep.Swept || r.State == sweep.Unchanged) {
		record.State = sweep.Unchanged // it was not even looked at: GitHub says that nothing was pushed
	} else {
		record.Objects, record.Fetched = r.Objects, r.Fetched
		w.sum.Objects, w.sum.Bytes = w.sum.Objects+r.Objects, w.sum.Bytes+r.Fetched
	}
	switch r.State {
	case sweep.New:
		record.State, record.Why = sweep.Waiting, cmp.Or(r.Why, "for its turn")
	case sweep.Gone:
		record.State = sweep.Skipped
	case sweep.Failed, sweep.Incomplete:
		record.State = sweep.Failed
		w.unread(r.WebURL, r.Why)
	}
	if record.State == sweep.Waiting {
		w.unread(r.WebURL, "it waits "+record.Why)
	}
	return w.handler.Repository(record)
}
