package prefilter

import (
	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// A line break may cut an id in base64 anywhere:
//
//	…dGhlIGlkOiBBS0lBUTdYTjJLVkQ1
//	UlQ3TUIzNgphbmQgdGhlIHNlY3Jl…
//
// Decoding joins lines of at least encodings.MinWrapped characters, so such a line stands
// before the break. It is a run. One side of the break has 13 characters of the id or more,
// which hold two whole groups.

// wrappedIDWindow holds the line before a break, the break, and the id behind it.
const wrappedIDWindow = encodings.MinWrapped + encodings.MaxBreak + 28

// isBeforeBreak reports whether the run that ends at text[end:] ends at a line break, which
// cuts an id in base64.
func (s *encodedSearch) isBeforeBreak(text []byte, end int) bool {
	next := encodings.SkipLineBreak(text, end)
	if next == end || next == len(text) || !encodings.Base64Set[text[next]] || !areBase64(text[end-encodings.MinWrapped:end]) {
		return false
	}
	for cut := range 4 { // the characters of the group at the break that are before it
		at := end - cut
		if (decodesToASCII(text[at-wordLen:]) && groupsMayBeInner(text, at-wordLen, 1) || groupsMayBeInner(text, next+(4-cut)%4, 1)) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	return false
}
