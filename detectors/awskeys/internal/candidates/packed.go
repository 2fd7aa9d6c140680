package candidates

import (
	"bytes"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// Programs pack strings into binary files without a quote or a blank around them. So letters
// and digits may stand right beside a value:
//
//	Python, pickle      \xda 0x14 AKIA… z 0x28 SECRET N     a length before, a type behind
//	Java, protobuf      t 0 0x14 AKIA… t 0 0x28 SECRET x
//	Avro                0x28 AKIA… P SECRET                  twice the length: P is 80
//	.NET                ) AKIA… 0 Q SECRET 0                 in UTF-16, 2n+1: Q is 81
//	Go, Rust            bad pointerAKIA…invalid length       a pool, without any length
//
// Two things tell where such a value begins and ends: its length before it, in one of the
// usual encodings, or, in a pool, the neighbours. A key id has a clear form, and a secret
// has an end that is known if something else than a letter stands there, or an id. Both
// count only in a text that is binary around them.

// maxLength is the number of bytes that hold a length, of eight bytes at most.
const maxLength = 8

// hasLength reports whether the length of a value of n bytes stands right before text[at:].
func hasLength(text []byte, at, n int) bool {
	if at == 0 {
		return false
	}
	switch last := int(text[at-1]); {
	case last == 2*n, last == 2*n+1, // Avro writes 2n, .NET 2n+1
		n < 24 && last == 0x60|n, n < 32 && last == 0xa0|n: // CBOR, MessagePack
		return true
	}
	return isNumber(text, at, n)
}

// isNumber reports whether n stands right before text[at:], as one byte or more,
// little-endian or big-endian.
func isNumber(text []byte, at, n int) bool {
	i := at - 1
	for i > max(0, at-maxLength) && text[i] == 0 {
		i--
	}
	return i >= 0 && int(text[i]) == n
}

// hasTextLength reports whether the length of a value of n bytes stands before text[at:] in
// digits, as in bencode and netstrings: 20:AKIA…
func hasTextLength(text []byte, at, n int) bool {
	if at < 3 || text[at-1] != ':' || int(text[at-3]-'0')*10+int(text[at-2]-'0') != n {
		return false
	}
	return at == 3 || !keyformat.IsDigit(text[at-4])
}

// isPickleLine reports whether text[at:end] is a string of pickle's protocol 0: V at the
// beginning of a line, the string, and a line that begins with "p". The code that stores the
// string before may be in front of V.
func isPickleLine(text []byte, at, end int) bool {
	if at == 0 || end > len(text) || text[at-1] != 'V' || !bytes.HasPrefix(text[end:], []byte("\np")) {
		return false
	}
	code := at - 1
	if code > 0 && (text[code-1] == 's' || text[code-1] == 'a') {
		code--
	}
	return code == 0 || !keyformat.IsSecretByte(text[code-1])
}

// isPackedID reports whether the id text[at:end] counts although a letter or a digit stands
// right beside it.
func isPackedID(text []byte, at, end int) bool {
	grade := keyformat.Grade(string(text[at:end]))
	switch {
	case isPickleLine(text, at, end):
		return true
	case grade == keyformat.Impossible:
		return false
	case hasTextLength(text, at, keyformat.IDLen):
		return true
	case hasLength(text, at, keyformat.IDLen), grade == keyformat.Strong && isSetApart(text, at, end):
		return isBinary(text, at, end)
	}
	return false
}

// isSetApart reports whether the id text[at:end] is no part of a longer run of capitals, as
// in the sequences of proteins: it has a digit, or no capital and no digit beside it but
// those of a secret.
func isSetApart(text []byte, at, end int) bool {
	return keyformat.CountDigits(text[at:end]) > 0 ||
		(at == 0 || !isCapital(text[at-1])) && (end == len(text) || !isCapital(text[end]) || isRandomPiece(text, end))
}

// isCapital reports whether c is a byte of a key id.
func isCapital(c byte) bool { return keyformat.IsUpper(c) || keyformat.IsDigit(c) }

// MayBePacked reports whether the id at text[at:], with a letter or a digit behind it, may
// count in a binary file. It is isPackedID without a look at the text farther away, for the
// bytes before the id may be an escape of other bytes.
func MayBePacked(text []byte, at int) bool {
	end := at + keyformat.IDLen
	switch {
	case keyformat.Grade(string(text[at:end])) == keyformat.Impossible:
		return false
	case at == 0 || keyformat.CountDigits(text[at:end]) > 0 || bytes.ContainsAny(text[max(0, at-MaxGlue):at], `\%=`):
		return true
	}
	before, behind := text[at-1], text[end]
	return !keyformat.IsUpper(before) && (before != '\n' && before != '\r' || !isCapital(behind) || isRandomPiece(text, end))
}

// isBinary reports whether the text around text[at:end] is binary: a control character or a
// byte that is not UTF-8 is near, or the text begins with one. Pools of strings may be long,
// so a NUL at the head of the text says so too, as git decides it.
func isBinary(text []byte, at, end int) bool {
	const near, head = 64, 8000
	from := max(0, at-near)
	around := text[from:min(len(text), end+near)]
	for _, c := range around {
		if isControl(c) {
			return true
		}
	}
	if isControl(text[0]) || !isUTF8(text[:min(len(text), utf8.UTFMax)]) {
		return true
	}
	for n := 0; n < utf8.UTFMax-1 && from > 0 && len(around) > 0 && !utf8.RuneStart(around[0]); n++ {
		around = around[1:] // the rest of a character
	}
	return !isUTF8(around) || bytes.IndexByte(text[:min(len(text), head)], 0) >= 0
}

// isControl reports whether c is a control character that texts do not have.
func isControl(c byte) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\v' && c != '\f' && c != '\r' && c != '\b' && c != 0x1b
}

