package detectors

import (
	"cmp"
	"slices"
	"sort"
	"sync"

	"github.com/stanch-dev/stanch/detectors/internal/marks"
	"github.com/stanch-dev/stanch/detectors/internal/views"
	"github.com/stanch-dev/stanch/detectors/prefilter"
)

// A Set runs detectors over a text and over its decoded views. Concurrent calls of its
// methods are allowed.
type Set struct {
	detectors []Detector
	prefilter prefilter.Filter
	// distantParts are the DistantParts of the rules that have some.
	distantParts [][][]string
	distantMarks *marks.Set             // all strings in distantParts
	plainOnly    []PrefilteringDetector // see WithPlain
	memos        *sync.Pool             // of *Memo: one for each goroutine, while it searches
}

// NewSet returns the set of the given detectors.
func NewSet(detectors ...Detector) *Set {
	s := &Set{detectors: detectors, memos: &sync.Pool{New: func() any { return &Memo{} }}}
	var plain []prefilter.PlainFilter
	patterns := make([]prefilter.Patterns, 0, 16)
	for _, d := range detectors {
		filter, ok := d.(PrefilteringDetector)
		if ok {
			plain = append(plain, filter)
		}
		for _, r := range d.Rules() {
			if !ok {
				patterns = append(patterns, prefilter.Patterns{Keywords: r.Keywords})
				continue
			}
			patterns = append(patterns, prefilter.Patterns{Anchors: r.Anchors, Escaped: r.Escaped, Encoded: r.Encoded})
			if r.DistantParts != nil {
				s.distantParts = append(s.distantParts, r.DistantParts)
			}
		}
	}
	s.prefilter = prefilter.New(plain, patterns)
	s.distantMarks = marks.New(slices.Concat(slices.Concat(s.distantParts...)...)...)
	return s
}

// WithPlain returns a set that also runs d, on undecoded texts only. A match of d is
// dropped if its secret overlaps a match of another detector.
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

// Detect appends the matches of text to dst and returns the extended slice. Offsets are
// into text: for a credential that is encoded, they cover the encoded form. Detect does
// not retain text.
func (s *Set) Detect(dst []Match, text []byte) []Match {
	first := len(dst)
	dst, _ = s.detect(dst, text)
	for _, d := range s.plainOnly {
		if found := d.Detect(nil, text); len(found) > 0 {
			dst = append(dst, notCovered(dst[first:], found)...)
		}
	}
	return dst
}

// detect is Detect without the detectors of WithPlain. It also reports whether a view of text
// may have strings of DistantParts that text lacks.
func (s *Set) detect(dst []Match, text []byte) (matches []Match, hiddenMarks bool) {
	if !s.prefilter.MayMatchNear(text) {
		return dst, true // it was not looked at
	}
	return s.searchAll(dst, text, len(text))
}

// searchAll is detect without the prefilter, for a text that is a part of one of that length.
func (s *Set) searchAll(dst []Match, text []byte, whole int) (matches []Match, hiddenMarks bool) {
	memo := s.memos.Get().(*Memo)
	memo.whole = whole
	search := &search{set: s, memo: memo, matches: dst, first: len(dst), unpackLeft: views.MaxUnpacked}
	dst = search.run(text)
	s.memos.Put(memo)
	return dst, search.hiddenMarks
}

// notCovered returns the matches of found whose secret overlaps no part of a match of
// known.
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

func (s *Set) plainMayMatch(text []byte) bool {
	return slices.ContainsFunc(s.plainOnly, func(d PrefilteringDetector) bool { return d.MayMatch(text) })
}

func (s *Set) plainMayMatchNear(text []byte) bool {
	return slices.ContainsFunc(s.plainOnly, func(d PrefilteringDetector) bool { return d.MayMatchNear(text) })
}

