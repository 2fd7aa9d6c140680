package prefilter

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// An id is four letters, such as AKIA, and a body of 16 capital letters and digits. In
// base64 or UTF-16, the four letters are too short for the gram index, and the body is no
// pattern at all. But few other things are made of capital letters and digits alone. So a
// word of eight bytes within the encoded body can be recognised by its bits:
//
//	plain        A K I A Q 7 X …
//	UTF-16       A . K . I . A . Q . 7 . X . …    every second byte is zero
//	hexadecimal  41 4b 49 41 51 37 58 …           every second digit is 3, 4 or 5
//	base64       QUtJ QVE3 WA…                    every fourth character is M to W
//
// Where a word has these bits, the characters around it are decoded and compared with the
// known prefixes.

const (
	// idInBase64Len is the length of an id in base64, with the whole groups at its ends.
	idInBase64Len   = 28
	encodedIDWindow = 2*idInBase64Len + wordLen + 2*encodings.MaxBreak
	// wrappedIDWindow holds the line before a break, the break, and the id behind it.
	wrappedIDWindow = encodings.MinWrapped + encodings.MaxBreak + idInBase64Len
	// idInUTF16InBase64Len is the same for an id in UTF-16 in base64: 40 bytes, 16 groups.
	idInUTF16InBase64Len = 4 * 16
)

// prefixOfID returns the prefix of the id that e describes, AKIA of "AKIA################",
// or "" if e describes no id.
func prefixOfID(e string) string {
	prefix, body := strings.CutSuffix(e, strings.Repeat("#", encodings.IDBody))
	if !body {
		return ""
	}
	return prefix
}

// holdsID reports whether text holds an id. The characters around it do not matter.
func (f *Filter) holdsID(text []byte) bool {
	for i := 0; i+encodings.IDLen <= len(text); i++ {
		for _, prefix := range f.ids {
			if string(text[i:i+encodings.IDPrefix]) == prefix && isBody(text[i+encodings.IDPrefix:i+encodings.IDLen]) {
				return true
			}
		}
	}
	return false
}

func areBase64(b []byte) bool {
	for _, c := range b {
		if !encodings.Base64Set[c] {
			return false
		}
	}
	return true
}

func isBody(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Base64 of capital letters and digits: every fourth character is the upper six bits of
// one of them, which is a letter from M to W.

const ones = 0x0101010101010101

const someBodyLetters = 0x80808080

// bodyLetters sets the high bit of each of the first four bytes of w that is from M to W,
// if the fourth byte after it is too.
func bodyLetters(w uint64) uint64 {
	t := (w + (0x80-'M')*ones) &^ (w + (0x7f-'W')*ones)
	return t & (t >> 32)
}

// idStride is the distance of the words that are read. One of them lies in any 20 unbroken
// characters, and two in a row lie in any 33. An id in base64 has 27 characters; if a line
// break cuts them, only a part of the id may have a word, and wrapped.go finds it by the
// line before the break.
const idStride = 13

// HasEncodedID reports whether text may hold an id in base64, UTF-16 or UTF-32, in
// UTF-16 in base64, or in hexadecimal.
func (f *Filter) HasEncodedID(text []byte) bool {
	const step = 4 * idStride
	i := 0
	for ; i+step+wordLen <= len(text); i += step {
		b := text[i : i+step+wordLen : i+step+wordLen]
		v0, v1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[idStride:])
		v2, v3 := binary.LittleEndian.Uint64(b[2*idStride:]), binary.LittleEndian.Uint64(b[3*idStride:])
		c := bodyLetters(v0) | bodyLetters(v1) | bodyLetters(v2) | bodyLetters(v3)
		n1, n3 := nonRunBytes(v1), nonRunBytes(v3)
		run := min(nonRunBytes(v0)|n1, n1|nonRunBytes(v2), nonRunBytes(v2)|n3, n3|nonRunBytes(binary.LittleEndian.Uint64(b[step:])))
		// An id in one of the other encodings has 40 bytes or more: two words are enough.
		if c&someBodyLetters != 0 || run == 0 || isUTF16Word(v0) || isUTF16Word(v2) || isHexWord(v0) || isHexWord(v2) ||
			isUTF16InBase64Word(v0) || isUTF16InBase64Word(v2) {
			if f.encodedIDAround(text, i, i+step) {
				return true
			}
		}
	}
	return f.encodedIDAround(text, i, len(text))
}

