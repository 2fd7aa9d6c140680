package prefilter

import (
	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// An id may be encoded several times: the releases of Helm that kubectl prints are base64 of
// base64 of gzip, and a redirected PowerShell writes a manifest with base64 in UTF-16. An
// encoding is undone around a word if the word decodes to characters of the next encoding or
// of an id. All these are base64, with zeros between them in UTF-16.

// A layer is an encoding as it stands in a text.
type layer int

// The layers, each with a number for each offset at which a character of it may begin.
const (
	inBase64 layer = 0            // groups of four characters
	inHex    layer = inBase64 + 4 // pairs of digits
	inUTF16  layer = inHex + 2    // pairs of bytes
	inUTF32  layer = inUTF16 + 2  // four bytes each
	layers         = inUTF32 + 4  // the number of all these
)

const (
	// nestedBack and nestedAhead bound the bytes around a word that are decoded. The first
	// word of an id is near its beginning, but for one that a line break cuts. Larger windows
	// would cost time with every delta.
	nestedBack, nestedAhead = 40, 72
	// nestedIDWindow bounds an encoded id.
	nestedIDWindow = nestedBack + nestedAhead
	// nestedPacked is the number of characters of packed data in base64 that are in a window.
	nestedPacked = 24
	// nestedChunk bounds the bytes behind a word that are decoded at once. Then the words
	// in them, but for the last nestedIDWindow bytes, need not be decoded again.
	nestedChunk = 3 * nestedIDWindow
)

// A stretch is text[from:to], in which no encoded id begins.
type stretch struct{ from, to int }

// isDone reports whether the layer l around text[at:] was decoded before.
func (s *encodedSearch) isDone(l layer, at int) bool {
	done := &s.done[int(l)+at%l.width()]
	return done.from <= at && at < done.to
}

// isWithin reports whether an id or packed data is within the layer l around text[at:], where a
// character of the layer begins.
func (s *encodedSearch) isWithin(l layer, text []byte, at int) bool {
	if s.isDone(l, at) {
		return false
	}
	var space [nestedBack + nestedChunk + 8]byte
	plain, end := l.decodeAround(&space, text, at, nestedChunk)
	s.done[int(l)+at%l.width()] = stretch{at, end}
	if !s.holdsEncoded(plain) {
		return false
	}
	for last := max(end, at+1); at < last; at += 12 { // the same, within a window
		if plain, _ := l.decodeAround(&space, text, at, nestedAhead); s.holdsEncoded(plain) {
			return true
		}
	}
	return false
}

// holdsEncoded reports whether plain, decoded once, holds an id or packed data, encoded or not.
func (s *encodedSearch) holdsEncoded(plain []byte) bool {
	if s.holdsID(plain) || s.hasPackedIn(plain, 0, len(plain), nestedPacked) {
		return true
	}
	return s.depth > 1 && s.walkInner(plain)
}

// width returns the number of bytes of a character of l, or of a group of base64.
func (l layer) width() int {
	switch l {
	case inHex, inUTF16:
		return 2
	}
	return 4
}

// decodeAround decodes the layer around text[at:] into space: at most nestedBack bytes
// before at, and ahead bytes behind it. An id that begins before end is in plain.
func (l layer) decodeAround(space *[nestedBack + nestedChunk + 8]byte, text []byte, at, ahead int) (plain []byte, end int) {
	least, most := max(0, at-nestedBack), min(len(text), at+ahead)
	switch l {
	case inBase64:
		plain, end = base64Around(space[:0], text, at, least, most)
	case inHex:
		plain, end = hexAround(space[:0], text, at, least, most)
	default:
		plain, end = wideAround(space[:0], text, at, least, most, l.width())
	}
	if most < len(text) && end > most-nestedIDWindow { // the rest may be cut
		end = max(at, most-nestedIDWindow)
	}
	return plain, end
}

// isInner reports whether all bytes of b may be within text that is encoded again.
func isInner(b []byte) bool {
	for _, c := range b {
		if !encodings.Printable[c] && c != 0 {
			return false
		}
	}
	return true
}

// mayBeInner reports whether the six bytes of b are base64, as they stand or with a zero
// beside each.
func mayBeInner(b *[6]byte) bool {
	zeros := [2]int{} // at even and at odd offsets
	for i, c := range b {
		if c == 0 {
			zeros[i%2]++
		} else if !encodings.Base64Set[c] {
			return false
		}
	}
	return zeros[0]+zeros[1] == 0 || zeros[0]+zeros[1] == 3 && zeros[0]*zeros[1] == 0
}

// groupsMayBeInner reports whether the 2*words groups of base64 at i may be within base64 of
// an encoded id, or of an id.
func groupsMayBeInner(text []byte, i, words int) bool {
	if i+words*wordLen > len(text) {
		return false
	}
	for ; words > 0; words-- {
		var out [6]byte
		if !decodesToASCII(text[i:]) || !isBase64Word(text[i:]) {
			return false
		}
		decodeGroup(out[:], text[i:])
		if c := out[0]; c != 0 && !encodings.Base64Set[c] {
			return false // before the rest is decoded
		}
		decodeGroup(out[3:], text[i+4:])
		if !mayBeInner(&out) {
			return false
		}
		i += wordLen
	}
	return true
}

// decodesToASCII reports whether the two groups of base64 at the beginning of b decode to bytes
// below 0x80. It rules out most groups before they are decoded.
func decodesToASCII(b []byte) bool {
	v := &encodings.Base64Values
	_ = b[7]
	return (v[b[0]]|v[b[4]])&32|(v[b[1]]|v[b[5]])&8|(v[b[2]]|v[b[6]])&2 == 0
}

// base64Around decodes the groups around text[at:]. It skips line breaks, as decoding does,
// and ends where the result is no text.
//
//nolint:gocognit // calls in this loop lose the registers
func base64Around(dst, text []byte, at, least, most int) (plain []byte, end int) {
	var chars [nestedBack + nestedChunk + 8]byte
	from := nestedBack
	for i := at; from > 0 && i > least; {
		if !encodings.Base64Set[text[i-1]] {
			if i = encodings.SkipLineBreakBack(text, i); i <= least || !encodings.Base64Set[text[i-1]] {
				break
			}
		}
		i, from = i-1, from-1
		chars[from] = text[i]
	}
	to, line := nestedBack, -1 // line is the end of the first one
	i := at
	for ; i < most; i++ {
		if !encodings.Base64Set[text[i]] {
			next := encodings.SkipLineBreak(text, i)
			if next > i && line < 0 {
				line = i
			}
			if i = next; i >= most || !encodings.Base64Set[text[i]] {
				break
			}
		}
		chars[to] = text[i]
		to++
	}
	if end = line; line < 0 {
		end = min(i, most)
	}
	var group [3]byte
	start := nestedBack
	for start-4 >= from {
		start -= 4
		if decodeGroup(group[:], chars[start:]); !isInner(group[:]) {
			break
		}
	}
	for k := start; k < to; k += 4 { // the zeros behind to do no harm
		decodeGroup(group[:], chars[k:])
		dst = append(dst, group[:]...)
		if k >= nestedBack && !isInner(group[:]) {
			return dst, min(end, at+k-nestedBack+4)
		}
	}
	return dst, end
}

// isInHex reports whether the digits at i are within an id in hexadecimal.
func (s *encodedSearch) isInHex(text []byte, i int) bool {
	var out [6]byte
	if i+2*len(out) > len(text) {
		return false
	}
	for n := range out {
		high, low := text[i+2*n], text[i+2*n+1]
		if !encodings.HexSet[high] || !encodings.HexSet[low] {
			return false
		}
		out[n] = encodings.HexValues[high]<<4 | encodings.HexValues[low]
	}
	return mayBeInner(&out) && s.isWithin(inHex, text, i)
}

// hexAround decodes the pairs of digits around text[at:].
func hexAround(dst, text []byte, at, least, most int) (plain []byte, end int) {
	digit := func(i int) bool { return encodings.HexSet[text[i]] && encodings.HexSet[text[i+1]] }
	value := func(i int) byte { return encodings.HexValues[text[i]]<<4 | encodings.HexValues[text[i+1]] }
	from := at
	for from-2 >= least && digit(from-2) && isInner([]byte{value(from - 2)}) {
		from -= 2
	}
	for end = from; end+2 <= most && digit(end) && isInner([]byte{value(end)}); end += 2 {
		dst = append(dst, value(end))
	}
	return dst, max(at, end)
}

// isInWide reports whether the word at i is within an id in UTF-16 or UTF-32.
func (s *encodedSearch) isInWide(text []byte, i int) bool {
	at := i
	for at < i+wordLen && text[at] == 0 {
		at++
	}
	if at == i+wordLen {
		return false // zeros alone, as large files may have
	}
	return isWide(text[at:i+wordLen], 2) && s.isWithin(inUTF16, text, at) || isWide(text[at:i+wordLen], 4) && s.isWithin(inUTF32, text, at)
}

// isWide reports whether b is base64 of which each character takes width bytes, all but the
// first of them zero.
func isWide(b []byte, width int) bool {
	for k, c := range b {
		if k%width == 0 && !encodings.Base64Set[c] || k%width != 0 && c != 0 {
			return false
		}
	}
	return true
}

// wideAround narrows the characters around text[at:], each width bytes wide.
func wideAround(dst, text []byte, at, least, most, width int) (plain []byte, end int) {
	followed := func(i int) bool { // by zeros
		for k := i + 1; k < i+width; k++ {
			if k >= len(text) || text[k] != 0 {
				return false
			}
		}
		return true
	}
	from := at
	for from-width >= least && encodings.Printable[text[from-width]] && followed(from-width) {
		from -= width
	}
	for end = from; end < most && encodings.Printable[text[end]]; {
		dst = append(dst, text[end])
		wide := followed(end)
		end += width
		if !wide {
			break
		}
	}
	return dst, max(at, min(end, most))
}
