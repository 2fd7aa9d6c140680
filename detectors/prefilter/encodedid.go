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
//	plain             A K I A Q 7 X …
//	UTF-16            A . K . I . A . Q . 7 . X . …    every second byte is zero
//	hexadecimal       41 4b 49 41 51 37 58 …           every second digit is 0 to 7
//	base64            QUtJ QVE3 WA…                    every fourth character is M to W
//	base64 of base64  UVV0 SlFW RTNX QQ…               every fourth character is K to e
//
// Where a word has these bits, the characters around it are decoded. The result holds an id,
// or is searched in the same way.

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
next:
	for i := 0; i+encodings.IDLen <= len(text); i++ {
		for k := i + encodings.IDLen - 1; k >= i; k-- { // the last one first, to skip most
			if !idBytes[text[k]] {
				i = k
				continue next
			}
		}
		for _, prefix := range f.ids {
			if string(text[i:i+encodings.IDPrefix]) == prefix {
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
		if !idBytes[c] {
			return false
		}
	}
	return true
}

const (
	ones            = 0x0101010101010101
	highs           = 0x80 * ones
	everySecondByte = 0x00ff00ff00ff00ff
)

// Base64 of capital letters and digits: every fourth character is the upper six bits of
// one of them, which is a letter from M to W.

const someBodyLetters = 0x80808080

// bodyLetters sets the high bit of each of the first four bytes of w that is from M to W,
// if the fourth byte after it is too.
func bodyLetters(w uint64) uint64 {
	t := (w + (0x80-'M')*ones) &^ (w + (0x7f-'W')*ones)
	return t & (t >> 32)
}

// isUTF16Word reports whether every second byte of w is zero, as in UTF-16 and UTF-32.
func isUTF16Word(w uint64) bool { return w&everySecondByte == 0 || w&^everySecondByte == 0 }

// isHexWord reports whether every second byte of w, even or odd ones, may be the upper half
// of an ASCII character.
func isHexWord(w uint64) bool {
	const upper, zero = 0x00f800f800f800f8, 0x0030003000300030
	return w&upper == zero || w>>8&upper == zero
}

// isUTF16InBase64Word reports whether w has an "A" and another one three bytes later, if
// its eight bytes are repeated. In UTF-16, every second group of three bytes is a zero, a
// character and a zero. The four characters of such a group begin and end with "A".
func isUTF16InBase64Word(w uint64) bool {
	x := w ^ 'A'*ones
	z := (x - ones) &^ x & highs
	return z&bits.RotateLeft64(z, -24) != 0
}

// idStride is the distance of the words that are read. One of them lies in any 20 unbroken
// characters, and two in a row lie in any 33. An id in base64 has 27 characters; if a line
// break cuts them, only a part of the id may have a word, and wrapped.go finds it by the
// line before the break.
const idStride = 13

// An encodedSearch looks for encoded ids in one text.
type encodedSearch struct {
	*Filter
	depth int             // the number of encodings that may be undone
	done  [layers]stretch // of each layer the last one that was decoded
}

// HasEncodedID reports whether text may hold an id in base64, UTF-16, UTF-32 or hexadecimal,
// or packed data in base64 in one of them, within at most encodings.MaxRounds encodings.
func (f *Filter) HasEncodedID(text []byte) bool {
	s := encodedSearch{Filter: f, depth: encodings.MaxRounds}
	return s.find(text)
}

func (s *encodedSearch) find(text []byte) bool {
	const (
		step = 4 * idStride
		gap  = idStride - wordLen // the word that ends where the next one begins
	)
	i, n0 := 0, uint64(highs)
	if len(text) >= wordLen {
		n0 = notAlnum(binary.LittleEndian.Uint64(text))
	}
	for ; i+step+twoWords <= len(text); i += step {
		b := text[i : i+step+twoWords : i+step+twoWords]
		v0, v1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[idStride:])
		v2, v3 := binary.LittleEndian.Uint64(b[2*idStride:]), binary.LittleEndian.Uint64(b[3*idStride:])
		c := bodyLetters(v0) | bodyLetters(v1) | bodyLetters(v2) | bodyLetters(v3)
		v4 := binary.LittleEndian.Uint64(b[step:])
		n1, n2, n3, n4 := notAlnum(v1), notAlnum(v2), notAlnum(v3), notAlnum(v4)
		if min(n1|min(n0, n2), n3|min(n2, n4)) == 0 { // two words in a row may be in a run
			gap0, gap1 := notAlnum(binary.LittleEndian.Uint64(b[gap:])), notAlnum(binary.LittleEndian.Uint64(b[gap+idStride:]))
			gap2, gap3 := notAlnum(binary.LittleEndian.Uint64(b[gap+2*idStride:])), notAlnum(binary.LittleEndian.Uint64(b[gap+3*idStride:]))
			if min(n0|gap0|n1, n1|gap1|n2, n2|gap2|n3, n3|gap3|n4) == 0 && s.isInRuns(text, i, i+step) {
				return true
			}
		}
		n0 = n4
		// An id in one of the other encodings has 40 bytes or more: two words are enough.
		if c&someBodyLetters != 0 || isUTF16Word(v0) || isUTF16Word(v2) || isHexWord(v0) || isHexWord(v2) ||
			isUTF16InBase64Word(v0) || isUTF16InBase64Word(v2) {
			if s.findAround(text, i, i+step) {
				return true
			}
		}
	}
	return s.isInRuns(text, i, len(text)) || s.findAround(text, i, len(text))
}

// findAround reports whether one of the words at from, from+13, … of text[from:to] is
// within an encoded id.
func (s *encodedSearch) findAround(text []byte, from, to int) bool {
	for i := from; i < to && i+wordLen <= len(text); i += idStride {
		word := text[i : i+wordLen : i+wordLen]
		w := binary.LittleEndian.Uint64(word)
		if isUTF16Word(w) && s.isInWide(text, i) ||
			isHexWord(w) && s.isInHex(text, i) ||
			isUTF16InBase64Word(w) && s.isInBase64(text, i, someBodyLetters, 1) {
			return true
		}
		c := bodyLetters(w) & someBodyLetters
		if c == 0 || notAlnum(w) != 0 || !isBase64Word(word) {
			continue
		}
		for k := range 4 {
			if c>>(8*k)&0x80 != 0 && mayBeBodyGroup(word[k:]) && hasBodyGroups(text, i+k) && s.isWithin(inBase64, text, i+k) {
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

// decodeGroup decodes the group of four characters at the beginning of b.
func decodeGroup(out, b []byte) {
	var bits uint32
	for _, c := range b[:4] {
		bits = bits<<6 | uint32(encodings.Base64Values[c]&63)
	}
	out[0], out[1], out[2] = byte(bits>>16), byte(bits>>8), byte(bits)
}
