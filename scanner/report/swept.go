package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// swept is how the repositories of a sweep went.
type swept struct {
	byState map[string]int
	failed  []finding.Repository // in the order of the stream
}

func (s *swept) add(r finding.Repository) {
	if s.byState == nil {
		s.byState = map[string]int{}
	}
	s.byState[r.State]++
	if r.State == finding.RepositoryFailed {
		s.failed = append(s.failed, r)
	}
}

// others returns those of list that are not about a failed repository, which is named
// already: a sweep counts it among what was not read as well.
func (s *swept) others(list []finding.Unread) []finding.Unread {
	failed := map[string]bool{}
	for _, r := range s.failed {
		failed[r.Name], failed[r.URL] = true, true
	}
	return slices.DeleteFunc(slices.Clone(list), func(u finding.Unread) bool { return failed[u.What] })
}

// counts says "12 swept, 30 unchanged, 1 failed", or nothing of no repository.
func (s *swept) counts() string {
	var parts []string
	for _, state := range []string{finding.RepositorySwept, finding.RepositoryUnchanged, finding.RepositoryFailed, finding.RepositoryWaiting, finding.RepositorySkipped} {
		if n := s.byState[state]; n > 0 {
			parts = append(parts, thousands(int64(n))+" "+state)
		}
	}
	return strings.Join(parts, ", ")
}

// isNew reports whether f was first seen in the sweep that began at started.
func isNew(f *finding.Finding, started time.Time) bool {
	return f.History != nil && !started.IsZero() && !f.History.FirstSeen.Before(started)
}

// newFirst puts what is new in a sweep in front and keeps the order otherwise; what
// is ignored stays behind.
func newFirst(fs []finding.Finding, started time.Time) {
	rank := func(f *finding.Finding) int {
		switch {
		case f.Ignored != "":
			return 2
		case isNew(f, started):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(fs, func(a, b finding.Finding) int { return cmp.Compare(rank(&a), rank(&b)) })
}

// seen says in a line what earlier sweeps know of a finding.
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
	at("at no HEAD since ", h.GoneSince)
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

// repositories writes those that could not be read, and how many went how.
func (t *text) repositories() {
	counts := t.swept.counts()
	if counts == "" {
		return
	}
	for _, r := range t.swept.failed {
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
