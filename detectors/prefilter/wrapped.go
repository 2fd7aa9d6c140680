package prefilter

import "github.com/stanch-dev/stanch/detectors/internal/encodings"

// A line break may cut an id in base64 anywhere:
//
//	…dGhlIGlkOiBBS0lBUTdYTjJLVkQ1
//	UlQ3TUIzNgphbmQgdGhlIHNlY3Jl…
//
// Decoding joins lines of at least encodings.MinWrapped characters, so such a line stands
// before the break. It is found by two words in a row that may be base64. At its end, one
// side of the break has 13 characters of the id or more, two whole groups.

// twoWords is the length of two words in a row, with the bytes between them.
const twoWords = idStride + wordLen

// nonRunBytes sets the high bit of each byte of w that is below "+", the least character of
// base64, or not ASCII. It may mark bytes after these too.
func nonRunBytes(w uint64) uint64 { return (w | (w - '+'*ones)) & (0x80 * ones) }

// isRunOfTwo reports whether the word w at i and the next one are base64.
func isRunOfTwo(text []byte, i int, w uint64) bool {
	return nonRunBytes(w) == 0 && i+twoWords <= len(text) && isBase64Word(text[i:]) && isBase64Word(text[i+idStride:])
}

// idAcrossBreak reports whether the line of base64 that holds the two words before i ends
// before the next two, and its end cuts an id.
func (f *Filter) idAcrossBreak(text []byte, i int) bool {
	end := i
	for end < len(text) && encodings.Base64Set[text[end]] {
		if end++; end-i == idStride {
			return false
		}
	}
	next := skipBreak(text, end)
	if next == end || next == len(text) || !encodings.Base64Set[text[next]] ||
		end < encodings.MinWrapped || !areBase64(text[end-encodings.MinWrapped:end]) {
		return false
	}
	for cut := range 4 { // the characters of the group at the break that are before it
		at := end - cut
		if (areBodyGroups(text, at-wordLen) || areBodyGroups(text, next+(4-cut)%4)) && f.idInBase64(text, at) {
			return true
		}
	}
	return false
}

// areBodyGroups reports whether the two groups at i decode to characters of a body.
func areBodyGroups(text []byte, i int) bool {
	return i+wordLen <= len(text) && decodesToBody(text[i:i+4]) && decodesToBody(text[i+4:i+wordLen])
}

// skipBreak returns the end of the line break at i and of the indentation behind it, or i
// if there is none. Within a string, a break may be written \n.
func skipBreak(text []byte, i int) int {
	for i+1 < len(text) && text[i] == '\\' && (text[i+1] == 'n' || text[i+1] == 'r') {
		i += 2
	}
	return encodings.SkipLineBreak(text, i)
}

// skipBreakBack returns the start of the line break whose indentation ends at i, or i if
// there is none.
func skipBreakBack(text []byte, i int) int {
	i = encodings.SkipLineBreakBack(text, i)
	for i > 1 && text[i-2] == '\\' && (text[i-1] == 'n' || text[i-1] == 'r') {
		i -= 2
	}
	return i
}
