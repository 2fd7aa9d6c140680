package encodings

// MaxBreak bounds the line break and the indentation in base64.
const MaxBreak = 24

// SkipLineBreak returns the end of the line break and the indentation at i, or i.
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

// SkipLineBreakBack returns the start of the line break and the indentation that end
// at i, or i.
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

func IsBlank(c byte) bool { return c == '\n' || c == '\r' || c == ' ' || c == '\t' }
