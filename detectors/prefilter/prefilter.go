// Package prefilter answers one question about a text: can it match at all? Nearly every
// text cannot, and then the answer is all that the scan of it costs.
//
// All looks share one walk over the text (package bytemasks), and none of them decodes it. The
// walk finds the places that are worth a look:
//
//	text      export AWS_ID=AKIA…………………………… # QUtJ…………………………==
//	                        ━━━━━━━━━━━━━━━━    ━━━━━━━━━━━━━━━━
//	places                  capitals            base64
//
//	place                     look         sees                              file
//	every part of the text    patterns     %41%4b%49%41, A<wbr>K<wbr>…       grams.go
//	seven capital letters     plain        AKIA… as it stands                the detector
//	and digits in a row       joined       "AKIA" + "…", \x41 for A          joinedid.go
//	sixteen characters of     encoded      AKIA… in base64, once or more     encodedid.go
//	base64 that may be text   patterns     secret_access in base64           grams.go
//	a run of 40 characters    plain        a secret, the head of a token     the detector
//	of base64 or escapes      encoded      AKIA… in hexadecimal, or cut by   nestedid.go
//	                                       the break of a line of base64     wrapped.go
//	                          packed       gzip, zlib or zip in base64       packed.go
//	zeros                     encoded      AKIA… in UTF-16 and UTF-32        nestedid.go
//
// Most of a text has no such place. At one, the look reads the text around it. If any look
// says yes, the text is searched, and so are its views (package detectors).
//
// A detector without a plain filter has keywords instead (keywords.go), which are looked for
// in a walk of their own.
//
// detectors.Set is the one caller, and documents the contract of MayMatch. Use the Set,
// unless you write one.
package prefilter

