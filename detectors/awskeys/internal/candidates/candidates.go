// Package candidates finds where in a text an id, a secret or a session token may stand, by
// its form and the bytes right beside it. Package pairing decides which of them count.
package candidates

import (
	"bytes"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

const (
	// MaxGlue bounds the bytes that SkipGlue skips, except for the id of "AKIA…/SECRET".
	MaxGlue = 6
	// MaxEscape bounds the escapes that EscapeEnds sees.
	MaxEscape = 8
	// MaxName bounds the distance of a value from the beginning of its name, in bytes.
	MaxName = 72
)

// IDs returns the ranges of the access key ids in text, in order. It does not use a regexp:
// \b would lose ids that are glued to an underscore, and would cut ids out of base64.
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

// nextPrefix returns the offset of the first prefix of an access key id in b, or -1. All
// prefixes begin and end with A.
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

// IsPrefix reports whether p, four bytes, is the prefix of an access key id.
func IsPrefix(p []byte) bool {
	switch string(p) {
	case "AKIA", "ASIA", "ABIA", "ACCA":
		return true
	}
	return false
}

// IsID reports whether an id stands at text[at:], on its own or packed in a binary file. The
// caller has seen that a prefix does.
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
	if end < len(text) && keyformat.IsAlnum(text[end]) || at > 0 && keyformat.IsAlnum(text[at-1]) && !EscapeEnds(text, at) {
		return isPackedID(text, at, end)
	}
	return !inBase64(text, at, end)
}

// EscapeEnds reports whether an escape sequence ends right before at, with a letter or a
// digit: \nAKIA…, %3DAKIA…, =3DAKIA…, ESC "[33mAKIA…".
func EscapeEnds(text []byte, at int) bool {
	before := text[max(0, at-8):at]
	n := len(before)
	if n >= 2 && before[n-2] == '\\' && (before[n-1] == 'n' || before[n-1] == 't' || before[n-1] == 'r') {
		return true
	}
	// %3D of URLs, =3D of quoted-printable (RFC 2045).
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
	if n < 3 || before[n-2] != '[' && before[n-2] != ';' && !keyformat.IsDigit(before[n-2]) {
		return false // without a call
	}
	if bytes.IndexByte(before, '\x1b') < 0 { // much faster than LastIndex
		return false
	}
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

// inBase64 reports whether the id text[at:end] is a part of base64 by chance: a long random
// run adjoins it by "/" or "+". The parts of paths and URLs are short, words, or a secret of
// exactly its length: s3://AKIA…, AKIA…/20260101/us-east-1, /v1/AKIA…/SECRET/x.
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
	if len(before)+len(after) <= keyformat.SecretLen+1 || isBetweenWords(before, after) || mayBeIssued(text[at:end]) && hasSecretBeside(text, at, end) {
		return false
	}
	return LooksRandom(before) || LooksRandom(after)
}

// mayBeIssued reports whether AWS can have issued id. One in 13 of those that stand in base64
// by chance is so, and base64 has a part as long as a secret beside one now and then.
func mayBeIssued(id []byte) bool { return keyformat.Grade(string(id)) != keyformat.Impossible }

// isBetweenWords reports whether words of small letters are on both sides of an id: key+ID+of.
// Base64 has three such letters or more between two delimiters once in 200 times.
func isBetweenWords(before, after []byte) bool {
	if len(before) == 0 || len(after) == 0 {
		return false
	}
	return isSmallWord(lastPart(before[:len(before)-1])) && isSmallWord(firstPart(after[1:]))
}

// isSmallWord reports whether b is three small letters or more.
func isSmallWord(b []byte) bool { return len(b) >= 3 && keyformat.LongestLower(b) == len(b) }

// LooksRandom reports whether a part of run between slashes is no word: it has at least ten
// characters, and the case or kind changes at two of five.
func LooksRandom(run []byte) bool {
	for part := range bytes.SplitSeq(run, []byte{'/'}) {
		if len(part) >= 10 && keyformat.Transitions(part)*5 >= len(part)*2 {
			return true
		}
	}
	return false
}

// Secrets returns the ranges of candidate secrets in text, in order: 40 characters of base64
// that stand on their own and have the shape of random bytes. They may begin or end with "/"
// or "+", so \b would be wrong here too. A "=" may stand on both sides of them, as an
// assignment. In a path, "/" or "+" set them apart; in a binary file, their length. In a pool
// of strings without lengths they count only if the text has ids: a pool has no names.
func Secrets(text []byte, ids bool) []detectors.Span {
	var secrets []detectors.Span
	isPool := sync.OnceValue(func() bool { return ids && !hasPackedNames(text) })
	for start, end := NextRun(text, 0, keyformat.SecretLen); start < end; start, end = NextRun(text, end, keyformat.SecretLen) {
		if s, shape := wholeSecret(text, start, end); shape != keyformat.NotSecret {
			secrets = append(secrets, s)
		} else if end-start > keyformat.SecretLen {
			secrets = appendParts(secrets, text, start, end, isPool)
		}
	}
	return secrets
}

