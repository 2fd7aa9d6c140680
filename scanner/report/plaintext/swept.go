package plaintext

import (
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
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
	if h.AcknowledgedBy != "" {
		who := "acknowledged by " + printable.Quoted(h.AcknowledgedBy)
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

// repositories writes the repositories that could not be read, and the number of
// repositories by outcome.
func (t *handler) repositories() {
	counts := t.swept.Counts()
	if counts == "" {
		return
	}
	for _, r := range t.swept.Failed {
		t.out.put(warn, "FAILED")
		t.out.put(plain, "  "+printable.Quoted(r.Name))
		if r.Why != "" {
			t.out.put(plain, ": "+printable.Quoted(r.Why))
		}
		t.out.nl()
	}
	t.out.put(plain, "repositories: "+counts)
	t.out.nl()
	t.out.nl()
}
