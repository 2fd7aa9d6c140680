package prefilter

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// Packed data in base64 begins with one of these, at the beginning of a run of base64:
//
//	gzip  H4sI                     1f 8b 08
//	zip   UEsD                     50 4b 03
//	zlib  eAE… eF4… eJw… eNo…      78 01, 78 5e, 78 9c, 78 da: one for each level
//
// "e" and a capital letter are in many names. So a run of base64 has to follow, and the first
// bytes of zlib have to be such that they can be inflated.

// gzipMark is the beginning of gzip in base64. The bytes behind it are usually zero, which
// is how New recognises gzip that is encoded twice.
const gzipMark = "H4sI"

const (
	// packedChars is the least number of characters of packed data.
	packedChars = encodings.MinPacked / 3 * 4
	// packedGlued bounds the characters of base64 right before the first one: three, which
	// decoding skips, and an escape such as \U0000003d.
	packedGlued = 3 + maxEscape
	// packedSpan bounds packedChars characters with the escapes and line breaks in them.
	packedSpan = packedChars + 32
	// packedWindow bounds all these.
	packedWindow = packedGlued + 1 + packedSpan
)

// packedLeast is the least length of the first run of packed data. The first line has 57
// characters: encoders wrap at 60 columns or more, and decoding skips three of them.
const packedLeast = 54

// hasPackedIn reports whether packed data of chars characters of base64 begins in
// text[from:to-3].
func (f *Filter) hasPackedIn(text []byte, from, to, chars int) bool {
	i := max(0, from)
	for ; i+wordLen < len(text) && i < to; i += wordLen {
		for pairs := packedPairs(text[i : i+wordLen+1]); pairs != 0; pairs &= pairs - 1 {
			if f.isPackedPair(text, i+bits.TrailingZeros64(pairs)/8, chars) {
				return true
			}
		}
	}
	for ; i < to; i++ {
		if f.isPackedPair(text, i, chars) {
			return true
		}
	}
	return false
}

// packedPairs sets the high bit of each of the first eight bytes of b that is "e" or "s", or
// one of six other letters, if a capital letter up to "O" follows: as in eJ and H4sI.
func packedPairs(b []byte) uint64 {
	first, second := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[1:])
	not := first&(0xe9*ones) ^ 0x61*ones | second&(0xf0*ones) ^ 0x40*ones
	return (not - ones) &^ not & highs
}

// isPackedPair reports whether packed data begins with the "e" at i, or has its third
// character, "s", there.
func (f *Filter) isPackedPair(text []byte, i, chars int) bool {
	if text[i] == 's' {
		i -= 2
	} else if text[i] != 'e' {
		return false
	}
	if i < 0 || i+4 > len(text) {
		return false
	}
	var head [3]byte
	decodeGroup(head[:], text[i:])
	return encodings.PackingOf(head[:]) != encodings.NotPacked && f.isPacked(text, i, chars)
}

// isPacked reports whether packed data of chars characters of base64 begins at i. It decodes
// them up to the first escape.
func (f *Filter) isPacked(text []byte, i, chars int) bool {
	if !areBase64(text[i:i+4]) || i > packedGlued && areBase64(text[i-packedGlued-1:i]) {
		return false
	}
	var space [encodings.MinPacked]byte
	head, group, n, escaped := space[:0], uint32(0), 0, false
	for j := i; j < min(len(text), i+packedSpan) && n < chars; j++ {
		switch j = encodings.SkipLineBreak(text, j); {
		case j == len(text):
		case encodings.EscapeStarts[text[j]]:
			escaped = true
		case !encodings.Base64Set[text[j]]:
			return false
		default:
			n, group = n+1, group<<6|uint32(encodings.Base64Values[text[j]])
			if n%4 == 0 && !escaped {
				head = append(head, byte(group>>16), byte(group>>8), byte(group))
			}
		}
	}
	if n < chars {
		return false
	}
	switch encodings.PackingOf(head) {
	case encodings.NotPacked:
		return false
	case encodings.Zlib:
		return f.beginsDeflate(head[2:])
	}
	return true
}

// beginsDeflate reports whether b may be the beginning of deflate (RFC 1951) that has an id
// in it.
func (f *Filter) beginsDeflate(b []byte) bool {
	const blockType, invalid = 6, 6
	if b[0]&blockType == invalid { // as one of four texts that are none
		return false
	}
	r := f.inflaters.Get().(io.Reader)
	defer f.inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b), nil); err != nil {
		return true
	}
	n, err := io.Copy(io.Discard, r)
	var corrupt flate.CorruptInputError
	return !errors.As(err, &corrupt) && (err != nil || n >= encodings.IDLen)
}
