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
		n, c := escape(text[i:])
		if n == 0 {
			i++
			continue
		}
		v.copy(text, done, i)
		one[0] = c
		v.emit(one[:], i, i+n)
		i += n
		done = i
	}
	if done == 0 {
		return nil
	}
	v.copy(text, done, len(text))
	return v
}
