package wording

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// An Urgency is how soon the reader has to do something about a finding, the most urgent
// first. Every report that is not streamed is in this order.
type Urgency int

// The urgencies.
const (
	LiveRoot Urgency = iota
	Live
	IDActive
	Unknown
	Unverified   // there is a secret, and nobody asked whether it works
	Unverifiable // nobody can be asked
	LoneID
	Canary
	Expired
	Invalid
)

// Urgencies is how many there are.
const Urgencies = Invalid + 1

// names has the words for each urgency: in front of a finding, in front of a finding whose
// state is not current (Finding.Stale), and behind a number.
var names = [Urgencies]struct{ word, was, count string }{
	LiveRoot:     {"LIVE ROOT", "WAS LIVE ROOT", "live root"},
	Live:         {"LIVE", "WAS LIVE", "live"},
	IDActive:     {"ID IS LIVE", "ID WAS LIVE", "with a live id"},
	Unknown:      {"UNKNOWN", "UNKNOWN", "unknown"},
	Unverified:   {"NOT VERIFIED", "NOT VERIFIED", "not verified"},
	Unverifiable: {"NOT VERIFIABLE", "NOT VERIFIABLE", "not verifiable"},
	LoneID:       {"ID ONLY", "ID ONLY", "id only"},
	Canary:       {"CANARY", "CANARY", "canary"},
	Expired:      {"EXPIRED", "EXPIRED", "expired"},
	Invalid:      {"INVALID", "WAS INVALID", "invalid"},
}

// String returns how u is written in front of a finding.
func (u Urgency) String() string { return names[u].word }

// Word is how the urgency of f is written in front of it.
func Word(f *finding.Finding) string {
	if f.Stale != "" {
		return names[UrgencyOf(f)].was
	}
	return UrgencyOf(f).String()
}

// UrgencyOf returns how urgent f is.
func UrgencyOf(f *finding.Finding) Urgency {
	switch f.Verdict.State {
	case verifier.Live:
		if f.Verdict.Identity.Kind == "root" {
			return LiveRoot
		}
		return Live
	case verifier.IDActive:
		return IDActive
	case verifier.CanarySuspected:
		return Canary
	case verifier.Expired:
		return Expired
	case verifier.Invalid:
		return Invalid
	case verifier.NotVerifiable:
		return Unverifiable
	case verifier.Skipped:
		if f.Skipped() == finding.SkippedIDOnly {
			return LoneID
		}
		return Unverified
	}
	return Unknown // also states of later versions, in a replayed stream
}

// WorstFirst sorts findings by urgency, the ignored ones last, and keeps the
// order of the scan within an urgency.
func WorstFirst(fs []finding.Finding) {
	slices.SortStableFunc(fs, func(a, b finding.Finding) int {
		if (a.Ignored != "") != (b.Ignored != "") {
			return strings.Compare(a.Ignored, b.Ignored)
		}
		return cmp.Compare(UrgencyOf(&a), UrgencyOf(&b))
	})
}

// Level is the urgency of f in the words of code scanning and annotations: error, warning
// or note.
func Level(f *finding.Finding) string {
	switch UrgencyOf(f) {
	case LiveRoot, Live, IDActive:
		return "error"
	case Unknown, Unverified, Unverifiable:
		switch f.Match.Confidence {
		case detectors.Low:
			return "note"
		case detectors.Medium:
			return "warning"
		}
		return "error"
	case LoneID:
		if f.Match.Confidence == detectors.High {
			return "warning"
		}
		return "note"
	case Canary, Invalid:
		return "warning"
	}
	return "note"
}
