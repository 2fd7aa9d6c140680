// Package prefilter tells texts that may hold a credential from those that cannot.
package prefilter

// Patterns are what the rules of a detector look for. detectors.Rule documents the
// lists.
type Patterns struct{ Keywords, Anchors, Escaped, Encoded []string }

// A PlainFilter says whether text may match as it stands, with nothing decoded. Its
// methods keep the promises of those of Filter.
type PlainFilter interface {
	MayMatch(text []byte) bool
	MayMatchNear(text []byte) bool
	Window() int
	NearWindow() int
}

// A Filter decides whether a text is worth a search. Its plain filters look for what is
// not encoded, it itself for what is.
type Filter struct {
	plain    []PlainFilter
	keywords *keywordSearch // nil if there are none
	patterns *gramIndex
	ids      []string // the prefixes of ids that may be encoded

	window, nearWindow int
}

// New returns the filter of patterns and plain. Keywords are for rules whose detector
// has no plain filter, the other lists for those whose detector has one.
func New(plain []PlainFilter, rules []Patterns) Filter {
	f := Filter{plain: plain, window: max(encodedIDWindow, joinedIDWindow, gzipWindow)}
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

// MayMatchNear is MayMatch with a look around: a secret without an id needs a name
// before it.
func (f *Filter) MayMatchNear(text []byte) bool {
	for _, p := range f.plain {
		if p.MayMatchNear(text) {
			return true
		}
	}
	return f.mayMatchEncoded(text)
}

// Window returns the most bytes that MayMatch needs to see of a match.
func (f *Filter) Window() int { return f.window }

// NearWindow returns the most bytes that MayMatchNear needs to see of a match.
func (f *Filter) NearWindow() int { return f.nearWindow }

func (f *Filter) mayMatchEncoded(text []byte) bool {
	return f.HasPattern(text) || f.HasEncodedID(text) || f.HasJoinedID(text) || f.HasGzip(text) ||
		f.keywords != nil && f.keywords.find(text) != 0
}

// HasPattern reports whether text holds one of the patterns.
func (f *Filter) HasPattern(text []byte) bool { return f.patterns.contains(text) }

// HasPlainKeyword reports whether text holds one of Patterns.Keywords as it stands.
func (f *Filter) HasPlainKeyword(text []byte) bool {
	return f.keywords != nil && f.keywords.find(text)&plainSpelling != 0
}
