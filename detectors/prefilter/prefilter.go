// Package prefilter answers one question about a text: can it match at all? Nearly every
// text cannot, and then the answer is all that the scan of it costs.
//
// A text may match if one of these looks at it and says so:
//
//	                     text
//	                      │
//	  ┌───────────┬───────┴───┬────────────┬───────────┬───────────┐
//	PlainFilter  keywords   grams       encodedid   joinedid    packed
//	of a         of other   patterns    AKIA… in    "AKIA" +    gzip, zlib
//	detector:    detectors  in base64,  base64,     "…", \x41   or zip in
//	AKIA… as     in any     UTF-16,     UTF-16,     for A       base64
//	it stands    encoding   escapes     hexadecimal
//	  └───────────┴───────────┴────────────┴───────────┴───────────┘
//	                      │ any says yes
//	                search of the text and its views (package detectors)
//
// None of them decodes the text. Each looks at a few bytes at regular distances, so far
// apart that some of them must lie within the string that it looks for: a run of 20
// characters holds one of any words of eight bytes that stand 13 bytes apart. Where these
// bytes look right, it reads the text around them.
//
// detectors.Set is the one caller, and documents the contract of MayMatch. Use the Set,
// unless you write one.
package prefilter

import (
	"compress/flate"
	"strings"
	"sync"

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

// A Filter decides whether a text is worth a search. It asks its plain filters about the
// text as it stands, and looks for encoded ids and patterns itself.
type Filter struct {
	plain    []PlainFilter
	keywords *keywordSearch // nil if there are none
	patterns *gramIndex
	ids      []string // the prefixes of ids that may be encoded
	// inflaters are readers of package flate, which take long to make: there may be a head
	// of zlib in each line of a text.
	inflaters *sync.Pool

	window, nearWindow int
}

// New returns a filter of plain and of the patterns of rules. A rule has Keywords if its
// detector has no plain filter, and the other lists if it has one. New panics if a string
// is shorter than detectors.Rule allows.
func New(plain []PlainFilter, rules []Patterns) Filter {
	f := Filter{plain: plain, inflaters: &sync.Pool{New: func() any { return flate.NewReader(nil) }}, window: max(nestedIDWindow, wrappedIDWindow, joinedIDWindow, packedWindow)}
	var patterns, keywords []string
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
			patterns = append(append(patterns, utf16Form(e)), base64Forms(e)...)
			for _, once := range base64Forms(e) {
				patterns = append(patterns, base64Forms(once)...)
			}
		}
	}
	f.patterns = newGramIndex(append(patterns, base64Forms(gzipMark+"AAAAAAA")...))
	if keywords != nil {
		f.keywords = newKeywordSearch(keywords)
		f.window = max(f.window, f.keywords.longest)
	}
	f.window = max(f.window, f.patterns.longest)
	for _, p := range plain {
		f.window, f.nearWindow = max(f.window, p.Window()), max(f.nearWindow, p.NearWindow())
	}
	f.nearWindow = max(f.nearWindow, f.window)
	return f
}

// MayMatch reports whether text may hold a match, plain or encoded.
func (f *Filter) MayMatch(text []byte) bool {
	for _, p := range f.plain {
		if p.MayMatch(text) {
			return true
		}
	}
	return f.mayMatchEncoded(text)
}

// MayMatchNear is MayMatch with a look at the text near a secret: without an id, it needs
// a name before it.
func (f *Filter) MayMatchNear(text []byte) bool {
	return f.MayMatchNearPlain(text) || f.mayMatchEncoded(text)
}

// MayMatchNearPlain is MayMatchNear for text as it stands. The windows of all else are those
// of Window.
func (f *Filter) MayMatchNearPlain(text []byte) bool {
	for _, p := range f.plain {
		if p.MayMatchNear(text) {
			return true
		}
	}
	return false
}

// Window returns the size of the windows of MayMatch.
func (f *Filter) Window() int { return f.window }

// NearWindow returns the size of the windows of MayMatchNear.
func (f *Filter) NearWindow() int { return f.nearWindow }

func (f *Filter) mayMatchEncoded(text []byte) bool {
	return f.HasPattern(text) || f.HasEncodedID(text) || f.HasJoinedID(text) || f.HasPacked(text) ||
		f.keywords != nil && f.keywords.find(text) != 0
}

// MayMatchPlain is MayMatch for text as it stands: an encoded id counts only if it is one of
// the patterns.
func (f *Filter) MayMatchPlain(text []byte) bool {
	for _, p := range f.plain {
		if p.MayMatch(text) {
			return true
		}
	}
	return f.HasPattern(text) || f.HasPlainKeyword(text)
}

// HasPattern reports whether text holds one of Patterns.Anchors, Escaped or Encoded.
func (f *Filter) HasPattern(text []byte) bool { return f.patterns.contains(text) }

// HasPlainKeyword reports whether text holds one of Patterns.Keywords as it stands.
func (f *Filter) HasPlainKeyword(text []byte) bool {
	return f.keywords != nil && f.keywords.find(text)&plainSpelling != 0
}
