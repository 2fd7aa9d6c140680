package response

import (
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// A Leak is a finding that the operator wants shut off.
type Leak struct {
	Fingerprint string
	Rule        string
	// Credential may lack its secret, as saved reports do. Then what the finding
	// says of its state has to do, as long as it is fresh.
	Credential detectors.Credential
	Verdict    verifier.Verdict
	Where      string // one place, for the record
	Places     []Place
}

// A Place is where a leak stands.
type Place struct {
	Repo   string    `json:"repo,omitempty"`
	Path   string    `json:"path,omitempty"`
	Line   int       `json:"line,omitempty"`
	Commit string    `json:"commit,omitempty"`
	Time   time.Time `json:"time,omitzero"` // of the commit
	AtHead bool      `json:"at_head,omitempty"`
	Refs   []string  `json:"refs,omitempty"`
}

// String says where, in a line.
func (p Place) String() string {
	s := strings.TrimSpace(p.Repo + " " + p.Path)
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
		s += map[bool]string{true: ", in ", false: " "}[i == 0] + strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
	}
	return s
}
