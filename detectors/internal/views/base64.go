package views

import (
	"slices"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// minBase64 is the least length of a run of base64. A shorter one cannot hold an id.
const minBase64 = 24

// decodeBase64 replaces every run of base64 that decodes to text, to UTF-16
// (PowerShell's -EncodedCommand) or to packed text (releases of Helm are gzip). A Kubernetes
// secret encodes each value on its own; the view shows the id and the secret together.
func decodeBase64(text []byte, room int) *View {
	v, done := &View{}, 0
	out := make([]byte, 0, 1<<10)
	replace := func(start, end int) bool {
		if end-start < minBase64 {
			return false
		}
		out = slices.Grow(out[:0], end-start)
		plain := base64Text(out, text[start:end])
		if plain == nil {
			return false
		}
		if encodings.PackingOf(plain) != encodings.NotPacked {
			if plain = unpack(plain, room); plain == nil {
				return false
			}
			room -= len(plain)
		}
		for end < len(text) && text[end] == '=' {
			end++
		}
		v.appendVerbatim(text, done, start)
		v.appendDecoded(plain, start, end)
		done = end
		return true
	}
	for start, _ := encodings.NextRun(text, 0, minBase64, &encodings.Base64Set); start < len(text); {
		end := base64End(text, start)
		if !replace(start, end) {
			// The lines do not decode together. Perhaps one of them does.
			for from, to := encodings.NextRun(text[:end], start, minBase64, &encodings.Base64Set); from < to; from, to = encodings.NextRun(text[:end], to, minBase64, &encodings.Base64Set) {
				replace(from, to)
			}
		}
		start, _ = encodings.NextRun(text, max(end, done), minBase64, &encodings.Base64Set)
	}
	if done == 0 {
		return nil
	}
	v.appendVerbatim(text, done, len(text))
	return v
}

// base64End returns the end of the run of base64 that begins at start. A run continues in
// the next line, indented or not, if its part of the line has at least encodings.MinWrapped bytes.
func base64End(text []byte, start int) int {
	line := start
	for i := start; ; {
		i = encodings.RunEnd(text, i, &encodings.Base64Set)
		next := i
		for next < len(text) && (text[next] == '\r' || text[next] == '\n' || next > i && (text[next] == ' ' || text[next] == '\t')) {
			next++
		}
		if next == i || next == len(text) || !encodings.Base64Set[text[next]] || i-line < encodings.MinWrapped {
			return i
		}
		line, i = next, next
	}
}

// base64Text decodes run, of either alphabet and wrapped or not. It returns nil unless the
// result is printable text, UTF-16 of it, or packed. It uses the space of out. Up to three
// characters at the front are skipped: a path or a name may be glued to the run.
func base64Text(out, run []byte) []byte {
	for shift := range min(4, len(run)) {
		if plain, ok := decodeRun(out[:0], run[shift:]); ok {
			return plain
		}
	}
	return nil
}

// decodeRun appends the decoded run to dst and reports whether it is text, UTF-16 or packed.
// It gives up as soon as the result cannot be any of them.
func decodeRun(dst, run []byte) ([]byte, bool) {
	most := len(run) * 3 / 4 / 16 // bytes that are not printable, as in IsText
	n, bits, seen := 0, uint32(0), uint64(0)
	packed := false
	for i := 0; i < len(run); {
		if n%4 == 0 && i+4 <= len(run) && isGroup(run[i:i+4]) {
			bits, n, i = groupBits(run[i:i+4]), n+4, i+4
		} else {
			value := encodings.Base64Values[run[i]]
			i++
			if value == encodings.NoBase64 {
				continue // line breaks
			}
			bits = bits<<6 | uint32(value)
			if n++; n%4 != 0 {
				continue
			}
		}
		a, b, c := byte(bits>>16), byte(bits>>8), byte(bits)
		seen += oddOrWide[a] + oddOrWide[b] + oddOrWide[c]
		dst = append(dst, a, b, c)
		if len(dst) == encodings.PackedHead {
			packed = encodings.PackingOf(dst) != encodings.NotPacked
		}
		// Half of the bytes of UTF-16 are zero, no more.
		odd, wide := int(seen&(1<<32-1)), int(seen>>32)
		if !packed && len(dst) >= encodings.PackedHead && (odd > most || len(dst) == 24 && wide > len(dst)/2+1) {
			return nil, false
		}
	}
	switch n % 4 {
	case 2:
		dst = append(dst, byte(bits>>4))
	case 3:
		dst = append(dst, byte(bits>>10), byte(bits>>2))
	}
	if packed && len(dst) >= encodings.MinPacked {
		return dst, true
	}
	return dst, encodings.IsText(dst) || isWide(dst)
}

// oddOrWide counts a byte: as one that is not printable, in the lower half, or as a zero, in
// the upper half.
var oddOrWide = func() (t [256]uint64) {
	for c := range t {
		if c == 0 {
			t[c] = 1 << 32
		} else if !encodings.Printable[c] {
			t[c] = 1
		}
	}
	return t
}()

// isGroup reports whether the four bytes of b are base64.
func isGroup(b []byte) bool {
	v := &encodings.Base64Values
	_ = b[3]
	return (v[b[0]]|v[b[1]]|v[b[2]]|v[b[3]])&encodings.NoBase64 == 0
}

// groupBits returns the 24 bits of a group of base64.
func groupBits(b []byte) uint32 {
	v := &encodings.Base64Values
	_ = b[3]
	return uint32(v[b[0]])<<18 | uint32(v[b[1]])<<12 | uint32(v[b[2]])<<6 | uint32(v[b[3]])
}

// isWide reports whether b is text in UTF-16.
func isWide(b []byte) bool {
	zeros, odd := 0, 0
	for _, c := range b {
		if c == 0 {
			zeros++
		} else if !encodings.Printable[c] {
			odd++
		}
	}
	return zeros*5 >= len(b)*2 && zeros*2 <= len(b)+1 && odd*16 <= len(b)
}