// isUTF8 reports whether b, which may end within a character, is UTF-8.
func isUTF8(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

// appendSized appends the secrets in the run text[start:end] whose length is known: it is
// before them, or an id is.
func appendSized(secrets []detectors.Span, text []byte, start, end int) []detectors.Span {
	free := start // the end of the last one
	add := func(at int) bool {
		s := detectors.Span{Start: at, End: at + keyformat.SecretLen}
		if at < free || s.End > end {
			return false
		}
		secrets, free = append(secrets, s), s.End
		return true
	}
	for _, at := range [...]int{start, start + 1, start + 2} {
		if isSized(text, at) && (saysText(text, at) || isBinary(text, at, at+keyformat.SecretLen)) {
			add(at)
		}
	}
	for i := start; ; {
		k := nextPrefix(text[i:end])
		if k < 0 {
			return secrets
		}
		if i += k; !IsID(text, i) {
			i++
			continue
		}
		i += keyformat.IDLen
		_ = isSized(text, i+1) && add(i+1) || isRightBehindID(text, i) && add(i)
	}
}

// isRightBehindID reports whether text[at:], which an id ends at, begins with a secret. Between
// strings that have lengths, the length of the second would be.
func isRightBehindID(text []byte, at int) bool {
	return isRandomPiece(text, at) && isBinary(text, at, at+keyformat.SecretLen) && (keyformat.IsAlnum(text[at]) || !IsDelimited(text, at+1)) &&
		PackedName(text, at-keyformat.IDLen) == nil
}

// isSized reports whether a secret is at text[at:] whose length is known from the bytes
// beside it. A length that is a letter could be the first character of a secret, unless
// the run ends where the length says.
func isSized(text []byte, at int) bool {
	end := at + keyformat.SecretLen
	switch {
	case at <= 0 || end > len(text) || !saysText(text, at) && !hasLength(text, at, keyformat.SecretLen):
		return false
	case keyformat.IsAlnum(text[at-1]) && end < len(text) && keyformat.IsSecretByte(text[end]):
		return false
	}
	if isIDText(text[at : at+keyformat.IDLen]) {
		return false
	}
	return isRandomPiece(text, at) || shapeAt(text, at) >= keyformat.Odd && (saysText(text, at) || hasLongHead(text, at, keyformat.SecretLen))
}

// saysText reports whether the bytes beside the secret at text[at:] tell its length in text.
func saysText(text []byte, at int) bool {
	return isPickleLine(text, at, at+keyformat.SecretLen) || hasTextLength(text, at, keyformat.SecretLen)
}

// pooledSecret returns the secret in the run text[start:end] of a pool of strings, if one of
// its ends is known: the run begins or ends with it, and the rest is a word of the string
// beside it. If the rest may be a word on either side, the end is not known.
func pooledSecret(text []byte, start, end int) (s detectors.Span, ok bool) {
	first, last := isPooled(text, start), isPooled(text, end-keyformat.SecretLen)
	at := start
	if last {
		at = end - keyformat.SecretLen
	}
	return detectors.Span{Start: at, End: at + keyformat.SecretLen}, first != last && isBinary(text, start, end)
}

// isPooled reports whether text[at:] begins with a secret at one end of a run, and the rest
// of the run is a word.
func isPooled(text []byte, at int) bool {
	end := at + keyformat.SecretLen
	switch {
	case at < 0 || end > len(text):
		return false
	case at == 0 || !keyformat.IsSecretByte(text[at-1]):
		return isWord(text[end:]) && isUnlikeWords(text, at)
	case end == len(text) || !keyformat.IsSecretByte(text[end]) && text[end] != '=':
		return endsInWord(text[:at]) && isUnlikeWords(text, at)
	}
	return false
}

// isRandomPiece reports whether a secret is at text[at:], and the rest of the run behind it
// does not look random.
func isRandomPiece(text []byte, at int) bool {
	rest := text[min(at+keyformat.SecretLen, len(text)):]
	n := 0
	for n < min(len(rest), MaxBeside) && keyformat.IsSecretByte(rest[n]) {
		n++
	}
	return shapeAt(text, at) == keyformat.Random && !LooksRandom(rest[:n])
}

// isWord reports whether the run at the beginning of b is a word: 3 to 24 letters, small
// but for the first. A run with padding is base64.
func isWord(b []byte) bool {
	n := 0
	for n < len(b) && (keyformat.IsLower(b[n]) || n == 0 && keyformat.IsUpper(b[0])) {
		n++
	}
	return isWordLen(n) && (n == len(b) || !keyformat.IsSecretByte(b[n]) && !endsInPadding(b, n))
}

// endsInWord is isWord for the run at the end of b.
func endsInWord(b []byte) bool {
	at := len(b)
	for at > 0 && keyformat.IsLower(b[at-1]) {
		at--
	}
	if at > 0 && keyformat.IsUpper(b[at-1]) {
		at--
	}
	return isWordLen(len(b)-at) && (at == 0 || !keyformat.IsSecretByte(b[at-1]))
}

func isWordLen(n int) bool { return 3 <= n && n <= 24 }

// isUnlikeWords reports whether the secret at text[at:] is no name, such as
// 08/AddClientIDToOpenIDConnectProviderReq or a mangled one of a symbol: 99 % of all secrets
// are so.
func isUnlikeWords(text []byte, at int) bool {
	s := text[at : at+keyformat.SecretLen]
	return keyformat.LongestLower(s) <= 8 && (keyformat.Transitions(s) > 16 || countCapitals(s) > keyformat.SecretLen/2) && shapeAt(text, at) == keyformat.Random
}

// PackedIn reports whether a secret at the beginning of the run text[start:] may count because
// its length is before it, if the text is binary: counts is true for its beginning. A start
// that is negative is not known. PackedIn looks at no byte that is farther than MaxBeside+1
// from the secret. Secrets in pools need an id, so they are none of its matter.
func PackedIn(text []byte, start int, counts func(at int) bool) bool {
	if start < 0 || start+keyformat.SecretLen >= len(text) {
		return false
	}
	before, first, second := byte(0), text[start], text[start+1] // no calls, since a scan comes here with each long run
	if start > 0 {
		before = text[start-1]
	}
	return (before == '(' || before == ':' || before == 0) && isSized(text, start) && counts(start) ||
		(first == 'P' || first == 'Q' || first == 'V') && isSized(text, start+1) && counts(start+1) ||
		(second == 'P' || second == 'Q' || second == 'V') && isSized(text, start+2) && counts(start+2)
}
