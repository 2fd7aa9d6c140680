package encodings

import "bytes"

// MaxRounds bounds views of views: JSON in base64 in JSON is what a log holds of
// a Kubernetes secret.
const MaxRounds = 3

const (
	MaxGap = 40 // of a joint between two literals, without their quotes
	// MaxBackslashes is how often the backslash before a line break is escaped at most:
	// each round of views halves them.
	MaxBackslashes = 1 << MaxRounds
)

// Joinable is what ids and secrets are made of.
var Joinable = NewByteSet(base64Std, nil)

// JointStarts are what a joint or the escape of one character can begin with.
var JointStarts = NewByteSet("\"'`\\=\r\n", nil)

// A Link is a joint, or an escape that stands for char, in text[from:to].
type Link struct {
	From, To int
	Char     byte
	Comma    bool // between the literals of a list
}

// LinkAt returns the link that text[i:] begins with; its end is 0 if there is none. It
// takes the text for quoted-printable.
func LinkAt(text []byte, i int) (l Link) {
	switch text[i] {
	case '"', '\'', '`':
		return literalJoint(text, i)
	case '\\':
		// Of shells, C and Python; YAML and Makefiles leave out the indentation too. Code
		// in a string has its backslash twice, and so on.
		last := i + 1
		for last < len(text) && last-i < MaxBackslashes && text[last] == '\\' {
			last++
		}
		if end := SkipLineBreak(text, last); end > last {
			return Link{From: i, To: end}
		}
		if i+1 < len(text) && text[i+1] == '"' { // code in JSON
			l = literalJoint(text, i+1)
			l.From = i
			return l
		}
	case '=':
		if l := SoftBreak(text, i); l.To > 0 {
			return l
		}
		if n, c := HexByte(text[i:], 1, 2); n > 0 && Joinable[c] {
			return Link{From: i, To: i + n, Char: c}
		}
	}
	return Link{}
}

// gapBytes are what stands between two literals: operators of all languages, and
// what leads from one line to the next.
var gapBytes = NewByteSet(" \t\r\n+.&|_\\<>~^", nil)

// literalJoint reads what is between two literals of which the first ends at i.
func literalJoint(text []byte, i int) Link {
	comma := false
	if bytes.HasPrefix(text[i+1:], []byte("}${")) && i+4 < len(text) && text[i+4] == text[i] { // of JavaScript
		return Link{From: i, To: i + 5}
	}
	for j := i + 1; j < len(text) && j <= i+1+MaxGap; {
		switch c := text[j]; {
		case c == '"' || c == '\'' || c == '`':
			return Link{From: i, To: j + 1, Comma: comma}
		case gapBytes[c]:
			j++
		case c == ',' && !comma:
			comma = true
			j++
		case c == ';' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '@':
			end := wordInGap(text, j)
			if end == 0 {
				return Link{}
			}
			j = end
		default:
			return Link{}
		}
	}
	return Link{}
}

// wordInGap returns the end of what may stand in a gap and is no operator: the
// prefix of a literal, as in b"" or @"", and "; name" before "+=".
func wordInGap(text []byte, j int) int {
	if j+1 < len(text) && (text[j+1] == '"' || text[j+1] == '\'') {
		return j + 1
	}
	end := j
	for end < len(text) && end-j < MaxGap && text[end] != '=' && (gapBytes[text[end]] || nameBytes[text[end]] || text[end] == ';') {
		end++
	}
	if end < len(text) && text[end] == '=' && (text[end-1] == '+' || text[end-1] == '.') {
		return end + 1
	}
	return 0
}

var nameBytes = NewByteSet(base64Most+"_$", nil)

// SoftBreak returns the link that "=" and a line break at i are.
func SoftBreak(text []byte, i int) Link {
	switch b := text[i+1:]; {
	case bytes.HasPrefix(b, []byte{'\n'}):
		return Link{From: i, To: i + 2}
	case bytes.HasPrefix(b, []byte("\r\n")):
		return Link{From: i, To: i + 3}
	}
	return Link{}
}
