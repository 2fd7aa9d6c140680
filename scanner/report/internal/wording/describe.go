// Package wording describes a finding in words: its urgency, its owner, its places, the age
// of AWS's answer, the steps to take. All formats share it, so that a leak is
// described alike on a terminal, in a pull request and on a page.
package wording

import (
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// Doubt returns the reason why f may not be a real finding, or "".
func Doubt(f *finding.Finding) string {
	var s []string
	if f.Match.Confidence != "high" && f.Match.Confidence != "" {
		s = append(s, printable.Quoted(string(f.Match.Confidence))+" confidence")
	}
	if f.Match.Grade != "strong" && f.Match.Grade != "" {
		s = append(s, printable.Quoted(f.Match.Grade)+" id")
	}
	if f.Match.Rank > 0 {
		s = append(s, "the secret may belong to another id")
	}
	if len(s) == 0 {
		return ""
	}
	return " (" + strings.Join(s, ", ") + ")"
}

// Owner describes the owner, in a line or two.
func Owner(f *finding.Finding) []string {
	var parts, lines []string
	if f.Verdict.Identity.Account != "" {
		parts = append(parts, "account "+printable.Quoted(f.Verdict.Identity.Account))
	}
	if who := strings.TrimSpace(f.Verdict.Identity.Kind + " " + f.Verdict.Identity.Name); who != "" {
		parts = append(parts, printable.Quoted(who))
	}
	if len(parts) > 0 {
		lines = append(lines, strings.Join(parts, ", "))
	}
	if f.Verdict.Identity.ARN != "" {
		lines = append(lines, printable.Quoted(f.Verdict.Identity.ARN))
	}
	return lines
}

// Headline tells in one line the state of f, its id, its owner, and why and since when that is
// known.
func Headline(f *finding.Finding, age *Age) string {
	s := Word(f)
	if f.Match.Credential.ID != "" {
		s += " " + printable.Quoted(f.Match.Credential.ID)
	}
	parts := append([]string{s + Doubt(f)}, Owner(f)...)
	if f.Verdict.Reason != "" {
		parts = append(parts, printable.Quoted(f.Verdict.Reason))
	}
	parts = append(parts, NonEmpty(age.Describe(f))...)
	parts = append(parts, NonEmpty(Candidates(f))...)
	return strings.Join(parts, "; ")
}

// Steps returns the steps to take about f as lines, and each command as a line of its own.
func Steps(f *finding.Finding) (lines []string) {
	for _, step := range Advice(f) {
		step, cmd, _ := strings.Cut(step, "\n")
		if lines = append(lines, step); cmd != "" {
			lines = append(lines, "  "+cmd)
		}
	}
	return lines
}

// Sentence ends s with a full stop.
func Sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// NonEmpty returns a list of s, empty if s is.
func NonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
