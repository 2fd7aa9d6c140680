package candidates

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

const (
	// MaxGlue is what SkipGlue may take off a run. Not of "AKIA…/SECRET", which
	// the id gives away.
	MaxGlue = 6
	// MaxEscape is how far back EscapeEnds looks.
	MaxEscape = 8
	// MaxName is how far before a value its name may begin, in bytes.
	MaxName = 72
)

// IDs returns where text holds an access key id, in order. Boundaries are
// judged by hand: \b would lose ids glued to an underscore and would cut ids out
// of base64.
func IDs(text []byte) []detectors.Span {
	var ids []detectors.Span
	for i := 0; ; {
		k := nextPrefix(text[i:])
		if k < 0 {
			return ids
		}
		i += k
		if IsID(text, i) {
			ids = append(ids, detectors.Span{Start: i, End: i + keyformat.IDLen})
			i += keyformat.IDLen
		} else {
			i++
		}
	}
}

// nextPrefix returns the offset of the first prefix of an access key id in b,
// or -1. All of them end in IA or CA, and only A..A is common to them.
func nextPrefix(b []byte) int {
	for i := 0; ; i++ {
		k := bytes.IndexByte(b[i:], 'A')
		if k < 0 || i+k+keyformat.PrefixLen > len(b) {
			return -1
		}
		i += k
		if p := b[i : i+keyformat.PrefixLen]; p[3] == 'A' && IsPrefix(p) {
			return i
		}
	}
}

func IsPrefix(p []byte) bool {
	switch string(p) {
	case "AKIA", "ASIA", "ABIA", "ACCA":
		return true
	}
	return false
}

// IsID reports whether an id stands, on its own, at text[at:]. A prefix stands
// there.
func IsID(text []byte, at int) bool {
	end := at + keyformat.IDLen
	if end > len(text) {
		return false
	}
	for _, c := range text[at+keyformat.PrefixLen : end] {
		if !keyformat.IsUpper(c) && !keyformat.IsDigit(c) {
			return false
		}
	}
	if end < len(text) && keyformat.IsAlnum(text[end]) {
		return false
	}
	if at > 0 && keyformat.IsAlnum(text[at-1]) && !EscapeEnds(text, at) {
		return false
	}
	return !inBase64(text, at, end)
}

// EscapeEnds reports whether an escape sequence that ends in a letter or digit
// ends right before at: "\nAKIA", "%3DAKIA", "=3DAKIA", ESC "[33mAKIA".
func EscapeEnds(text []byte, at int) bool {
	before := text[max(0, at-8):at]
	n := len(before)
	if n >= 2 && before[n-2] == '\\' && (before[n-1] == 'n' || before[n-1] == 't' || before[n-1] == 'r') {
		return true
	}
	// A URL's %3D, quoted-printable's =3D (RFC 2045).
	if n >= 3 && (before[n-3] == '%' || before[n-3] == '=') && keyformat.IsHex(before[n-2]) && keyformat.IsHex(before[n-1]) {
		return true
	}
	if n >= 6 && string(before[n-6:n-2]) == `\u00` && keyformat.IsHex(before[n-2]) && keyformat.IsHex(before[n-1]) {
		return true
	}
	return endsInColour(before)
}

// endsInColour reports whether before ends in a control sequence of ECMA-48: ESC
// "[", parameters, a letter.
func endsInColour(before []byte) bool {
	n := len(before)
	k := bytes.LastIndex(before, []byte("\x1b["))
	if k < 0 || k+2 >= n || keyformat.IsDigit(before[n-1]) {
		return false
	}
	for _, c := range before[k+2 : n-1] {
		if !keyformat.IsDigit(c) && c != ';' {
			return false
		}
	}
	return true
}

// inBase64 reports whether what adjoins text[at:end] by "/" or "+" is a run of
// base64, of which the id is then a part by chance. Paths and URLs have slashes
// too ("s3://AKIA…", "AKIA…/20260101/us-east-1", "AKIA…/SECRET"): they are short,
// or made of words.
func inBase64(text []byte, at, end int) bool {
	const look = 64
	var before, after []byte
	if at > 0 && keyformat.IsSecretPunct(text[at-1]) {
		from := at
		for from > max(0, at-look) && keyformat.IsSecretByte(text[from-1]) {
			from--
		}
		before = text[from:at]
	}
	if end < len(text) && keyformat.IsSecretPunct(text[end]) {
		to := end
		for to < min(len(text), end+look) && keyformat.IsSecretByte(text[to]) {
			to++
		}
		after = text[end:to]
	}
	if len(before)+len(after) <= keyformat.SecretLen+1 {
		return false
	}
	return LooksRandom(before) || LooksRandom(after)
}

