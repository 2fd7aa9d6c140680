package prefilter

import (
	"encoding/binary"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// A line break may cut an id in base64 anywhere:
//
//	…dGhlIGlkOiBBS0lBUTdYTjJLVkQ1
//	UlQ3TUIzNgphbmQgdGhlIHNlY3Jl…
//
// Decoding joins lines of at least encodings.MinWrapped characters, so such a line stands
// before the break. It is found by three words in a row of letters and digits: the last 46
// characters of a line hold them. One side of the break has 13 characters of the id or more,
// which hold two whole groups.

// wrappedIDWindow holds the line before a break, the break, and the id behind it.
const wrappedIDWindow = encodings.MinWrapped + encodings.MaxBreak + 28

// twoWords is the length of two words in a row, with the bytes between them.
const twoWords = idStride + wordLen

// notAlnum sets the high bit of each byte of w that is below "0" or not ASCII, or one of
// [\]^_{|}~. It may mark bytes after these too. Base64 of an id, and of its base64, is
// letters and digits alone; names in programs have many "_".
func notAlnum(w uint64) uint64 {
	small := w | 0x20*ones // [\]^_ are {|}~ and DEL, behind "z"
	return (w | (w - '0'*ones) | (small + (0x7f-'z')*ones)) & highs
}

// notHex sets the high bit of each byte of w, of letters and digits, that is no digit of
// lower-case hexadecimal. A run of such digits is a hash: base64 has 16 of them in a row by
// chance once in 2^32, and base64 of base64 of an id never has.
func notHex(w uint64) uint64 { return (w + (0x80-'g')*ones | w<<1&^(w<<2)) & highs }

// isInRuns reports whether two of the words at from, from+13, … of text[from:to] are within
// base64 of an encoded id, or at the end of a line that cuts one.
func (s *encodedSearch) isInRuns(text []byte, from, to int) bool {
	for i := from; i < to && i+twoWords <= len(text); i += idStride {
		v, w := binary.LittleEndian.Uint64(text[i:]), binary.LittleEndian.Uint64(text[i+idStride:])
		between := binary.LittleEndian.Uint64(text[i+idStride-wordLen:])
		if notAlnum(v)|notAlnum(between)|notAlnum(w) != 0 || notHex(v)|notHex(w) == 0 {
			continue
		}
		nested := nestedLetters(v, w)
		if nested&someBodyLetters != 0 && s.isInBase64(text, i, nested, 2) ||
			i >= wordLen && encodings.Base64Set[text[i-1]] && encodings.Base64Set[text[i-wordLen+1]] && s.isBeforeBreak(text, i+twoWords) {
			return true
		}
	}
	return false
}

// isBeforeBreak reports whether the line of base64 that holds the two words before i ends
// before the next one, and its end cuts an id.
func (s *encodedSearch) isBeforeBreak(text []byte, i int) bool {
	if i+idStride <= len(text) &&
		breakBytes(binary.LittleEndian.Uint64(text[i:]))|breakBytes(binary.LittleEndian.Uint64(text[i+idStride-wordLen:])) == 0 {
		return false
	}
	end := i
	for end < len(text) && end < i+idStride && encodings.Base64Set[text[end]] {
		end++
	}
	next := encodings.SkipLineBreak(text, end)
	if next == end || next == len(text) || !encodings.Base64Set[text[next]] ||
		end < encodings.MinWrapped || !areBase64(text[end-encodings.MinWrapped:end]) {
		return false
	}
	for cut := range 4 { // the characters of the group at the break that are before it
		at := end - cut
		if (groupsMayBeInner(text, at-wordLen, 1) || groupsMayBeInner(text, next+(4-cut)%4, 1)) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	return false
}

// breakBytes sets the high bit of a byte of w that may begin a line break. It may mark
// other bytes too.
func breakBytes(w uint64) uint64 { return (w - ('\r'+1)*ones) &^ w & highs }
