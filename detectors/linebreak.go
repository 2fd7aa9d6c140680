package detectors

// maxBreak bounds the line break and the indentation in base64.
const maxBreak = 24

// skipLineBreak returns the end of the line break and the indentation at i, or i.
func skipLineBreak(text []byte, i int) int {
	j, most := i, min(len(text), i+maxBreak)
	if j == len(text) || text[j] != '\n' && text[j] != '\r' {
		return i
	}
	for j < most && isBlank(text[j]) {
		j++
	}
	return j
}

// skipLineBreakBack returns the start of the line break and the indentation that end
// at i, or i.
func skipLineBreakBack(text []byte, i int) int {
	j, least := i, max(0, i-maxBreak)
	broken := false
	for j > least && isBlank(text[j-1]) {
		j--
		broken = broken || text[j] == '\n' || text[j] == '\r'
	}
	if !broken {
		return i
	}
	return j
}

func isBlank(c byte) bool { return c == '\n' || c == '\r' || c == ' ' || c == '\t' }
