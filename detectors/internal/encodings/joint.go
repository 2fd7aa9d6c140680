package encodings

import "bytes"

// MaxRounds bounds views of views. A log of a Kubernetes secret needs three rounds: it
// holds JSON in base64 in JSON.
const MaxRounds = 3

const (
	// MaxGap bounds a joint between two literals, without their quotes.
	MaxGap = 40
	// MaxBackslashes bounds the backslashes before a line break. Code within a string has
	// twice as many, and each round of views halves them.
	MaxBackslashes = 1 << MaxRounds
)

// Joinable holds the characters of ids and secrets.
var Joinable = NewByteSet(base64Std, nil)

// JointStarts holds the first bytes of joints.
var JointStarts = NewByteSet("\"'`\\=\r\n"+invisibleStarts, nil)

// A Link connects two pieces of a string: the joint or the escape text[From:To]. Between
// "AKIA" and "REST" it is `" + "`.
type Link struct {
	From, To int
	Char     byte // that an escape stands for; 0 for a joint
	Comma    bool // the joint is the comma of a list of literals
}

// LinkAt returns the link at the beginning of text[i:]; its To is 0 if there is none. A
// "=" is read as quoted-printable; the caller has to know whether text is.
func LinkAt(text []byte, i int) (l Link) {
	switch text[i] {
	case '"', '\'', '`':
		return literalJoint(text, i)
	case '\\':
		// A continued line of shells, C and Python; in YAML and Makefiles the indentation
		// is no part of the string either.
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
		return invisibleJoint(text, i)
	case 0xc2, 0xe2, 0xef, '<', '&':
		return invisibleJoint(text, i)
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

// GapBytes are the bytes between two literals: operators of all languages, white space and the
// marks of continued lines.
const GapBytes = " \t\r\n+.&|_\\<>~^"

var gapBytes = NewByteSet(GapBytes, nil)

// literalJoint returns the joint between two literals of which the first ends at i.
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

// wordInGap returns the end of a word that may stand between two literals: the prefix of
// the second, as in b"" or @"", or "; name +=". It returns 0 if the word is none of these.
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

// SoftBreak returns the link of the "=" at i if a line break follows it.
func SoftBreak(text []byte, i int) Link {
	switch b := text[i+1:]; {
	case bytes.HasPrefix(b, []byte{'\n'}):
		return Link{From: i, To: i + 2}
	case bytes.HasPrefix(b, []byte("\r\n")):
		return Link{From: i, To: i + 3}
	}
	return Link{}
}
