package scanner

import (
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// A draft is a finding on its way through a scan. Each stage fills its own fields and
// reads only those of the stages before; Verify also sets Ignored, for candidates that turn
// out not to be the secret of their id.
type draft struct {
	finding.Finding
	// occurrences are the places of the credential before Locate. Afterwards they are in
	// Locations.
	occurrences []occurrence
	// allowed is why the rules of the user allow it; it becomes Ignored or Overruled.
	allowed string
	// joined is set if the parts are from several texts (pairing.go).
	joined *joined
	// inFiles has, by path, the directory that names the credential, for paths of files
	// that hold nothing else.
	inFiles map[string]string
	// named is false for a secret that neither a text nor the name of a file calls one.
	named bool
}

// joined has the parts that a finding is joined from; secret and token are nil if they are
// the id's own.
type joined struct {
	id, secret, token *draft
	score             score
	sure              bool // rule 10: nothing else fits as well
	tried             bool // Verify has filled the verdict
}

// An occurrence is a place of a credential in a text that was not yet located: Path holds
// the member of an archive.
type occurrence struct {
	finding.Location
	at     func(path, commit string) bool // detectors.Match.CountsAt
	nameAt func(path string) detectors.FileName
}

// A Sink receives the results of a scan, one call at a time: each finding, then
// Close once.
type Sink interface {
	// Finding must not retain f.
	Finding(f *finding.Finding) error
	Close(finding.Summary) error
}
