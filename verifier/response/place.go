package response

import (
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// A Place is a location of a finding in the JSON of a plan. That JSON is a contract of its
// own, with fewer fields than the JSON of a finding.Location.
type Place struct {
	Repo   string    `json:"repo,omitempty"`
	Path   string    `json:"path,omitempty"`
	Line   int       `json:"line,omitempty"`
	Commit string    `json:"commit,omitempty"`
	Time   time.Time `json:"time,omitzero"` // of the commit
	AtHead bool      `json:"at_head,omitempty"`
	Refs   []string  `json:"refs,omitempty"`
}

// PlaceOf returns l as a plan has it.
func PlaceOf(l *finding.Location) Place {
	return Place{Repo: l.Repo, Path: l.Path, Line: l.Line, Commit: l.Commit, Time: l.Time, AtHead: l.AtHead, Refs: l.Refs}
}

// String returns the place in a line, also if its path has line ends.
func (p Place) String() string {
	s := strings.TrimSpace(printable.Quoted(p.Repo) + " " + printable.Quoted(p.Path))
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
	}
	if p.Commit == "" {
		return s
	}
	s += " commit " + p.Commit[:min(10, len(p.Commit))]
	if p.AtHead {
		s += ", still at HEAD"
	} else {
		s += ", only in history"
	}
	for i, ref := range p.Refs {
		before := ", "
		switch {
		case i == 0:
			before = ", on "
		case i == len(p.Refs)-1:
			before = " and "
		}
		for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/remotes/"} {
			ref = strings.TrimPrefix(ref, prefix)
		}
		s += before + printable.Quoted(ref)
	}
	return s
}
