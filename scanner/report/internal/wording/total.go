package wording

import (
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// A Total counts findings for the last line of a report, which people read first.
type Total struct {
	Swept   Swept
	Ignored int // of the findings
	// The others, by urgency: those whose state is current, and those that have another since.
	now, before [Urgencies]int
}

// Add counts f.
func (t *Total) Add(f *finding.Finding) {
	switch u := UrgencyOf(f); {
	case f.Ignored != "":
		t.Ignored++
	case Word(f) == u.String():
		t.now[u]++
	default:
		t.before[u]++
	}
}

// Count returns how many findings that are not ignored were added.
func (t *Total) Count() (n int) {
	for u := range Urgencies {
		n += t.now[u] + t.before[u]
	}
	return n
}

// Verdict says in a line how many leaks there are of each urgency.
func (t *Total) Verdict(incomplete bool) string {
	var parts []string
	leaks := t.Count()
	for u := range Urgencies {
		if n := t.now[u]; n > 0 {
			parts = append(parts, printable.Thousands(int64(n))+" "+names[u].count)
		}
		if n := t.before[u]; n > 0 {
			parts = append(parts, printable.Thousands(int64(n))+" "+names[u].count+" when last asked")
		}
	}
	switch {
	case leaks == 0 && incomplete:
		return "no leaked credentials found in what could be read"
	case leaks == 0:
		return "no leaked credentials found"
	}
	return printable.Plural(leaks, "leaked credential") + ": " + strings.Join(parts, ", ")
}

// Rest goes on after Verdict: how many findings do not count, and how much was read.
func (t *Total) Rest(s *finding.Summary) string {
	rest := ""
	if t.Ignored > 0 {
		rest += fmt.Sprintf(" · %s ignored", printable.Thousands(int64(t.Ignored)))
	}
	if n := len(s.Accepted); n > 0 {
		rest += fmt.Sprintf(" · %s not read and accepted", printable.Thousands(int64(n)))
	}
	if n := len(s.Unread); n > 0 {
		rest += fmt.Sprintf(" · %s not read", printable.Thousands(int64(n)))
	}
	if read := t.Swept.Read(); read != "" {
		rest += " · " + read
	}
	return rest + fmt.Sprintf(" · %s object%s, %s read in %s", printable.Thousands(s.Objects), Ending(s.Objects), Size(s.Bytes), Elapsed(s.ElapsedMS))
}

// Verdict says in a line how many leaks there are of each urgency. findings must not hold
// ignored ones.
func Verdict(findings []finding.Finding, incomplete bool) string {
	t := Total{}
	for i := range findings {
		t.Add(&findings[i])
	}
	return t.Verdict(incomplete)
}
