package detectors

import (
	"cmp"
	"slices"
	"sort"
)

// A Set runs detectors over a text and over what the text reads like decoded.
// Concurrent calls of its methods are allowed.
type Set struct {
	detectors []Detector
	prefilter prefilter
	plainOnly []PrefilteringDetector // see WithPlain
}

// NewSet returns the set of the given detectors.
func NewSet(detectors ...Detector) *Set {
	return &Set{detectors: detectors, prefilter: newPrefilter(detectors)}
}

// WithPlain returns a set that also runs d, on texts as they are: nothing is decoded
// for it. What d finds of what another detector found is dropped.
func (s *Set) WithPlain(d PrefilteringDetector) *Set {
	with := *s
	with.plainOnly = append(slices.Clone(s.plainOnly), d)
	return &with
}

// Rules returns the rules of all detectors, in order.
func (s *Set) Rules() []*Rule {
	var rules []*Rule
	for _, d := range s.detectors {
		rules = append(rules, d.Rules()...)
	}
	for _, d := range s.plainOnly {
		rules = append(rules, d.Rules()...)
	}
	return rules
}

// Detect appends the matches of text to dst and returns the extended slice.
// Offsets are into text, also for what was found encoded: there they cover the
// encoded form. It does not retain text.
func (s *Set) Detect(dst []Match, text []byte) []Match {
	first := len(dst)
	if s.prefilter.mayMatch(text, true) {
		dst = (&search{set: s, matches: dst, first: len(dst), unpackLeft: maxUnpacked}).run(text)
	}
	for _, d := range s.plainOnly {
		if found := d.Detect(nil, text); len(found) > 0 {
			dst = append(dst, notCovered(dst[first:], found)...)
		}
	}
	return dst
}

// notCovered returns those of found whose secret is none of known, nor a part of one.
func notCovered(known, found []Match) []Match {
	var covered []Span
	for i := range known {
		if m := &known[i]; !m.NeedsID {
			covered = append(covered, m.Span, m.Secret, m.Token)
		}
	}
	covered = slices.DeleteFunc(covered, Span.Empty)
	slices.SortFunc(covered, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	ends := make([]int, len(covered)) // the last end of those up to each
	for i, c := range covered {
		ends[i] = c.End
		if i > 0 {
			ends[i] = max(ends[i], ends[i-1])
		}
	}
	return slices.DeleteFunc(found, func(m Match) bool {
		i := sort.Search(len(covered), func(i int) bool { return covered[i].Start >= m.Secret.End })
		return i > 0 && ends[i-1] > m.Secret.Start
	})
}

// MayMatch reports whether text may hold a match: Detect finds nothing in a text of
// which it is false. It is much faster than Detect, and local: if it is true of a
// text, there is a window of at most Window bytes of it, such that it is true of
// every piece of the text that holds the window, and of every other text that
// does if the window is not at an end of the text. It may be true of a piece,
// and not of the text, where the piece is cut: half of a long word looks like a
// key.
//
// So a text that was put together from parts of others need not be looked at
// whole. If Hints was false of the others, the new bytes and Window bytes to
// either side of each joint are enough; the ends of the text are joints as well,
// but for those that were ends before.
//
// What is lost against a search of the whole text:
//
//   - a secret without an id that is in pieces, that takes more than 72 bytes with
//     its escapes, or that has one of more than six bytes (\U0000002f, \u{2f});
//   - one that is in base64, UTF-16 or hexadecimal with its name, which is none of
//     Rule.Encoded, or in hexadecimal or UTF-32 at all;
//   - an id in base64 that a line break cuts into pieces of less than 20 characters;
//   - an id in pieces of which none has seven characters, or that are farther apart
//     than 108 bytes;
//   - an id within two encodings, but for gzip of 36 bytes or more in base64, UTF-16
//     in base64, and base64 in base64 beside a name of Rule.Encoded.
func (s *Set) MayMatch(text []byte) bool { return s.mayMatch(text, false) }

// Window returns how far Hints looks.
func (s *Set) Window() int {
	span := s.prefilter.window
	for _, d := range s.plainOnly {
		hint, _ := d.Spans()
		span = max(span, hint)
	}
	return span
}

// MayMatchNear is Hints with a look around: a secret without an id needs a name before
// it. It is false of more texts, local too, and looks farther.
func (s *Set) MayMatchNear(text []byte) bool { return s.mayMatch(text, true) }

// NearWindow returns how far Holds looks.
func (s *Set) NearWindow() int {
	span := s.prefilter.nearWindow
	for _, d := range s.plainOnly {
		_, hold := d.Spans()
		span = max(span, hold)
	}
	return span
}

func (s *Set) mayMatch(text []byte, named bool) bool {
	return s.prefilter.mayMatch(text, named) ||
		slices.ContainsFunc(s.plainOnly, func(d PrefilteringDetector) bool { return d.Probe(text, named) })
}
