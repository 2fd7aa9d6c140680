package wording

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// Swept counts the repositories of a sweep by outcome.
type Swept struct {
	byState map[string]int
	Failed  []finding.Repository // in the order of the stream
}

// Add counts r.
func (s *Swept) Add(r finding.Repository) {
	if s.byState == nil {
		s.byState = map[string]int{}
	}
	s.byState[r.State]++
	if r.State == finding.RepositoryFailed {
		s.Failed = append(s.Failed, r)
	}
}

// Others returns list without the failed repositories: reports name those already, and a
// sweep counts them among the unread parts as well.
func (s *Swept) Others(list []finding.Unread) []finding.Unread {
	failed := map[string]bool{}
	for _, r := range s.Failed {
		failed[r.Name], failed[r.URL] = true, true
	}
	return slices.DeleteFunc(slices.Clone(list), func(u finding.Unread) bool { return failed[u.What] })
}

// Counts says "12 swept, 30 unchanged, 1 failed", or "" if there are no repositories.
func (s *Swept) Counts() string {
	var parts []string
	for _, state := range []string{finding.RepositorySwept, finding.RepositoryUnchanged, finding.RepositoryFailed, finding.RepositoryWaiting, finding.RepositorySkipped} {
		if n := s.byState[state]; n > 0 {
			parts = append(parts, Thousands(int64(n))+" "+state)
		}
	}
	return strings.Join(parts, ", ")
}

// IsNew reports whether f was first seen in the sweep that began at started.
func IsNew(f *finding.Finding, started time.Time) bool {
	return f.History != nil && !started.IsZero() && !f.History.FirstSeen.Before(started)
}

// NewFirst puts findings that are new in a sweep in front, and ignored ones last. It keeps
// the order otherwise.
func NewFirst(fs []finding.Finding, started time.Time) {
	rank := func(f *finding.Finding) int {
		switch {
		case f.Ignored != "":
			return 2
		case IsNew(f, started):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(fs, func(a, b finding.Finding) int { return cmp.Compare(rank(&a), rank(&b)) })
}