// encodedIDAround reports whether one of the words at from, from+13, … of text[from:to] is
// within an encoded id, or in the line before one.
func (f *Filter) encodedIDAround(text []byte, from, to int) bool {
	for i := from; i < to && i+wordLen <= len(text); i += idStride {
		word := text[i : i+wordLen : i+wordLen]
		w := binary.LittleEndian.Uint64(word)
		if isUTF16Word(w) && (f.idInUTF16(text, i, 2) || f.idInUTF16(text, i, 4)) ||
			isUTF16InBase64Word(w) && f.idInUTF16InBase64(text, i) ||
			isHexWord(w) && (f.idInHex(text, i) || f.idInHex(text, i+1)) ||
			isRunOfTwo(text, i, w) && f.idAcrossBreak(text, i+twoWords) {
			return true
		}
		c := bodyLetters(w) & someBodyLetters
		if c == 0 || !isBase64Word(word) {
			continue
		}
		for k := range 4 {
			if c>>(8*k)&0x80 != 0 && mayBeBodyGroup(word[k:]) && hasBodyGroups(text, i+k) && f.idInBase64(text, i+k) {
				return true
			}
		}
	}
	return false
}

// isBase64Word reports whether the eight bytes of b are base64.
func isBase64Word(b []byte) bool {
	v := &encodings.Base64Values
	_ = b[7]
	return (v[b[0]]|v[b[1]]|v[b[2]]|v[b[3]]|v[b[4]]|v[b[5]]|v[b[6]]|v[b[7]])&encodings.NoBase64 == 0
}

// mayBeBodyGroup reports whether word, which begins with a group of base64, may be within
// an id: the group decodes to three characters of a body, and the next one may do so too.
func mayBeBodyGroup(word []byte) bool {
	var out [3]byte
	decodeGroup(out[:], word)
	return isBody(out[:]) && 'M' <= word[4] && word[4] <= 'W'
}

// hasBodyGroups reports whether the group at text[at:] is one of four in a row that decode
// to characters of a body. Any 20 unbroken characters of an id in base64 hold four.
func hasBodyGroups(text []byte, at int) bool {
	n := 1
	for i := at + 4; n < 4 && i+4 <= len(text) && decodesToBody(text[i:i+4]); i += 4 {
		n++
	}
	for i := at - 4; n < 4 && i >= 0 && decodesToBody(text[i:i+4]); i -= 4 {
		n++
	}
	return n == 4
}

// decodesToBody reports whether b, a group of base64, decodes to characters of a body.
func decodesToBody(b []byte) bool {
	var out [3]byte
	decodeGroup(out[:], b)
	return areBase64(b) && isBody(out[:])
}

// idInBase64 reports whether an id is around the group of base64 at text[at:]. It skips
// line breaks, as decoding does.
func (f *Filter) idInBase64(text []byte, at int) bool {
	var chars [2*idInBase64Len + 4]byte
	from := idInBase64Len
	for i := at; from > 0; {
		if i = skipBreakBack(text, i); i == 0 || !encodings.Base64Set[text[i-1]] {
			break
		}
		i, from = i-1, from-1
		chars[from] = text[i]
	}
	to := idInBase64Len
	for i := at; to < len(chars); i++ {
		if i = skipBreak(text, i); i == len(text) || !encodings.Base64Set[text[i]] {
			break
		}
		chars[to] = text[i]
		to++
	}
	from += (idInBase64Len - from) % 4
	var plain [len(chars) / 4 * 3]byte
	n := 0
	for ; from < to; from += 4 { // the zeros behind to do no harm
		decodeGroup(plain[n:], chars[from:])
		n += 3
	}
	return f.holdsID(plain[:n])
}

// decodeGroup decodes the group of four characters at the beginning of b.
func decodeGroup(out, b []byte) {
	var bits uint32
	for _, c := range b[:4] {
		bits = bits<<6 | uint32(encodings.Base64Values[c]&63)
	}
	out[0], out[1], out[2] = byte(bits>>16), byte(bits>>8), byte(bits)
}

