package report

import (
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
)

// fresh is how old an answer may be when a report is read and still be told as one of
// now: somebody has just scanned, and reads the report.
const fresh = time.Minute

// An age says how old the answers are that states rest on. An answer that AWS gave during
// the scan needs no word, until the report itself is old.
type age struct {
	began, ended time.Time // the scan
	now          time.Time // zero: nobody knows when the report is read
	again        string    // how AWS is asked anew, "" if that is not to be said
	ago          bool      // "12 min ago", of a report that is read at once
}

func newAge(scan finding.Scan, sum finding.Summary, o Options) age {
	a := age{began: scan.Started, ended: scan.Started.Add(time.Duration(sum.ElapsedMS) * time.Millisecond), again: o.Again}
	if o.Now != nil {
		a.now = o.Now().UTC()
	}
	return a
}

// of says how old the answer about f is, or "".
func (a *age) of(f *finding.Finding) string {
	at := f.Verdict.At.UTC()
	switch {
	case f.Stale != "":
		return printable.Quoted(f.Stale) + a.was(f)
	case at.IsZero() && was(f.Verdict.State) != "":
		return "the report does not say when AWS was asked"
	case at.IsZero():
		return ""
	case !a.now.IsZero() && at.After(a.now.Add(fresh)):
		return "asked at " + moment(at) + ", a time that is still to come: one of two clocks is wrong"
	case !at.Before(a.began) && (a.now.IsZero() || a.now.Sub(later(at, a.ended)) <= fresh):
		return ""
	}
	s := "asked at " + moment(at)
	if a.ago && !a.now.IsZero() {
		s = "asked " + ago(a.now.Sub(at)) + " ago"
	}
	if s += ", not again"; a.again != "" {
		s += ": " + a.again
	}
	return s
}

// was tells the last answer, and its time, if that is not one of now.
func (a *age) was(f *finding.Finding) string {
	state, at := was(f.Verdict.State), f.Verdict.At.UTC()
	switch {
	case state == "":
		return ""
	case at.IsZero():
		return "; " + state + " at a time that the report does not say"
	case !a.now.IsZero() && at.After(a.now.Add(fresh)):
		return "; " + state + " at " + moment(at) + ", a time that is still to come: one of two clocks is wrong"
	case a.ago && at.Truncate(24*time.Hour).Equal(a.now.Truncate(24*time.Hour)):
		return "; " + state + " at " + at.Format("15:04 UTC")
	}
	return "; " + state + " at " + moment(at)
}

// was returns the words for a state that AWS has told and that may have changed since, ""
// for others.
func was(s verifier.State) string {
	switch s {
	case verifier.Live:
		return "was live"
	case verifier.IDActive:
		return "the id was live"
	case verifier.Invalid:
		return "was invalid"
	}
	return ""
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ago writes how long something is past, as exactly as people care.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return plural(int(d.Hours()/24), "day")
}