// A Filter tells for some detectors of a Set which texts cannot hold a match.
type Filter struct {
	// MayMatch reports whether text may hold a match. It is much faster than Detect, and
	// conservative: if it returns false, Detect finds nothing in text, but for the list
	// below.
	//
	// It is also local: if it returns true for a text, some window of at most Window bytes of
	// the text is the reason. Then it returns true for every piece of the text that holds the
	// window, and for every other text that does, unless the window is at an end of the text.
	// So if a text was put together from others for which MayMatch returned false, as git puts
	// together deltas, only the new bytes and Window bytes to either side of each joint have to
	// be tested. The ends of the text are joints as well, unless they were ends before.
	//
	// It may return true for a piece and false for the whole, where the piece is cut: half
	// of a long word looks like a key.
	//
	// These matches are lost, compared to a search without a prefilter:
	//
	//   - a secret without an id that is in pieces, that takes more than 72 bytes with
	//     its escapes, or that has an escape of more than six bytes (\U0000002f, \u{2f});
	//   - a secret without an id in base64 with other text around it, or in UTF-16, unless
	//     Rule.Encoded has its name or the secret is all of the text, or in hexadecimal or UTF-32;
	//   - an id in base64 that a line break cuts into pieces of less than 20 characters, unless
	//     40 characters of base64 stand before the break;
	//   - an id in pieces, if no piece has seven characters or they are more than 108 bytes
	//     apart, or if a letter or a digit stands right beside it, as in binary files; but not if
	//     one of encodings.InvisibleSeparators stands behind each of its first four characters;
	//   - an id of which only a part is in base64, hexadecimal, UTF-16 or UTF-32 and the
	//     rest right beside it, or of which two parts are so encoded, each on its own;
	//   - an id within more than encodings.MaxRounds encodings, or of which the encoded form
	//     has more than 72 bytes;
	//   - an id in UTF-32, or in pieces or with escapes, within another encoding;
	//   - packed data (gzip, zlib, zip) in base64 of less than 48 bytes or in lines of less than 60
	//     characters, zlib with a window of less than 32 KiB or a dictionary, and deflate alone;
	//   - a secret or a token without an id within two encodings, except in packed data and in
	//     base64 in base64 beside a name of Rule.Encoded.
	MayMatch func(text []byte) bool
	// MayMatchNear is MayMatch with a look at the text near a secret: without an id, the secret
	// needs a name before it. It rules out more texts, and its windows are larger.
	MayMatchNear func(text []byte) bool
	// Window and NearWindow are the sizes in bytes of the windows of MayMatch and MayMatchNear.
	Window, NearWindow int
	// MayMatchNearPlain is MayMatchNear for matches that stand in text as they are. The others
	// have a window of Window bytes. So if MayMatchNear is false for the parts of Window bytes
	// of a text, its parts of NearWindow bytes need be tested for plain matches only. It is nil
	// if there are no others.
	MayMatchNearPlain func(text []byte) bool
}

// MaxFilters is the most Filters that a Set has.
const MaxFilters = 2

// Filters returns the filters of s: a text may match if it may by one of them. Each has windows
// of its own, so whoever keeps the answers apart tests less of a delta: nearly every text may
// match a little by one of them, but not by all. Concurrent calls of a filter are allowed.
func (s *Set) Filters() []Filter {
	p := &s.prefilter
	list := []Filter{{p.MayMatch, p.MayMatchNear, p.Window(), p.NearWindow(), p.MayMatchNearPlain}}
	if len(s.plainOnly) == 0 {
		return list
	}
	plain := Filter{MayMatch: s.plainMayMatch, MayMatchNear: s.plainMayMatchNear}
	for _, d := range s.plainOnly {
		plain.Window, plain.NearWindow = max(plain.Window, d.Window()), max(plain.NearWindow, d.NearWindow())
	}
	return append(list, plain)
}

// The places of Set.Filters.
const (
	decodedFilter = iota // of the detectors that search views too
	plainFilter          // of those of WithPlain
)

// haveDistantParts reports whether the marks of a text, found, include one of each list of a
// rule's DistantParts, and near, the marks of a part of the text, one of them.
func (s *Set) haveDistantParts(found, near marks.Found) bool {
	for _, lists := range s.distantParts {
		all := true
		for _, list := range lists {
			all = all && found.Any(list...)
		}
		if all && near.Any(slices.Concat(lists...)...) {
			return true
		}
	}
	return false
}
