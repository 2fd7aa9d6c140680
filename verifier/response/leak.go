package response

import (
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// A Place is a finding.Location with the JSON of a plan, which has fewer of its fields.
// Go converts one into the other as long as the fields are the same.
type Place struct {
	Kind        finding.Kind    `json:"-"`
	Repo        string          `json:"repo,omitempty"`
	Path        string          `json:"path,omitempty"`
	Part        string          `json:"-"`
	Line        int             `json:"line,omitempty"`
	Column      int             `json:"-"`
	EndColumn   int             `json:"-"`
	SecretLine  int             `json:"-"`
	Commit      string          `json:"commit,omitempty"`
	Author      string          `json:"-"`
	Email       string          `json:"-"`
	Time        time.Time       `json:"time,omitzero"` // of the commit
	AtHead      bool            `json:"at_head,omitempty"`
	Refs        []string        `json:"refs,omitempty"`
	MoreRefs    int             `json:"-"`
	Unreachable string          `json:"-"`
	Blob        finding.BlobID  `json:"-"`
	Ignored     string          `json:"-"`
	Around      *finding.Around `json:"-"`
}

// String returns the place in a line.
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
