package views

import "github.com/stanch-dev/stanch/detectors/internal/encodings"

// decodeHex replaces every run of hexadecimal digits that decodes to text. Hashes
// do not.
func decodeHex(text []byte, _ int) *View {
	v, done := &View{}, 0
	var out []byte
	for start, end := encodings.NextRun(text, 0, encodings.MinHex, &encodings.HexSet); start < end; start, end = encodings.NextRun(text, end, encodings.MinHex, &encodings.HexSet) {
		if glued(text, start, end) {
			continue
		}
		for from := start; from < start+2; from++ {
			var ok bool
			if out, ok = appendHex(out[:0], text[from:end]); !ok {
				continue
			}
			first := from
			if from == start && hasHexPrefix(text[done:from]) {
				first -= 2
			}
			v.appendVerbatim(text, done, first)
			v.appendDecoded(out, first, from+2*len(out))
			done = from + 2*len(out)
			break
		}
	}
	if done == 0 {
		return nil
	}
	v.appendVerbatim(text, done, len(text))
	return v
}

// glued reports whether the run is a part of a longer word. If it were decoded, the rest
// of the word would stand alone: AKIA…2020… would read as an id and spaces.
func glued(text []byte, start, end int) bool {
	return end < len(text) && encodings.WordBytes[text[end]] || start > 0 && encodings.WordBytes[text[start-1]] && !hasHexPrefix(text[:start])
}

// hasHexPrefix reports whether b ends in 0x, or in \x as in PostgreSQL.
func hasHexPrefix(b []byte) bool {
	n := len(b)
	return n >= 2 && b[n-1]|0x20 == 'x' && (b[n-2] == '0' || b[n-2] == '\\')
}

// appendHex appends the decoded run to dst and reports whether it is text.
func appendHex(dst, run []byte) ([]byte, bool) {
	odd := 0
	for i := 0; i+1 < len(run); i += 2 {
		c := encodings.HexValues[run[i]]<<4 | encodings.HexValues[run[i+1]]
		if !encodings.Printable[c] {
			if odd++; odd*32 > len(run) {
				return dst, false
			}
		}
		dst = append(dst, c)
	}
	return dst, true
}
