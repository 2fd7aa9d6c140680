package views

import "github.com/stanch-dev/stanch/detectors/internal/encodings"

// unescape undoes the escapes of JSON, URLs, HTML, shells' \x and \0 and
// terminals' colours in one pass, since they mix: a URL within JSON within a log.
func unescape(text []byte, _ int) *View {
	v, done := &View{}, 0
	var one [1]byte
	for i := 0; i < len(text); {
		if !encodings.EscapeStarts[text[i]] {
			i++
			continue
		}
		n, c := encodings.DecodeEscape(text[i:])
		if n == 0 {
			i++
			continue
		}
		v.appendVerbatim(text, done, i)
		one[0] = c
		v.appendDecoded(one[:], i, i+n)
		i += n
		done = i
	}
	if done == 0 {
		return nil
	}
	v.appendVerbatim(text, done, len(text))
	return v
}
