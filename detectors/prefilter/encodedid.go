package prefilter

import (
	"strings"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// An id is four letters, such as AKIA, and a body of 16 capital letters and digits. In
// base64 or UTF-16, the four letters are too short for the gram index, and the body is no
// pattern at all. But few other things are made of capital letters and digits alone. So the
// encoded body can be recognised by the bits of a few bytes:
//
//	plain             A K I A Q 7 X …
//	UTF-16            A . K . I . A . Q . 7 . X . …    every second byte is zero
//	hexadecimal       41 4b 49 41 51 37 58 …           every second digit is 0 to 7
//	base64            QUtJ QVE3 WA…                    it decodes to ASCII: every fourth
//	base64 of base64  UVV0 SlFW RTNX QQ…               character is I to f
//
// Where bytes have these bits, the characters around them are decoded. The result holds an id,
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

// idStride is the distance of the words in which ids in UTF-16 and hexadecimal are looked for.
// They have 40 bytes or more.
const idStride = 13

// isUTF16Word reports whether every second byte of w is zero, as in UTF-16 and UTF-32.
func isUTF16Word(w uint64) bool { return w&everySecondByte == 0 || w&^everySecondByte == 0 }

// isHexWord reports whether every second byte of w, even or odd ones, may be the upper half
// of an ASCII character.
func isHexWord(w uint64) bool {
	const upper, zero = 0x00f800f800f800f8, 0x0030003000300030
	return w&upper == zero || w>>8&upper == zero
}

// An encodedSearch looks for encoded ids in one text.
type encodedSearch struct {
	*Filter
	depth int             // the number of encodings that may be undone
	done  [layers]stretch // of each layer the last one that was decoded
}

// isBase64Word reports whether the eight bytes of b are base64.
func isBase64Word(b []byte) bool {
	v := &encodings.Base64Values
	_ = b[7]
	return (v[b[0]]|v[b[1]]|v[b[2]]|v[b[3]]|v[b[4]]|v[b[5]]|v[b[6]]|v[b[7]])&encodings.NoBase64 == 0
}

// hasBodyGroups reports whether the group at text[at:] is one of four in a row that decode
// to characters of a body. Any 20 unbroken characters of an id in base64 hold four.
func hasBodyGroups(text []byte, at int) bool {
	if c := text[at]; c < 'M' || c > 'W' {
		return false // the first of these characters is none of "0" to "Z", as in most texts
	}
	n := 0
	for i := at; n < 4 && i+4 <= len(text) && decodesToBody(text[i:i+4]); i += 4 {
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
	return isBody(out[:]) && areBase64(b)
}

// decodeGroup decodes the group of four characters at the beginning of b.
func decodeGroup(out, b []byte) {
	v := &encodings.Base64Values
	_ = b[3]
	bits := uint32(v[b[0]]&63)<<18 | uint32(v[b[1]]&63)<<12 | uint32(v[b[2]]&63)<<6 | uint32(v[b[3]]&63)
	out[0], out[1], out[2] = byte(bits>>16), byte(bits>>8), byte(bits)
}
