package finding

import (
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// A Candidate is another secret that may belong to the key id of a finding. Its fingerprint
// is that of a finding with this secret: the secret that fits best may be another one in the
// next scan, and an ignore file or a baseline then still knows the key.
type Candidate struct {
	Fingerprint, SecretSHA256 string
	Secret                    detectors.Secret // not in a report, unless the user asked to be shown secrets
	Confidence                detectors.Confidence
	State                     verifier.State // of the id with this secret
	Locations                 []Location
	Omitted                   int // how many more there are
}

// candidateRecord is a Candidate in the JSON of stanch/v1. The order of its fields is part
// of it.
type candidateRecord struct {
	Fingerprint  string               `json:"fingerprint"`
	SecretSHA256 string               `json:"secret_sha256"`
	Confidence   detectors.Confidence `json:"confidence"`
	State        verifier.State       `json:"state"`
	Locations    []Location           `json:"locations"`
	Omitted      int                  `json:"locations_omitted,omitempty"`
	Secret       string               `json:"secret,omitempty"`
}

// maxCandidateLocations bounds the places of one candidate in a report.
const maxCandidateLocations = 100

// candidateRecords returns list as a report holds it, with secrets or without.
func candidateRecords(list []Candidate, secrets bool) []candidateRecord {
	var records []candidateRecord
	for i := range list {
		c := &list[i]
		shown := min(len(c.Locations), maxCandidateLocations)
		r := candidateRecord{
			Fingerprint: c.Fingerprint, SecretSHA256: c.SecretSHA256, Confidence: c.Confidence, State: c.State,
			Locations: reportedLocations(c.Locations[:shown]), Omitted: c.Omitted + len(c.Locations) - shown,
		}
		if secrets {
			r.Secret = c.Secret.Reveal()
		}
		records = append(records, r)
	}
	return records
}

// candidatesOf returns records as the rest of stanch knows them.
func candidatesOf(records []candidateRecord) []Candidate {
	var list []Candidate
	for _, r := range records {
		list = append(list, Candidate{r.Fingerprint, r.SecretSHA256, detectors.NewSecret(r.Secret), r.Confidence, r.State, r.Locations, r.Omitted})
	}
	return list
}

// WithoutSecrets returns list without the secrets themselves.
func WithoutSecrets(list []Candidate) []Candidate {
	list = slices.Clone(list)
	for i := range list {
		list[i].Secret = detectors.Secret{}
	}
	return list
}
