package detectors

// unescape undoes the escapes of JSON, URLs, HTML, shells' \x and \0 and
// terminals' colours in one pass. They mix: a URL within JSON within a log.
func unescape(text []byte, _ int) *view {
	v, done := &view{}, 0
	var one [1]byte
	for i := 0; i < len(text); {
		if !escapeStarts[text[i]] {
			i++
			continue
		}
		n, c := decodeEscape(text[i:])
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