// UTF-16 and UTF-32: at least every second byte is zero.

const everySecondByte = 0x00ff00ff00ff00ff

func isUTF16Word(w uint64) bool { return w&everySecondByte == 0 || w&^everySecondByte == 0 }

// idInUTF16 reports whether the word at i is within an id whose characters take width bytes
// each, all but one of them zero.
func (f *Filter) idInUTF16(text []byte, i, width int) bool {
	end := i + wordLen
	for i < end && text[i] == 0 {
		i++
	}
	if i == end {
		return false // zeros alone, as large files may have
	}
	for k := i; k < end; k++ {
		if at := k - i; at%width == 0 && !isBody(text[k:k+1]) || at%width != 0 && text[k] != 0 {
			return false
		}
	}
	for back := 0; back < encodings.IDLen && i >= width && text[i-1] == 0; back++ {
		i -= width
	}
	var narrow [2 * encodings.IDLen]byte
	n := 0
	for ; n < len(narrow) && i < len(text) && (n == 0 || text[i-1] == 0); n++ {
		narrow[n] = text[i]
		i += width
	}
	return f.holdsID(narrow[:n])
}

// UTF-16 in base64: every second group of three bytes is a zero, a character and a zero.
// The four characters of such a group begin and end with "A".

// isUTF16InBase64Word reports whether w has an "A" and another one three bytes later, if
// its eight bytes are repeated.
func isUTF16InBase64Word(w uint64) bool {
	x := w ^ 'A'*ones
	z := (x - ones) &^ x & (0x80 * ones)
	return z&bits.RotateLeft64(z, -24) != 0
}

// idInUTF16InBase64 reports whether the word at i is within an id in UTF-16 in base64.
func (f *Filter) idInUTF16InBase64(text []byte, i int) bool {
	for at := i; at < i+wordLen && at+4 <= len(text); at++ {
		// The upper half of a capital letter or a digit is 3, 4 or 5.
		if text[at] != 'A' || text[at+3] != 'A' || text[at+1] < 'D' || text[at+1] > 'F' {
			continue
		}
		from, to := at, at
		for from >= 4 && at-from < idInUTF16InBase64Len && areBase64(text[from-4:from]) {
			from -= 4
		}
		for to+4 <= len(text) && to-at < idInUTF16InBase64Len && areBase64(text[to:to+4]) {
			to += 4
		}
		// The text may end in the middle of the last group.
		var chars [2*idInUTF16InBase64Len + 4]byte
		n := copy(chars[:], text[from:min(to+3, len(text))])
		var plain [len(chars) / 4 * 3]byte
		for k := 0; k < n; k += 4 {
			decodeGroup(plain[k/4*3:], chars[k:])
		}
		var narrow [len(plain)/2 + 1]byte
		m := 0
		for k := ((at-from)/4*3 + 1) % 2; k < n/4*3+2; k += 2 {
			narrow[m] = plain[k]
			m++
		}
		if f.holdsID(narrow[:m]) {
			return true
		}
	}
	return false
}

// Hexadecimal: every second digit is the upper half of a character, 3, 4 or 5.

// isHexWord reports whether every second byte of w, even or odd ones, is such a digit or a
// 6.
func isHexWord(w uint64) bool {
	const three, four = 0x0033003300330033, 0x00fc00fc00fc00fc
	return (w&everySecondByte-three)&four == 0 || (w>>8&everySecondByte-three)&four == 0
}

// idInHex reports whether an id is around the two digits at i.
func (f *Filter) idInHex(text []byte, i int) bool {
	from, to := i, i
	for from >= 2 && i-from < encodings.MinHex && encodings.HexSet[text[from-2]] && encodings.HexSet[text[from-1]] {
		from -= 2
	}
	for to+2 <= len(text) && to-i < encodings.MinHex && encodings.HexSet[text[to]] && encodings.HexSet[text[to+1]] {
		to += 2
	}
	if to-from < encodings.MinHex {
		return false
	}
	var plain [encodings.MinHex]byte
	n := 0
	for k := from; k < to; k += 2 {
		plain[n] = encodings.HexValues[text[k]]<<4 | encodings.HexValues[text[k+1]]
		n++
	}
	return f.holdsID(plain[:n])
}