import (
	"compress/flate"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/detectors/internal/bytemasks"
	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// Patterns are the strings that a rule looks for. detectors.Rule documents the lists.
type Patterns struct{ Keywords, Anchors, Escaped, Encoded []string }

// A PlainFilter reports whether text may match as it stands, with nothing decoded. Its
// methods keep the promises of Filter's.
type PlainFilter interface {
	MayMatch(text []byte) bool
	MayMatchNear(text []byte) bool
	Window() int
	NearWindow() int
}

// A PlaceFilter is a PlainFilter that need not walk over a text by itself: it looks at the
// places of the walk that all looks share. If its methods are false for a text, its blocks with
// capitals and its runs, MayMatch is false, or MayMatchNear if near is true.
type PlaceFilter interface {
	PlainFilter
	MayBeWhole(text []byte) bool
	MayMatchBlock(text []byte, b bytemasks.Block) bool
	MayMatchRun(text []byte, r bytemasks.Run, near bool) bool
}

// A Filter decides whether a text is worth a search. It asks its plain filters about the
// text as it stands, and looks for encoded ids and patterns itself.
type Filter struct {
	walker   bytemasks.Walker
	places   []PlaceFilter
	plain    []PlainFilter  // the others
	keywords *keywordSearch // nil if there are none
	patterns *gramIndex
	// encoded are the patterns in base64 and UTF-16. They are nearly all patterns, and only
	// few texts have such a place.
	encoded *gramIndex
	ids     []string // the prefixes of ids that may be encoded
	// inflaters are readers of package flate, which take long to make: there may be a head
	// of zlib in each line of a text.
	inflaters *sync.Pool

	window, nearWindow int
}

// New returns a filter of plain and of the patterns of rules. A rule has Keywords if its
// detector has no plain filter, and the other lists if it has one. New panics if a string
// is shorter than detectors.Rule allows.
func New(plain []PlainFilter, rules []Patterns) Filter {
	f := Filter{walker: bytemasks.New(), inflaters: &sync.Pool{New: func() any { return flate.NewReader(nil) }}, window: max(nestedIDWindow, wrappedIDWindow, joinedIDWindow, packedWindow)}
	var patterns, encoded, keywords []string
	for _, r := range rules {
		keywords = append(keywords, r.Keywords...)
		patterns = append(patterns, r.Anchors...)
		for _, k := range r.Escaped {
			patterns = append(patterns, escapedForms(k)...)
		}
		for _, e := range r.Encoded {
			if id := prefixOfID(e); id != "" {
				f.ids = append(f.ids, id)
				for _, s := range encodings.InvisibleSeparators {
					patterns = append(patterns, strings.Join(strings.Split(id, ""), s)+s)
				}
				continue
			}
			encoded = append(append(encoded, utf16Form(e)), base64Forms(e)...)
			for _, once := range base64Forms(e) {
				encoded = append(encoded, base64Forms(once)...)
			}
		}
	}
	f.patterns = newGramIndex(patterns)
	f.encoded = newGramIndex(append(encoded, base64Forms(gzipMark+"AAAAAAA")...))
	if keywords != nil {
		f.keywords = newKeywordSearch(keywords)
		f.window = max(f.window, f.keywords.longest)
	}
	f.window = max(f.window, f.patterns.longest, f.encoded.longest+2*encodedContext)
	for _, p := range plain {
		if places, ok := p.(PlaceFilter); ok {
			f.places = append(f.places, places)
		} else {
			f.plain = append(f.plain, p)
		}
		f.window, f.nearWindow = max(f.window, p.Window()), max(f.nearWindow, p.NearWindow())
	}
	f.nearWindow = max(f.nearWindow, f.window)
	return f
}

// MayMatch reports whether text may hold a match, plain or encoded.
func (f *Filter) MayMatch(text []byte) bool {
	return f.walk(text, atPlaces|all) || f.hasKeyword(text) ||
		slices.ContainsFunc(f.plain, func(p PlainFilter) bool { return p.MayMatch(text) })
}

// MayMatchNear is MayMatch with a look at the text near a secret: without an id, it needs
// a name before it.
func (f *Filter) MayMatchNear(text []byte) bool {
	return f.walk(text, nearPlaces|all) || f.hasKeyword(text) || f.mayMatchNear(text)
}

// MayMatchNearPlain is MayMatchNear for text as it stands. The windows of all else are those
// of Window.
func (f *Filter) MayMatchNearPlain(text []byte) bool {
	return f.walk(text, nearPlaces) || f.mayMatchNear(text)
}

func (f *Filter) mayMatchNear(text []byte) bool {
	return slices.ContainsFunc(f.plain, func(p PlainFilter) bool { return p.MayMatchNear(text) })
}

// Window returns the size of the windows of MayMatch.
func (f *Filter) Window() int { return f.window }

// NearWindow returns the size of the windows of MayMatchNear.
func (f *Filter) NearWindow() int { return f.nearWindow }

// MayMatchPlain is MayMatch for text as it stands: an encoded id counts only if it is one of
// the patterns.
func (f *Filter) MayMatchPlain(text []byte) bool {
	return f.walk(text, atPlaces|patterns) || f.HasPlainKeyword(text) ||
		slices.ContainsFunc(f.plain, func(p PlainFilter) bool { return p.MayMatch(text) })
}

// HasPattern reports whether text holds one of Patterns.Anchors, Escaped or Encoded.
func (f *Filter) HasPattern(text []byte) bool { return f.walk(text, patterns) }

// HasEncodedID reports whether text may hold an id in base64, UTF-16, UTF-32 or hexadecimal,
// or packed data in base64 in one of them, within at most encodings.MaxRounds encodings.
func (f *Filter) HasEncodedID(text []byte) bool { return f.walk(text, encodedIDs) }

// HasJoinedID reports whether text may hold an id in pieces.
func (f *Filter) HasJoinedID(text []byte) bool { return f.walk(text, joinedIDs) }

// HasPacked reports whether text may hold packed data in base64 of more than a few words.
func (f *Filter) HasPacked(text []byte) bool { return f.walk(text, packedData) }

// HasPlainKeyword reports whether text holds one of Patterns.Keywords as it stands.
func (f *Filter) HasPlainKeyword(text []byte) bool {
	return f.keywords != nil && f.keywords.find(text)&plainSpelling != 0
}

func (f *Filter) hasKeyword(text []byte) bool {
	return f.keywords != nil && f.keywords.find(text) != 0
}
