package plaintext

import (
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// seen describes the history of a finding in one line.
func seen(h *finding.History) string {
	if h == nil {
		return ""
	}
	var parts []string
	at := func(what string, t time.Time) {
		if !t.IsZero() {
			parts = append(parts, what+t.Format(time.DateOnly))
		}
	}
	at("first ", h.FirstSeen)
	at("last ", h.LastSeen)
	at("not at HEAD since ", h.GoneSince)
	at("dead since ", h.DeadSince)
	if h.Owner != "" {
		parts = append(parts, "owner "+printable.Quoted(h.Owner))
	}
	if h.AcknowledgedBy != "" {
		who := wording.Status(h) + " by " + printable.Quoted(h.AcknowledgedBy)
		if !h.AcknowledgedUntil.IsZero() {
			who += " until " + h.AcknowledgedUntil.Format(time.DateOnly)
		}
		if h.Note != "" {
			who += " (" + printable.Quoted(h.Note) + ")"
		}
		parts = append(parts, who)
	}
	return strings.Join(parts, ", ")
}

// repositories writes the repositories that could not be read, with Verbose those that are
// left out, and of a sweep how many there are by outcome.
func (t *handler) repositories() {
	counts := t.total.Swept.Counts()
	if counts == "" {
		return
	}
	list := func(word string, st style, of []finding.Repository) bool {
		for _, r := range of {
			t.out.put(st, word)
			t.out.put(plain, "  "+printable.Quoted(r.Name))
			if r.Why != "" {
				t.out.put(plain, ": "+printable.Quoted(r.Why))
			}
			t.out.nl()
		}
		return len(of) > 0
	}
	listed := list("FAILED", warn, t.total.Swept.Failed)
	if t.o.Verbose {
		listed = list("LEFT OUT", note, t.total.Swept.Left) || listed
	}
	if t.total.Swept.Read() == "" { // the last line does not say it
		t.out.put(plain, "repositories: "+counts)
		t.out.nl()
		listed = true
	}
	if listed {
		t.out.nl()
	}
}
