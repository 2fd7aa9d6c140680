package wording

import (
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
)

// maxCandidates is how many candidates Candidates names.
const maxCandidates = 3

// Candidates tells how many other secrets may belong to the key of f, and where the first of
// them stand: "2 more candidate secrets: a.env:3, b.env:9". It is "" if there are none, or
// if they make no difference: the secret of f is proved, or its key is dead.
func Candidates(f *finding.Finding) string {
	n := len(f.Candidates) + f.CandidatesOmitted
	switch f.Verdict.State {
	case verifier.Live, verifier.Invalid, verifier.Expired:
		return ""
	}
	if n == 0 {
		return ""
	}
	what := "more candidate secret"
	if f.SecretSHA256() == "" {
		what = "candidate secret"
	}
	var where []string
	for i := range f.Candidates[:min(len(f.Candidates), maxCandidates)] {
		where = append(where, CandidateAt(f, &f.Candidates[i]))
	}
	s := printable.Plural(n, what) + ": " + strings.Join(where, ", ")
	if n > maxCandidates {
		s += " …"
	}
	return s
}

// CandidateAt names the first place of c, a candidate of f, by the line of the secret.
func CandidateAt(f *finding.Finding, c *finding.Candidate) string {
	if len(c.Locations) == 0 {
		return "at an unknown place"
	}
	l := &c.Locations[0]
	line := l.Line
	if l.SecretLine > 0 {
		line = l.SecretLine
	}
	s := Where(l)
	if len(f.Locations) > 0 && l.Repo != f.Locations[0].Repo {
		s = printable.Quoted(l.Repo) + " " + s
	}
	if line > 0 {
		s += fmt.Sprintf(":%d", line)
	}
	if l.Commit != "" && !l.AtHead {
		s += " in commit " + printable.Quoted(ShortID(l.Commit))
	}
	return s
}
