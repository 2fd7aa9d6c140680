package wording

import (
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
)

// fresh is the age up to which an answer counts as current: a reader who has just scanned
// need not hear how old it is.
const fresh = time.Minute

// A Reading is when and how a report is read.
type Reading struct {
	// Now returns the time of reading; nil says that the report is kept, and read later.
	Now func() time.Time
	// RefreshWith is the flag or the command that asks AWS again, "" to leave it out.
	RefreshWith string
	// Ago writes "12 min ago", for a report that is read at once.
	Ago bool
}

// An Age says how old the answers behind the states are. An answer that AWS gave during the
// scan needs no word, until the report itself is old.
type Age struct {
	began, ended time.Time // the scan
	now          time.Time // zero: nobody knows when the report is read
	reading      Reading
}

// NewAge returns the Age of the answers in the report of a scan.
func NewAge(scan finding.Scan, sum finding.Summary, r Reading) Age {
	a := Age{began: scan.Started, ended: scan.Started.Add(time.Duration(sum.ElapsedMS) * time.Millisecond), reading: r}
	if r.Now != nil {
		a.now = r.Now().UTC()
	}
	return a
}

// Describe says how old the answer about f is, or "".
func (a *Age) Describe(f *finding.Finding) string {
	at := f.Verdict.At.UTC()
	switch {
	case f.Stale != "":
		return printable.Quoted(f.Stale) + a.was(f)
	case at.IsZero() && was(f.Verdict.State) != "":
		return "the report does not say when AWS was asked"
	case at.IsZero():
		return ""
	case !a.now.IsZero() && at.After(a.now.Add(fresh)):
		return "asked at " + Moment(at) + ", which is in the future: one of the two clocks is wrong"
	case !at.Before(a.began) && (a.now.IsZero() || a.now.Sub(later(at, a.ended)) <= fresh):
		return ""
	}
	s := "asked at " + Moment(at)
	if a.reading.Ago && !a.now.IsZero() {
		s = "asked " + ago(a.now.Sub(at)) + " ago"
	}
	if s += ", not again"; a.reading.RefreshWith != "" {
		s += ": " + a.reading.RefreshWith
	}
	return s
}

// was names the last answer and its time, if the answer is not current.
func (a *Age) was(f *finding.Finding) string {
	state, at := was(f.Verdict.State), f.Verdict.At.UTC()
	switch {
	case state == "":
		return ""
	case at.IsZero():
		return "; " + state + ", but the report does not say when"
	case !a.now.IsZero() && at.After(a.now.Add(fresh)):
		return "; " + state + " at " + Moment(at) + ", which is in the future: one of the two clocks is wrong"
	case a.reading.Ago && at.Truncate(24*time.Hour).Equal(a.now.Truncate(24*time.Hour)):
		return "; " + state + " at " + at.Format("15:04 UTC")
	}
	return "; " + state + " at " + Moment(at)
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

// Moment writes a time to the minute.
func Moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ago writes how long ago something was, as exactly as people care.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return printable.Plural(int(d.Hours()/24), "day")
}