// appendParts appends the candidates that are parts of the run text[start:end]. isPool reports
// whether the text may be a pool of strings.
func appendParts(secrets []detectors.Span, text []byte, start, end int, isPool func() bool) []detectors.Span {
	n := len(secrets)
	for _, appendTo := range [...]func([]detectors.Span, []byte, int, int) []detectors.Span{appendSized, appendDelimited} {
		if secrets = appendTo(secrets, text, start, end); len(secrets) > n {
			return secrets
		}
	}
	if s, ok := pooledSecret(text, start, end); ok && isPool() {
		secrets = append(secrets, s)
	}
	return secrets
}

// wholeSecret returns the candidate that the run text[start:end] is, but for glue before it
// and a comment behind it, and its shape, or NotSecret if there is none.
func wholeSecret(text []byte, start, end int) (detectors.Span, keyformat.Shape) {
	at := SkipGlue(text, start, end, keyformat.SecretLen)
	s := detectors.Span{Start: at, End: EndOfSecret(text, at, end)}
	if s.End-at != keyformat.SecretLen || isBetweenAlike(text, start, end) || isPadded(text, start, s) {
		return s, keyformat.NotSecret
	}
	return s, keyformat.ShapeOf(text[at:s.End])
}

// isBetweenAlike reports whether the run text[start:end] begins with a delimiter, a secret and
// the same delimiter, right behind a name: s/__X__/SECRET/. The secret itself may begin or end
// with a delimiter. So "//" may stand before it or behind it, and begins no comment.
func isBetweenAlike(text []byte, start, end int) bool {
	last := start + keyformat.SecretLen + 1
	return last < end && keyformat.IsSecretPunct(text[start]) && text[start] == text[last] &&
		start > 0 && bytes.IndexByte([]byte(" \t\r\n:;,"), text[start-1]) < 0
}

// IsRandomRun reports whether the run text[start:end] is a secret by its shape alone, but
// for glue before it and a comment behind it.
func IsRandomRun(text []byte, start, end int) bool {
	_, shape := wholeSecret(text, start, end)
	return shape == keyformat.Random
}

// isPadded reports whether a "=" behind the secret s of the run that begins at start is the
// padding of a longer value. 40 characters of base64 need none. So it is padding only if
// characters of the value may stand before s: on the line above, in the run, or before a "-"
// or "_" of base64 for URLs.
func isPadded(text []byte, start int, s detectors.Span) bool {
	if s.End == len(text) || text[s.End] != '=' {
		return false
	}
	line := bytes.TrimRight(text[max(0, start-MaxName):start], " \t")
	if s.Start > start || len(line) == 0 {
		return true
	}
	switch line[len(line)-1] {
	case '\n', '\r', '-', '_':
		return true
	}
	return false
}

// NextRun returns the first run of at least n bytes of base64 in text[from:], or an empty
// range. from must not be within a run. It looks at the last of n bytes first, so it skips
// most of the text unread.
func NextRun(text []byte, from, n int) (start, end int) {
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

// SkipGlue returns the start of the value of n bytes at the end of the run text[start:end],
// if the bytes before it are glue: an escape sequence, the "//" of a comment, the "+" of a
// diff or the id of "AKIA…/SECRET". Else it returns start.
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

// EndOfSecret returns the end of the secret that begins at start in the run that ends at
// end: before the "//" of a comment, or end. A padded run is one value, such as a hash of
// go.sum.
func EndOfSecret(text []byte, start, end int) int {
	padded := end < len(text) && text[end] == '='
	if at := start + keyformat.SecretLen; at+2 <= end && !padded && text[at] == '/' && text[at+1] == '/' {
		return at
	}
	return end
}

// TokenMarks are in clear at the head of every session token, one of them in each:
// "origin_ec", "er/aws" or "aws" in base64.
var TokenMarks = []string{"b3JpZ2luX2Vj", "ZXIvYXdz", "QoDYXdz"}

// Bounds of session tokens. Real ones have 276 to 1,304 characters.
const (
	MinToken   = 100
	maxToken   = 8 << 10
	maxPadding = 2
)

// Tokens returns the ranges of session tokens in text, in order.
func Tokens(text []byte) []detectors.Span {
	var tokens []detectors.Span
	for start, end := NextRun(text, 0, MinToken-maxPadding); start < end; start, end = NextRun(text, end, MinToken-maxPadding) {
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

// tokenStart returns where a token begins in the run at start: there, or behind the rest of
// an escape sequence. It returns -1 if none does.
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
