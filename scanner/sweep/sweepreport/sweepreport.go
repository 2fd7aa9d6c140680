// Package sweepreport turns the store of a sweep into the records of a report: findings
// with their history, and the outcome for each repository.
package sweepreport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/verifier"
)

// A Report is the report of a target, or of all targets if Target is "".
type Report struct {
	Store   *sweep.Store
	Target  string
	Handler finding.Handler // writes the records
	Version string          // of this program
	FailOn  scanrun.FailOn
}

// Write writes the report. The result counts the leaks, and has the summary.
func (r *Report) Write(ctx context.Context) (scanrun.Result, error) {
	w := &writer{Report: r, leftOut: map[string]int{}, others: map[string]int{}}
	err := w.write(ctx)
	return w.result, err
}

// A writer is one call of Write.
type writer struct {
	*Report
	result scanrun.Result
	begun  map[string]time.Time // the last sweep of each target
	// leftOut and others count the repositories of each target: those that its filter leaves
	// out, and those that it does not.
	leftOut, others map[string]int
	now             time.Time
}

func (w *writer) write(ctx context.Context) error {
	targets, err := w.Store.Targets(ctx)
	if err != nil {
		return err
	}
	w.now = w.Store.Now()
	w.begun, w.result.Summary.Unread = map[string]time.Time{}, []finding.Unread{} // not null in JSON
	var names []string
	started, ended := time.Time{}, time.Time{}
	for _, t := range targets {
		if w.Target != "" && w.Target != t.Name {
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
			w.unread(t.Name, "it has not been swept yet")
		case t.Ended.IsZero():
			w.unread(t.Name, "the sweep has not finished")
		}
	}
	if err := w.outdated(ctx, names); err != nil {
		return err
	}
	if w.Target != "" && len(names) == 0 {
		return fmt.Errorf("%s: %w", w.Target, sweep.ErrNoTarget)
	}
	return errors.Join(
		w.Handler.Scan(finding.Scan{Version: w.Version, Source: "github", Target: strings.Join(names, " "), Started: started}),
		w.Store.Findings(ctx, w.Target, w.finding),
		w.Store.Repositories(ctx, w.Target, w.repository),
		w.end(started, ended))
}

// outdated notes the targets with repositories that another detector than the latest has
// read.
func (w *writer) outdated(ctx context.Context, names []string) error {
	counts, err := w.Store.Outdated(ctx)
	for _, name := range names {
		if n := counts[name]; n > 0 {
			w.unread(name, fmt.Sprintf("%s of its repositories were read with %s, and have not been read again", printable.Thousands(n), sweep.OtherDetector))
		}
	}
	return err
}

// allLeftOut notes the targets whose filters leave nothing: a mistyped pattern must not look
// clean.
func (w *writer) allLeftOut() {
	for _, name := range slices.Sorted(maps.Keys(w.leftOut)) {
		if w.others[name] == 0 {
			w.unread(name, fmt.Sprintf("its filters leave nothing to sweep, of %s: \"stanch sweep add\" changes them", printable.Plural(w.leftOut[name], "repository")))
		}
	}
}

func (w *writer) unread(what, why string) {
	w.result.Summary.Unread = append(w.result.Summary.Unread, finding.Unread{What: what, Why: why})
}

func (w *writer) end(started, ended time.Time) error {
	w.allLeftOut()
	w.result.Summary.ElapsedMS = max(0, ended.Sub(started).Milliseconds())
	return w.Handler.Summary(w.result.Summary)
}

// finding writes a finding.
func (w *writer) finding(f finding.Finding) error {
	h := f.History
	if h.AcknowledgedBy != "" && (h.AcknowledgedUntil.IsZero() || h.AcknowledgedUntil.After(time.Now())) {
		acknowledged(&f)
	}
	w.result.Summary.Count(&f)
	w.result.Count(&f, w.levelOf(&f))
	return w.Handler.Finding(f)
}

// levelOf returns the level by which f counts.
func (w *writer) levelOf(f *finding.Finding) scanrun.FailOn {
	switch {
	case w.FailOn != scanrun.FailOnNew:
		return w.FailOn
	case f.History.New:
		return scanrun.FailOnAny
	}
	return scanrun.FailOnNever
}

// acknowledged marks a finding that people have given a status as ignored. A live one it
// marks as overruled: it counts all the same.
func acknowledged(f *finding.Finding) {
	status := cmp.Or(f.History.Status, "acknowledged") // earlier reports know only that one
	why := strings.ReplaceAll(status, "-", " ") + " by " + f.History.AcknowledgedBy
	if f.History.Status == "false-alarm" {
		why = "false alarm, says " + f.History.AcknowledgedBy
	}
	if until := f.History.AcknowledgedUntil; !until.IsZero() {
		why += " until " + until.Format(time.DateOnly)
	}
	if f.Verdict.State == verifier.Live {
		f.Overruled = why
	} else {
		f.Ignored = cmp.Or(f.Ignored, why)
	}
}

// repository writes the outcome of the last sweep for a repository.
func (w *writer) repository(r sweep.Repository) error {
	record := finding.Repository{
		Name: r.Name, URL: r.WebURL, State: r.State, Why: r.Why, At: r.At, ForkOf: r.Parent,
		Archived: r.Archived, Private: r.Private,
	}
	if r.At.Before(w.begun[r.Target]) && (r.State == sweep.Swept || r.State == sweep.Unchanged) {
		record.State = sweep.Unchanged // GitHub listed no push, and so it was not looked at
	} else {
		record.Objects, record.Fetched = r.Objects, r.Fetched
		w.result.Summary.Objects += r.Objects
		w.result.Summary.Bytes += r.Fetched
	}
	switch r.State {
	case sweep.Gone: // it is not listed
	case sweep.Skipped:
		w.leftOut[r.Target]++
	default:
		w.others[r.Target]++
	}
	switch r.State {
	case sweep.New:
		record.State, record.Why = sweep.Waiting, cmp.Or(r.Why, "for its turn")
	case sweep.Gone:
		record.State = sweep.Skipped
	case sweep.Failed, sweep.Incomplete:
		record.State = sweep.Failed
		if r.IsAccepted(w.now) {
			record.Why = strings.TrimPrefix(r.Why+"; ", "; ") + r.Accepted.String()
		} else {
			w.unread(r.WebURL, r.Why)
		}
	}
	if record.State == sweep.Waiting {
		w.unread(r.WebURL, "it waits "+record.Why)
	}
	return w.Handler.Repository(record)
}
