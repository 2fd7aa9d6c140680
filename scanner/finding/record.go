package finding

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// Names and order of the fields are the JSON contract: users' programs read them. Strings
// that come from repositories can hold any bytes; JSON cannot, so bytes that are not UTF-8
// are written as U+FFFD.

// A record is a Finding in the JSON of stanch/v1. The order of its fields is part of it.
type record struct {
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
	// HasValue is set for a value that a rule of the user found. It has no SecretSHA256:
	// the hash of a short value would give the value away.
	HasValue bool `json:"has_value,omitempty"`
	// SecretRank orders the secrets that may belong to KeyID: 0 is the best.
	SecretRank int            `json:"secret_rank,omitempty"`
	Account    string         `json:"account,omitempty"`
	State      verifier.State `json:"state"`
	// Skipped is Finding.Skipped. It follows from other fields, and readers of stanch do not
	// depend on it: older reports lack it.
	Skipped string `json:"skipped,omitempty"`
	// MayBeLive is Finding.MayBeLive. It follows from other fields, as Skipped does.
	MayBeLive  bool      `json:"may_be_live"`
	Reason     string    `json:"reason,omitempty"`
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	// Stale is why State is the answer of VerifiedAt, although AWS was to be asked again
	// since; "" if it was, or nobody wanted to.
	Stale    string          `json:"stale,omitempty"`
	Identity identity        `json:"identity,omitzero"`
	Facts    []verifier.Fact `json:"facts"`
	// Ignored is why the finding is suppressed, or "".
	Ignored string `json:"ignored"`
	// Overruled is why it would be, if it were not live.
	Overruled string `json:"overruled,omitempty"`
	// History is how the finding fared in earlier sweeps; nil outside of a sweep.
	History   *History   `json:"history,omitempty"`
	Locations []Location `json:"locations"`
	// Omitted is how many more places there are.
	Omitted int `json:"locations_omitted,omitempty"`
	// Candidates are other secrets that may belong to KeyID.
	Candidates        []candidateRecord `json:"candidates,omitempty"`
	CandidatesOmitted int               `json:"candidates_omitted,omitempty"`
	// Secret, Token and Value are present only if the user asked to be shown secrets.
	Secret string `json:"secret,omitempty"`
	Token  string `json:"token,omitempty"`
	Value  string `json:"value,omitempty"`
}

// identity is the owner of a credential, as the provider names it. Its account is
// record.Account, which may be known without asking.
type identity struct {
	ARN    string `json:"arn,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Name   string `json:"name,omitempty"`
	UserID string `json:"user_id,omitempty"`
}

// record returns f as a report holds it, with its secrets or without. It shares nothing
// with f that is changed later.
func (f *Finding) record(secrets bool) record {
	m, v, d := &f.Match, &f.Verdict, f.digest()
	r := record{
		Fingerprint:  d.Fingerprint,
		Rule:         m.Rule.ID,
		Title:        m.Rule.Title,
		Confidence:   m.Confidence,
		Grade:        m.Grade,
		KeyID:        m.Credential.ID,
		SecretSHA256: d.SecretSHA256,
		HasToken:     d.HasToken,
		HasValue:     m.Rule.Value,
		SecretRank:   m.Rank,
		Account:      v.Identity.Account,
		State:        cmp.Or(v.State, verifier.Skipped), // ignored findings are never verified
		Skipped:      f.Skipped(),
		MayBeLive:    f.MayBeLive(),
		Reason:       v.Reason,
		VerifiedAt:   v.At.UTC(),
		Stale:        f.Stale,
		Identity:     identity{v.Identity.ARN, v.Identity.Kind, v.Identity.Name, v.Identity.UserID},
		Facts:        f.Facts(),
		Ignored:      f.Ignored,
		Overruled:    f.Overruled,
		History:      f.History,
		Locations:    reportedLocations(f.Locations),
		Omitted:      f.Omitted,
		Candidates:   candidateRecords(f.Candidates, secrets), CandidatesOmitted: f.CandidatesOmitted,
	}
	if secrets {
		r.Secret, r.Token = m.Credential.Secret.Reveal(), m.Credential.Token.Reveal()
	}
	if r.HasValue {
		r.Secret, r.Value = "", r.Secret
	}
	return r
}

// reportedLocations returns a copy of list as a report holds it.
func reportedLocations(list []Location) []Location {
	list = append([]Location{}, list...) // never null in JSON
	for i := range list {
		l := &list[i]
		l.Time, l.Refs, l.Around = l.Time.UTC(), slices.Clone(l.Refs), nil
		if l.SecretLine == l.Line {
			l.SecretLine = 0
		}
	}
	return list
}

// finding returns r as the rest of stanch knows it.
func (r *record) finding() Finding {
	secret := r.Secret
	if r.HasValue {
		secret = r.Value
	}
	return Finding{
		Match: detectors.Match{
			Rule:       &detectors.Rule{ID: r.Rule, Title: r.Title, Value: r.HasValue},
			Confidence: r.Confidence, Grade: r.Grade, Rank: r.SecretRank,
			Credential: detectors.Credential{ID: r.KeyID, Secret: detectors.NewSecret(secret), Token: detectors.NewSecret(r.Token)},
		},
		Digest: &Digest{r.Fingerprint, r.SecretSHA256, r.HasToken},
		Verdict: verifier.Verdict{
			State: r.State, Reason: r.Reason, At: r.VerifiedAt, Facts: r.Facts,
			Identity: verifier.Identity{
				Account: r.Account, ARN: r.Identity.ARN, Kind: r.Identity.Kind, Name: r.Identity.Name, UserID: r.Identity.UserID,
			},
		},
		Stale: r.Stale, Ignored: r.Ignored, Overruled: r.Overruled, History: r.History,
		Locations: r.Locations, Omitted: r.Omitted, Candidates: candidatesOf(r.Candidates), CandidatesOmitted: r.CandidatesOmitted,
	}
}

// Reported returns a copy of f as a report holds it: without secrets, and without the
// fields that only a scan knows.
func (f *Finding) Reported() Finding {
	r := f.record(false)
	return r.finding()
}

// MarshalJSON implements json.Marshaler. It never writes a secret.
func (f Finding) MarshalJSON() ([]byte, error) { return json.Marshal(f.record(false)) }

// UnmarshalJSON implements json.Unmarshaler. Secrets that the JSON has are kept.
func (f *Finding) UnmarshalJSON(b []byte) error {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	*f = r.finding()
	return nil
}
