package wording

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// Swept counts the repositories of a sweep, or of one scan of several, by outcome.
type Swept struct {
	byState map[string]int
	whyLeft map[string]int       // of those that are left out
	again   bool                 // some have a time: it is a sweep
	Failed  []finding.Repository // in the order of the stream
	Left    []finding.Repository // that a filter leaves out
}

// Add counts r.
func (s *Swept) Add(r finding.Repository) {
	if s.byState == nil {
		s.byState, s.whyLeft = map[string]int{}, map[string]int{}
	}
	s.byState[r.State]++
	s.again = s.again || !r.At.IsZero()
	switch r.State {
	case finding.RepositoryFailed:
		s.Failed = append(s.Failed, r)
	case finding.RepositorySkipped:
		s.Left = append(s.Left, r)
		s.whyLeft[r.Why]++
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
			parts = append(parts, printable.Thousands(int64(n))+" "+state)
		}
	}
	return strings.Join(parts, ", ")
}

// Read says of a scan of several repositories "in 3 repositories (1 failed; 3 left out: 1
// archived, 2 forks)". It is "" for a sweep, whose Counts say more, and if there are none.
func (s *Swept) Read() string {
	if len(s.byState) == 0 || s.again {
		return ""
	}
	read := "in " + printable.Plural(s.byState[finding.RepositorySwept], "repository")
	var parts []string
	for _, other := range []struct{ state, word string }{{finding.RepositoryFailed, "failed"}, {finding.RepositoryWaiting, "not reached"}, {finding.RepositorySkipped, "left out"}} {
		if n := s.byState[other.state]; n > 0 {
			parts = append(parts, printable.Thousands(int64(n))+" "+other.word)
		}
	}
	var reasons []string
	for _, why := range slices.Sorted(maps.Keys(s.whyLeft)) {
		if why == "" {
			continue
		}
		reason := printable.Thousands(int64(s.whyLeft[why])) + " " + printable.Quoted(why)
		if why == "fork" {
			reason += Ending(int64(s.whyLeft[why]))
		}
		reasons = append(reasons, reason)
	}
	if len(parts) == 0 {
		return read
	}
	read += " (" + strings.Join(parts, "; ")
	if len(reasons) > 0 {
		read += ": " + strings.Join(reasons, ", ")
	}
	return read + ")"
}

// IsNew reports whether f is new in a sweep.
func IsNew(f *finding.Finding) bool { return f.History != nil && f.History.New }

// NewFirst puts findings that are new in a sweep in front, and ignored ones last. It keeps
// the order otherwise.
func NewFirst(fs []finding.Finding) {
	rank := func(f *finding.Finding) int {
		switch {
		case f.Ignored != "":
			return 2
		case IsNew(f):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(fs, func(a, b finding.Finding) int { return cmp.Compare(rank(&a), rank(&b)) })
}

// Status returns the word for the status that people have given a finding: "acknowledged",
// as all had before there were others, "false alarm", "shut off" or "fixed".
func Status(h *finding.History) string {
	switch h.Status {
	case "false-alarm":
		return "false alarm"
	case "shut-off":
		return "shut off"
	case "fixed":
		return "fixed"
	}
	return "acknowledged"
}
