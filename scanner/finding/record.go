package finding

import (
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/verifier"
)

// The records are the JSON contract: names and order of the fields are what
// users' programs read. Strings that come from repositories can hold any bytes;
// JSON can not, so that bytes which are not UTF-8 are written as U+FFFD.

// Scan opens a stream: what is scanned, and by which stanch.
type Scan struct {
	Version string    `json:"version"`
	Source  string    `json:"source"` // git, dir, github …
	Target  string    `json:"target"`
	Started time.Time `json:"started,omitzero"`
}

// Finding is one leaked credential with every place it was found in.
type Finding struct {
	Fingerprint string               `json:"fingerprint"`
	Rule        string               `json:"rule"`
	Title       string               `json:"title"`
	Confidence  detectors.Confidence `json:"confidence"`
	Grade       string               `json:"grade,omitempty"`
	// KeyID is absent for kinds of credentials without an id; SecretSHA256 if
	// no secret was found for the id.
	KeyID        string `json:"key_id,omitempty"`
	SecretSHA256 string `json:"secret_sha256,omitempty"`
	HasToken     bool   `json:"has_token,omitempty"`
	// HasValue is set for what a rule of the user found. It has no SecretSHA256: of a
	// short value, that would give it away.
	HasValue bool `json:"has_value,omitempty"`
	// SecretRank orders the secrets that may belong to KeyID: 0 is the best.
	SecretRank int            `json:"secret_rank,omitempty"`
	Account    string         `json:"account,omitempty"`
	State      verifier.State `json:"state"`
	Reason     string         `json:"reason,omitempty"`
	VerifiedAt time.Time      `json:"verified_at,omitzero"`
	// Stale is why State is the answer of VerifiedAt, although AWS was to be asked again
	// since; "" if it was, or nobody wanted to.
	Stale    string          `json:"stale,omitempty"`
	Identity Identity        `json:"identity,omitzero"`
	Facts    []verifier.Fact `json:"facts"`
	// Ignored is why the finding is suppressed, or "".
	Ignored string `json:"ignored"`
	// Overruled is why it would be, if it were not live.
	Overruled string `json:"overruled,omitempty"`
	// History is what earlier sweeps know of the finding; nil outside of a sweep.
	History   *History   `json:"history,omitempty"`
	Locations []Location `json:"locations"`
	// Omitted is how many more places there are.
	Omitted int `json:"locations_omitted,omitempty"`
	// Secret, Token and Value are present only if the user asked to be shown secrets.
	Secret string `json:"secret,omitempty"`
	Token  string `json:"token,omitempty"`
	Value  string `json:"value,omitempty"`
}

// History is how a finding fared from sweep to sweep. Each time is that of the sweep
// which noticed; zero says that it did not happen, or is not known.
type History struct {
	FirstSeen time.Time `json:"first_seen,omitzero"`
	LastSeen  time.Time `json:"last_seen,omitzero"`
	GoneSince time.Time `json:"gone_since,omitzero"` // from the HEAD of every repository
	DeadSince time.Time `json:"dead_since,omitzero"` // it was live, and is not any more
	// AcknowledgedBy is who knows of it and says that it need not be told again until
	// AcknowledgedUntil; without an end if that is zero. Note is what they wrote.
	AcknowledgedBy    string    `json:"acknowledged_by,omitempty"`
	AcknowledgedUntil time.Time `json:"acknowledged_until,omitzero"`
	Note              string    `json:"note,omitempty"`
}

// The values of Repository.State.
const (
	RepositorySwept     = "swept"     // read, as far as it was new
	RepositoryUnchanged = "unchanged" // nothing in it was new
	RepositoryFailed    = "failed"    // could not be read, or not to the end
	RepositoryWaiting   = "waiting"   // not yet looked at, or told to come back later
	RepositorySkipped   = "skipped"   // left out, as it was asked for
)

// Repository is how one repository of a sweep went.
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

// Identity is who the provider says a credential belongs to. Its account is
// Finding.Account, which may be known without asking.
type Identity struct {
	ARN    string `json:"arn,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Name   string `json:"name,omitempty"`
	UserID string `json:"user_id,omitempty"`
}

// Location is one place of a credential. Lines and columns are 1-based, columns
// count code points and EndColumn is the one after the last.
type Location struct {
	Kind scanner.Kind `json:"kind"`
	// Repo is the target of a git scan, repeated so that a line on its own, in a log or
	// behind jq, still says where; of several repositories, the URL of its page.
	Repo string `json:"repo,omitempty"`
	Path string `json:"path,omitempty"`
	// Part is what stands here of a credential with an id, if the id does not:
	// "secret", "token". Line and columns are then those of the part.
	Part      string `json:"part,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	// SecretLine is present if the secret is not on Line.
	SecretLine int       `json:"secret_line,omitempty"`
	Commit     string    `json:"commit,omitempty"`
	Author     string    `json:"author,omitempty"`
	Email      string    `json:"email,omitempty"`
	Time       time.Time `json:"time,omitzero"`
	AtHead     bool      `json:"at_head"`
	// Refs are full names of branches and tags that Commit is part of, a few of
	// them; MoreRefs is how many others there are.
	Refs     []string `json:"refs,omitempty"`
	MoreRefs int      `json:"refs_omitted,omitempty"`
	// Unreachable is absent if a ref leads to the text, or if it is in no object of
	// git. Else it says what does: "reflog HEAD@{2}", "dangling commit" …
	Unreachable string `json:"unreachable,omitempty"`
	Blob        string `json:"blob,omitempty"`
	// Ignored is why this place does not count; absent if it does.
	Ignored string `json:"ignored,omitempty"`
}

// Summary closes a stream. A stream without one is of an interrupted scan.
type Summary struct {
	// Findings counts those that are not ignored; Live and Unknown count among
	// them by state.
	Findings int   `json:"findings"`
	Ignored  int   `json:"ignored"`
	Live     int   `json:"live"`
	Unknown  int   `json:"unknown"`
	Objects  int64 `json:"objects"`
	Bytes    int64 `json:"bytes"`
	// Unread lists what exists and could not be read: the scan is incomplete,
	// not clean.
	Unread []scanner.Unread `json:"unread"`
	// Accepted lists what could not be read either, and the user knows of.
	Accepted []scanner.Unread `json:"accepted,omitempty"`
	// Stopped says that the scan ended early: it was cancelled, or its source could
	// not go on.
	Stopped   bool  `json:"stopped,omitempty"`
	ElapsedMS int64 `json:"elapsed_ms"`
	// Again is how the report was verified again; nil if it was not.
	Again *Again `json:"verified_again,omitempty"`
}

// Again counts the keys of a saved report that AWS was to be asked about again.
type Again struct {
	Asked int `json:"asked"` // and has answered
	Of    int `json:"of"`
}
