package scanner

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// A Finding is one leaked credential with every place it was found in. Each
// stage of a scan fills its own fields and reads only those above; Verify also
// sets Ignored, for candidates that turn out not to be the secret of their id.
type Finding struct {
	// Match is the credential; its spans are those of the first occurrence.
	Match detectors.Match
	// Others are secret parts that stood with the credential and are not its
	// own. They are kept so that reports can be rid of them.
	Others []detectors.Secret
	// Locations are sorted: at HEAD first, then oldest first. Omitted is how
	// many more there are than a report can hold.
	Locations []Location
	Omitted   int
	// Ignored is why the finding is suppressed, or "". Overruled is why it would be
	// if it were not live.
	Ignored, Overruled string
	Verdict            verifier.Verdict
	// allowed is what the rules of the user say; it becomes one of these two.
	allowed string
	// joined is set if the parts are from several texts (across.go).
	joined *joined
}

// A Location is one place of a credential.
type Location struct {
	Blob BlobID
	Provenance
	// Line and columns are 1-based; columns count Unicode code points and
	// EndColumn is the one after the last. SecretLine is 0 if there is no
	// secret.
	Line, Column, EndColumn, SecretLine int
	// Part is the only part of a credential with an id that stands here, "" if the
	// id does. Line and columns are then those of the part.
	Part string
	// Ignored is why this place does not count, or "". A finding is suppressed if none
	// counts.
	Ignored string
	// Around is the text around the place, nil if there is none to read.
	Around *Around
	at     func(path, commit string) bool // detectors.Match.At
}

// Around is where a comment on a credential may stand. Of a long line it holds what
// is next to the credential.
type Around struct {
	// Before is the line before Line; Line holds the match, and SecretLine the secret if that is
	// on another.
	Before, Line, SecretLine detectors.Secret
}

// The parts that stand in texts without their id.
const (
	PartSecret = "secret"
	PartToken  = "token"
)

// Fingerprint identifies the credential of f: its rule, its id and its secret,
// never a commit, a path or a line. It survives rebases, renames and moved
// lines, and a second secret on an ignored line is a new finding.
func (f *Finding) Fingerprint() string {
	c := f.Match.Credential
	h := sha256.Sum256([]byte("stanch:v1:" + f.Match.Rule.ID + "\x00" + c.ID + "\x00" + c.Secret.Reveal()))
	return hex.EncodeToString(h[:16])
}

// Over reports whether the credential says of itself that it has ended at now.
func (f *Finding) Over(now time.Time) bool {
	return !f.Match.Expires.IsZero() && f.Match.Expires.Before(now)
}

// Note adds what is known of the credential, once.
func (f *Finding) Note(fact detectors.Fact) {
	if !slices.Contains(f.Match.Facts, fact) {
		f.Match.Facts = append(slices.Clip(f.Match.Facts), fact) // others may share it
	}
}

// A Sink receives the results of a scan, one call at a time: each finding, then
// Close once.
type Sink interface {
	// Finding must not retain f.
	Finding(f *Finding) error
	Close(Summary) error
}

// A Summary closes a scan.
type Summary struct {
	// Findings counts those that are not ignored; Live and Unknown count
	// among them by state.
	Findings, Ignored, Live, Unknown int
	// Objects and Bytes count what was read.
	Objects, Bytes int64
	// Unread lists what exists and could not be read. A scan with unread parts
	// is incomplete, never clean. Accepted lists those that the user knows of.
	Unread   []Unread
	Accepted []Unread
	// Stopped says that the scan ended early: it was cancelled, or its source could
	// not go on.
	Stopped bool
	Elapsed time.Duration
}

// Unread is something that a scan could not read.
type Unread struct {
	What string `json:"what"`
	Why  string `json:"why"`
	// Blob is the text that it is or is in, "" if it is none.
	Blob BlobID `json:"blob,omitempty"`
	// Accepted is why it does not make the scan incomplete, or "".
	Accepted string `json:"accepted,omitempty"`
}
