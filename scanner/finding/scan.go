package finding

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier"
)

// A Handler writes one format. It is called by NewSink's sink and by Replay,
// one call at a time: Scan, each Finding and Repository, Summary, each record after
// the other. It may retain its arguments, and need not write before Summary. A
// format that has no use for Repositories ignores them.
type Handler interface {
	Scan(Scan) error
	Finding(Finding) error
	Repository(Repository) error
	Summary(Summary) error
}

// Scan opens a stream: the target of the scan, and the version of stanch.
type Scan struct {
	Version string    `json:"version"`
	Source  string    `json:"source"` // git, dir, github …
	Target  string    `json:"target"`
	Started time.Time `json:"started,omitzero"`
}

// Anonymous reports whether the target does not tell this scan from others: "." is another
// folder for each of them.
func (s *Scan) Anonymous() bool { return s.Source == "stdin" || strings.Trim(s.Target, "./") == "" }

// names reports whether path begins with the target, and so says where it is.
func (s *Scan) names(path string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(s.Target, "/"))
	return ok && !s.Anonymous() && (rest == "" || rest[0] == '/')
}

// The values of Repository.State.
const (
	RepositorySwept     = "swept"     // read, as far as it was new
	RepositoryUnchanged = "unchanged" // nothing in it was new
	RepositoryFailed    = "failed"    // could not be read, or not to the end
	RepositoryWaiting   = "waiting"   // not yet looked at, or told to come back later
	RepositorySkipped   = "skipped"   // left out, as it was asked for
)

// Repository is the outcome for one repository of a sweep, or of a scan of several.
type Repository struct {
	Name     string    `json:"name"` // owner/name
	URL      string    `json:"url,omitempty"`
	State    string    `json:"state"`
	Why      string    `json:"why,omitempty"` // of failed, waiting and skipped
	At       time.Time `json:"at,omitzero"`   // when it was last looked at
	ForkOf   string    `json:"fork_of,omitempty"`
	Archived bool      `json:"archived,omitempty"`
	Private  bool      `json:"private,omitempty"`
	Objects  int64     `json:"objects,omitempty"` // that were read this time
	Fetched  int64     `json:"fetched,omitempty"` // bytes
}

// History is the fate of a finding from sweep to sweep. Each time is when a sweep noticed
// the event. Zero means that it did not happen, or is not known.
type History struct {
	FirstSeen time.Time `json:"first_seen,omitzero"`
	LastSeen  time.Time `json:"last_seen,omitzero"`
	GoneSince time.Time `json:"gone_since,omitzero"` // from the HEAD of every repository
	DeadSince time.Time `json:"dead_since,omitzero"` // it was live, and is not any more
	// New says that no place of it was known before the last sweep of that place's target began.
	New bool `json:"new,omitempty"`
	// Status is the outcome of people's work on the finding: "acknowledged", "false-alarm",
	// "shut-off", "fixed", or "" while it is open. Owner is the person or team who works on it.
	Status string `json:"status,omitempty"`
	Owner  string `json:"owner,omitempty"`
	// AcknowledgedBy is the person who gave it that status, until AcknowledgedUntil, or for
	// good if that is zero. Note is a comment of theirs.
	AcknowledgedBy    string    `json:"acknowledged_by,omitempty"`
	AcknowledgedUntil time.Time `json:"acknowledged_until,omitzero"`
	Note              string    `json:"note,omitempty"`
}

// Summary closes a stream. A stream without one comes from an interrupted scan.
type Summary struct {
	// Findings counts those that are not ignored; Live and Unknown count among
	// them by state, and MayBeLive those for which Finding.MayBeLive is true.
	Findings  int   `json:"findings"`
	Ignored   int   `json:"ignored"`
	Live      int   `json:"live"`
	Unknown   int   `json:"unknown"`
	MayBeLive int   `json:"may_be_live"`
	Objects   int64 `json:"objects"`
	Bytes     int64 `json:"bytes"`
	// Unread lists texts that exist and could not be read: the scan is incomplete,
	// not clean.
	Unread []Unread `json:"unread"`
	// Accepted lists the texts that could not be read either, but that the user has
	// accepted.
	Accepted []Unread `json:"accepted,omitempty"`
	// Stopped says that the scan ended early: it was cancelled, or its source could
	// not go on.
	Stopped   bool  `json:"stopped,omitempty"`
	ElapsedMS int64 `json:"elapsed_ms"`
	// Repositories are the outcomes of a scan of several repositories, for the sink of
	// NewSink, which makes a record of each. It is nil in a report.
	Repositories []Repository `json:"-"`
	// Again is how the report was verified again; nil if it was not.
	Again *Again `json:"verified_again,omitempty"`
}

// Count counts f.
func (s *Summary) Count(f *Finding) {
	if f.Ignored != "" {
		s.Ignored++
		return
	}
	s.Findings++
	if f.MayBeLive() {
		s.MayBeLive++
	}
	switch f.Verdict.State {
	case verifier.Live:
		s.Live++
	case verifier.Unknown:
		s.Unknown++
	}
}

// Again counts the keys of a saved report that AWS was to be asked about again.
type Again struct {
	Asked int `json:"asked"` // and has answered
	Of    int `json:"of"`
}

// Unread is a text that a scan could not read.
type Unread struct {
	What string `json:"what"`
	Why  string `json:"why"`
	// Blob is the id of the text, or of the text that holds it; "" if there is none.
	Blob BlobID `json:"blob,omitempty"`
	// Accepted is why it does not make the scan incomplete, or "".
	Accepted string `json:"accepted,omitempty"`
}

// Why returns why a part was not read, for people: err, or that the scan was interrupted.
func Why(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}
