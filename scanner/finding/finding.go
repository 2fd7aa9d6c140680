// Package finding is the one shape of a finding: a leaked credential, whether it works,
// and every place that it was found in. The scanner makes findings, reports show them, a
// sweep keeps them, and responses, assessments and notices act on them, all with the types
// of this package. It knows detectors and verifiers only, so that everybody may import it.
//
// # From a scan to a report
//
// A scan reports each Finding, with its secret, to the sink of NewSink. The sink turns it
// into the form that a report may hold, removes secrets from every text that came from elsewhere,
// and passes it to a Handler, which writes a format. Replay passes the findings of a saved
// report to a Handler again. A Handler sees the same finding from both, and a secret only
// if the user asked to be shown secrets.
//
// # The shape
//
// A Finding is put together from the results of the stages of a scan: the detector's Match, the
// source's Locations, the verifier's Verdict. Secret parts are a detectors.Secret, which
// cannot print itself. A report does not hold them. There, a Digest stands for them: the
// fingerprint, and the hash of the secret.
//
// The JSON of stanch/v1 is flat and older than this shape. The unexported type record is
// that JSON, and the only copy of a Finding's fields; a finding reaches a Handler through
// it. Therefore no Handler can depend on, or give away, anything that the JSON does not
// have.
//
// Refused: one flat struct with the tags of the JSON for everything. The stages of a scan
// replace a Match or a Verdict as a whole, and with a flat struct each of their fields
// would have to be set by hand, and the facts from the text kept apart from the verifier's.
// Refused as well: one struct for scans and one for reports. Every caller needed one and
// was handed the other.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// A Finding is one leaked credential with every place it was found in.
type Finding struct {
	// Match is the credential; its spans are in the text of the first occurrence. In a
	// report it holds the rule's ID and Title, and the fields that a report shows.
	Match detectors.Match
	// Digest stands for the secret parts that a report does not hold. It is nil in a scan.
	Digest *Digest
	// Candidates are other secrets that may belong to the key id; none is proved.
	// CandidatesOmitted is how many more there are.
	Candidates        []Candidate
	CandidatesOmitted int
	// Others are secret parts that were found with the credential and do not belong to it.
	// Reports are cleared of them too. They are nil in a report.
	Others []detectors.Secret
	// Locations are sorted: at HEAD first, then oldest first. Omitted is how many more
	// there are than a report can hold.
	Locations []Location
	Omitted   int
	// Ignored is why the finding is suppressed, or "". Overruled is why it would be if it
	// were not live.
	Ignored, Overruled string
	Verdict            verifier.Verdict
	// Stale is why Verdict is the answer of Verdict.At, although AWS was to be asked again
	// since. It is "" if AWS was asked, or nobody wanted to ask.
	Stale string
	// History is how the finding fared in earlier sweeps; nil outside of a sweep.
	History *History
}

// A Digest stands in a report for the secret parts of a credential.
type Digest struct {
	Fingerprint  string
	SecretSHA256 string
	HasToken     bool
}

// digest returns the Digest of f.
func (f *Finding) digest() Digest {
	if f.Digest != nil {
		return *f.Digest
	}
	c := f.Match.Credential
	text := "stanch:v1:" + f.Match.Rule.ID + "\x00" + c.ID + "\x00" + c.Secret.Reveal()
	if c.ID == "" && c.Secret.IsZero() { // nothing else tells one session from another
		text += "\x00" + c.Token.Reveal()
	}
	h := sha256.Sum256([]byte(text))
	d := Digest{Fingerprint: hex.EncodeToString(h[:16]), HasToken: !c.Token.IsZero()}
	if !f.Match.Rule.Value { // the hash of a short value gives it away
		d.SecretSHA256 = c.Secret.SHA256()
	}
	return d
}

// Fingerprint identifies the credential of f: its rule, its id and its secret, or its token
// if it has neither, never a commit, a path or a line. It survives rebases, renames and moved
// lines, and a second secret on an ignored line is a new finding.
func (f *Finding) Fingerprint() string { return f.digest().Fingerprint }

// SecretSHA256 returns the hash of the secret. It is "" if there is none, and for values
// of users' rules.
func (f *Finding) SecretSHA256() string { return f.digest().SecretSHA256 }

// HasToken reports whether the credential has a session token.
func (f *Finding) HasToken() bool { return f.digest().HasToken }

// The values of Finding.Skipped.
const (
	SkippedIDOnly      = "id-only"      // no secret was found for the id: there is nothing to ask with
	SkippedNotVerified = "not-verified" // there is a secret, and nobody asked whether it works
)

// Skipped tells apart the findings whose state is verifier.Skipped. It is "" for the others.
func (f *Finding) Skipped() string {
	switch {
	case f.Verdict.State != verifier.Skipped && f.Verdict.State != "": // see record
		return ""
	case f.SecretSHA256() == "" && !f.Match.Rule.Value: // a value has no hash
		return SkippedIDOnly
	}
	return SkippedNotVerified
}

// MayBeLive reports whether f counts, and works for all that is known: the findings of
// --fail-on unknown.
func (f *Finding) MayBeLive() bool { return f.Ignored == "" && f.Verdict.State.MayBeLive() }

// Secrets returns all secret parts that are known of f, those of its candidates included.
func (f *Finding) Secrets() []detectors.Secret {
	list := append([]detectors.Secret{f.Match.Credential.Secret, f.Match.Credential.Token}, f.Others...)
	for i := range f.Candidates {
		list = append(list, f.Candidates[i].Secret)
	}
	return list
}

// Over reports whether the credential itself says that it has expired by now.
func (f *Finding) Over(now time.Time) bool {
	return !f.Match.Expires.IsZero() && f.Match.Expires.Before(now)
}

// Note adds a fact about the credential, once.
func (f *Finding) Note(fact detectors.Fact) {
	if !slices.Contains(f.Match.Facts, fact) {
		f.Match.Facts = append(slices.Clip(f.Match.Facts), fact) // others may share it
	}
}

// Facts returns the facts about the credential from its text and from the verifier, never
// nil. The list is the caller's own.
func (f *Finding) Facts() []verifier.Fact {
	list := append([]verifier.Fact{}, f.Match.Facts...)
	if at := f.Match.Expires; !at.IsZero() {
		list = append(list, verifier.Fact{Name: "expires", Value: at.UTC().Format(time.RFC3339), Risk: 1})
	}
	return append(list, f.Verdict.Facts...)
}

// A Subject says which leaked key a plan or a notice is about. It holds no secret.
type Subject struct {
	Fingerprint  string `json:"fingerprint"` // of the finding
	KeyID        string `json:"key_id"`
	SecretSHA256 string `json:"secret_sha256,omitempty"`
	Account      string `json:"account"`
	Kind         string `json:"kind"` // user, role, root
	Name         string `json:"name"`
	ARN          string `json:"arn"`
	Where        string `json:"where"` // one place of the finding
}