// LooksRandom reports whether one part of run between slashes is no word: ten
// characters or more that change case or kind at every other one.
func LooksRandom(run []byte) bool {
	for part := range bytes.SplitSeq(run, []byte{'/'}) {
		if len(part) >= 10 && keyformat.Transitions(part)*5 >= len(part)*2 {
			return true
		}
	}
	return false
}

// Secrets returns where text holds 40 characters of base64 that stand on
// their own and have the shape of random bytes, in order. A secret may begin or
// end in "/" or "+", so that \b is wrong here as well; "=" may stand before it
// (an assignment) and not after it (padding).
func Secrets(text []byte) []detectors.Span {
	var secrets []detectors.Span
	for start, end := nextRun(text, 0, keyformat.SecretLen); start < end; start, end = nextRun(text, end, keyformat.SecretLen) {
		at := SkipGlue(text, start, end, keyformat.SecretLen)
		end := EndOfSecret(text, at, end)
		if end-at == keyformat.SecretLen && (end == len(text) || text[end] != '=') && keyformat.ShapeOf(text[at:end]) != keyformat.NotSecret {
			secrets = append(secrets, detectors.Span{Start: at, End: end})
		}
	}
	return secrets
}

// nextRun returns the first run of n secret bytes or more in text[from:], which
// does not begin within one, and an empty range if there is none. It looks at the
// last byte of n first, so that it reads only some of the others.
func nextRun(text []byte, from, n int) (start, end int) {
	for from+n <= len(text) {
		i := from + n - 1
		for i >= from && keyformat.RunKinds[text[i]]&keyformat.InSecret != 0 {
			i--
		}
		if i >= from {
			from = i + 1
			continue
		}
		for end = from + n; end < len(text) && keyformat.RunKinds[text[end]]&keyformat.InSecret != 0; {
			end++
		}
		return from, end
	}
	return len(text), len(text)
}

// SkipGlue returns where the value of n bytes at the end of text[start:end] begins if
// the first characters belong to what is before it: an escape sequence, the "//" of
// a comment, the "+" of a diff, the id of "AKIA…/SECRET".
func SkipGlue(text []byte, start, end, n int) int {
	at := end - n
	if at <= start {
		return start
	}
	switch glue := text[start:at]; {
	case len(glue) <= 6 && EscapeEnds(text, at), string(glue) == "//",
		string(glue) == "+" && (start == 0 || text[start-1] == '\n'),
		len(glue) == keyformat.IDLen+1 && IsPrefix(glue[:keyformat.PrefixLen]) && glue[keyformat.IDLen] == '/':
		return at
	}
	return start
}

// EndOfSecret returns where the secret ends that begins at start, in a run that goes
// on to end: before the "//" of a comment. What is padded is one value, as the hashes of
// go.sum.
func EndOfSecret(text []byte, start, end int) int {
	padded := end < len(text) && text[end] == '='
	if at := start + keyformat.SecretLen; at+2 <= end && !padded && text[at] == '/' && text[at+1] == '/' {
		return at
	}
	return end
}

// TokenMarks stand at the head of every session token, in clear: "origin_ec",
// "er/aws" and "aws" (ParseToken says where).
var TokenMarks = []string{"b3JpZ2luX2Vj", "ZXIvYXdz", "QoDYXdz"}

// Session tokens begin with the base64 of their type byte and the first field
// (see ParseToken). Real ones have 276 to 1,304 characters; what is far longer
// is data.
const (
	MinToken   = 100
	maxToken   = 8 << 10
	maxPadding = 2
)

// Tokens returns where text holds a session token, in order.
func Tokens(text []byte) []detectors.Span {
	var tokens []detectors.Span
	for start, end := nextRun(text, 0, MinToken-maxPadding); start < end; start, end = nextRun(text, end, MinToken-maxPadding) {
		at := tokenStart(text, start)
		if at < 0 {
			continue
		}
		for pad := 0; pad < maxPadding && end < len(text) && text[end] == '='; pad++ {
			end++
		}
		if end-at >= MinToken && end-at <= maxToken {
			tokens = append(tokens, detectors.Span{Start: at, End: end})
		}
	}
	return tokens
}

// tokenStart returns where a token begins in the run at start, which has a token's
// length: there, or behind what is left of an escape sequence; or -1.
func tokenStart(text []byte, start int) int {
	for i := start; i <= start+MaxGlue; i++ {
		if isTokenHead(text[i:]) && (i == start || EscapeEnds(text, i)) {
			return i
		}
	}
	return -1
}

func isTokenHead(b []byte) bool {
	switch string(b[:4]) {
	case "IQoJ", "AgoJ", "FwoG", "FQoG", "FQoD", "AQoD":
		return true
	}
	return false
}
