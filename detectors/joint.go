package detectors

import "bytes"

// maxRounds bounds views of views: JSON in base64 in JSON is what a log holds of
// a Kubernetes secret.
const maxRounds = 3

const (
	maxGap = 40 // of a joint between two literals, without their quotes
	// maxBackslashes is how often the backslash before a line break is escaped at most:
	// each round of views halves them.
	maxBackslashes = 1 << maxRounds
)

// joinable is what ids and secrets are made of.
var joinable = newByteSet(base64Std, nil)

// jointStarts are what a joint or the escape of one character can begin with.
var jointStarts = newByteSet("\"'`\\=\r\n", nil)

// A link is a joint, or an escape that stands for char, in text[from:to].
type link struct {
	from, to int
	char     byte
	comma    bool // between the literals of a list
}

// linkAt returns the link that text[i:] begins with; its end is 0 if there is none. It
// takes the text for quoted-printable.
func linkAt(text []byte, i int) (l link) {
	switch text[i] {
	case '"', '\'', '`':
		return literalJoint(text, i)
	case '\\':
		// Of shells, C and Python; YAML and Makefiles leave out the indentation too. Code
		// in a string has its backslash twice, and so on.
		last := i + 1
		for last < len(text) && last-i < maxBackslashes && text[last] == '\\' {
			last++
		}
		if end := skipLineBreak(text, last); end > last {
			return link{from: i, to: end}
		}
		if i+1 < len(text) && text[i+1] == '"' { // code in JSON
			l = literalJoint(text, i+1)
			l.from = i
			return l
		}
	case '=':
		if l := softBreak(text, i); l.to > 0 {
			return l
		}
		if n, c := hexByte(text[i:], 1, 2); n > 0 && joinable[c] {
			return link{from: i, to: i + n, char: c}
		}
	}
	return link{}
}

// gapBytes are what stands between two literals: operators of all languages, and
// what leads from one line to the next.
var gapBytes = newByteSet(" \t\r\n+.&|_\\<>~^", nil)

// literalJoint reads what is between two literals of which the first ends at i.
func literalJoint(text []byte, i int) link {
	comma := false
	if bytes.HasPrefix(text[i+1:], []byte("}${")) && i+4 < len(text) && text[i+4] == text[i] { // of JavaScript
		return link{from: i, to: i + 5}
	}
	for j := i + 1; j < len(text) && j <= i+1+maxGap; {
		switch c := text[j]; {
		case c == '"' || c == '\'' || c == '`':
			return link{from: i, to: j + 1, comma: comma}
		case gapBytes[c]:
			j++
		case c == ',' && !comma:
			comma = true
			j++
		case c == ';' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '@':
			end := wordInGap(text, j)
			if end == 0 {
				return link{}
			}
			j = end
		default:
			return link{}
		}
	}
	return link{}
}

// wordInGap returns the end of what may stand in a gap and is no operator: the
// prefix of a literal, as in b"" or @"", and "; name" before "+=".
func wordInGap(text []byte, j int) int {
	if j+1 < len(text) && (text[j+1] == '"' || text[j+1] == '\'') {
		return j + 1
	}
	end := j
	for end < len(text) && end-j < maxGap && text[end] != '=' && (gapBytes[text[end]] || nameBytes[text[end]] || text[end] == ';') {
		end++
	}
	if end < len(text) && text[end] == '=' && (text[end-1] == '+' || text[end-1] == '.') {
		return end + 1
	}
	return 0
}

var nameBytes = newByteSet(base64Most+"_$", nil)

// softBreak returns the link that "=" and a line break at i are.
func softBreak(text []byte, i int) link {
	switch b := text[i+1:]; {
	case bytes.HasPrefix(b, []byte{'\n'}):
		return link{from: i, to: i + 2}
	case bytes.HasPrefix(b, []byte("\r\n")):
		return link{from: i, to: i + 3}
	}
	return link{}
}
