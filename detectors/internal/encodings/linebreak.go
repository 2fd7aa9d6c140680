package encodings

// MaxBreak bounds a line break in base64 with the indentation of the next line.
const MaxBreak = 24

// MinWrapped is the least length of a wrapped line of base64. Encoders wrap at 60 to 120
// columns, most of them at 76 (MIME) or 64 (PEM). A shorter run is a word at the end of its
// line.
const MinWrapped = 40

// SkipLineBreak returns the end of the line break at i and of the indentation behind it,
// or i if there is no line break.
func SkipLineBreak(text []byte, i int) int {
	j, most := i, min(len(text), i+MaxBreak)
	if j == len(text) || text[j] != '\n' && text[j] != '\r' {
		return i
	}
	for j < most && IsBlank(text[j]) {
		j++
	}
	return j
}

// SkipLineBreakBack returns the start of the line break whose indentation ends at i, or i
// if there is none.
func SkipLineBreakBack(text []byte, i int) int {
	j, least := i, max(0, i-MaxBreak)
	broken := false
	for j > least && IsBlank(text[j-1]) {
		j--
		broken = broken || text[j] == '\n' || text[j] == '\r'
	}
	if !broken {
		return i
	}
	return j
}

// IsBlank reports whether c is a space, a tab or part of a line break.
func IsBlank(c byte) bool { return c == '\n' || c == '\r' || c == ' ' || c == '\t' }
