package candidates

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// "/" and "+" are characters of secrets, and stand between the parts of paths, queries and
// substitutions as well:
//
//	/v1/keys/AKIA…/SECRET/x    s/PLACEHOLDER/SECRET/    key+is+SECRET+now
//
// So the run of base64 around a secret may be longer than the secret. It is cut where both
// of these hold:
//
//   - 40 characters of random shape have "/", "+" or an end of the run on either side.
//   - The rest of the run is no base64: a key id adjoins the secret, or the parts of the rest
//     are words.
//
// Base64 in lines of 64 or 76 characters has "/" or "+" or an end at a distance of 41 in one
// line of 12, but hardly ever nothing random around that.

// MaxBeside bounds the bytes to either side of a delimited secret that decide about it.
const MaxBeside = 32

// appendDelimited appends the candidates within the run text[start:end]. Among those that
// overlap it takes the one beside an id, unless a word is at one end of it, or else the one with
// most capitals and digits: words have few. If two have equally many, the secret itself begins
// or ends with delimiters, as in s/__X__/SECRET//, and it is the one between two that are alike.
func appendDelimited(secrets []detectors.Span, text []byte, start, end int) []detectors.Span {
	var best detectors.Span
	most := 0
	for at := start; at+keyformat.SecretLen <= end; at++ {
		if at > start && !keyformat.IsSecretPunct(text[at-1]) || !IsDelimited(text, at) {
			continue
		}
		s := detectors.Span{Start: at, End: at + keyformat.SecretLen}
		n := countCapitals(text[s.Start:s.End])
		if adjoinsID(text, s) && !isSmallWord(firstPart(text[s.Start:s.End])) && !isSmallWord(lastPart(text[s.Start:s.End])) {
			n = keyformat.SecretLen
		}
		n *= 2
		if at > start && s.End < end && text[at-1] == text[s.End] {
			n++
		}
		switch {
		case best.Empty() || at > best.End:
			if !best.Empty() {
				secrets = append(secrets, best)
			}
			best, most = s, n
		case n > most:
			best, most = s, n
		}
	}
	if !best.Empty() {
		secrets = append(secrets, best)
	}
	return secrets
}

// firstPart returns the part of s up to the first delimiter.
func firstPart(s []byte) []byte {
	if i := bytes.IndexAny(s, "+/"); i >= 0 {
		return s[:i]
	}
	return s
}

// lastPart returns the part of s behind the last delimiter.
func lastPart(s []byte) []byte { return s[bytes.LastIndexAny(s, "+/")+1:] }

// countCapitals returns the number of capitals and digits in s.
func countCapitals(s []byte) (n int) {
	for _, c := range s {
		if keyformat.IsUpper(c) || keyformat.IsDigit(c) {
			n++
		}
	}
	return n
}

// HoldsDelimited reports whether the run text[start:end] holds a delimited secret.
func HoldsDelimited(text []byte, start, end int) bool {
	return appendDelimited(nil, text, start, end) != nil
}

// IsDelimited reports whether text[at:], which has no letter or digit right before it, begins
// with a secret that is cut out of a longer run. It looks at no byte that is farther than
// MaxBeside+1 from the secret.
func IsDelimited(text []byte, at int) bool {
	end := at + keyformat.SecretLen
	if end < len(text) && keyformat.IsAlnum(text[end]) {
		return false // without a call, as for nearly all of base64
	}
	return isCutOut(text, at, end)
}

// isCutOut is IsDelimited for text[at:end].
func isCutOut(text []byte, at, end int) bool {
	if !endsAtDelimiter(text, end) {
		return false
	}
	besideID := adjoinsID(text, detectors.Span{Start: at, End: end})
	if !besideID && inLongerBase64(text, at, end) {
		return false // before the shape is computed, which takes longer
	}
	shape := shapeAt(text, at)
	return shape == keyformat.Random || shape == keyformat.Odd && besideID
}

// inLongerBase64 reports whether the rest of the run around text[at:end] looks like base64,
// and not like the parts of a path: words, whose case and kind change at less than two of
// five characters. Short pieces of base64 may look like words. So they have to look more so
// where the rest is long, or on one side only, and if the run is a line of its own, as
// base64 is, and no s/X/SECRET/. A key id in the run outweighs all of that.
func inLongerBase64(text []byte, at, end int) bool {
	const smtpLen = keyformat.SecretLen + 4 // a password of SES is one value
	from, to := at, end
	for from > max(0, at-MaxBeside) && keyformat.RunKinds[text[from-1]]&keyformat.InSecret != 0 {
		from--
	}
	for to < min(len(text), end+MaxBeside) && keyformat.RunKinds[text[to]]&keyformat.InSecret != 0 {
		to++
	}
	if endsInPadding(text, to) && from > at-MaxBeside && to < end+MaxBeside {
		return true // a hash of go.sum, say
	}
	looksBase64 := looksRandom
	switch {
	case beginsLine(text, from, at-MaxBeside) && !bytes.HasPrefix(text[from:at], []byte("s/")) && (to == len(text) || text[to] == '\n' || text[to] == '\r'):
		looksBase64 = hasNoSmall
		if from == at || to == end {
			looksBase64 = isPart
		}
	case from == at || to == end:
		looksBase64 = isNoWord
		if to-from == smtpLen {
			looksBase64 = isPart
		}
	case from == at-MaxBeside || to == end+MaxBeside:
		looksBase64 = changesTwice
	}
	return (anyPart(text[from:at], looksBase64) || anyPart(text[end:to], looksBase64)) && !anyPart(text[wholeID(text, from):at], isIDText) && !anyPart(text[end:to], isIDText)
}

// wholeID returns where the id begins that text[from:] may begin within, or from.
func wholeID(text []byte, from int) int {
	for at := max(0, from-keyformat.IDLen+1); at < from; at++ {
		if text[at] == 'A' && at+keyformat.IDLen <= len(text) && isIDText(text[at:at+keyformat.IDLen]) && (at == 0 || !keyformat.IsAlnum(text[at-1])) {
			return at
		}
	}
	return from
}

// endsInPadding reports whether padding stands at text[at:], and no value behind it.
func endsInPadding(text []byte, at int) bool {
	n := 0
	for n < maxPadding && at+n < len(text) && text[at+n] == '=' {
		n++
	}
	return n > 0 && (at+n == len(text) || !keyformat.IsAlnum(text[at+n]) && text[at+n] != '=')
}

// anyPart reports whether is is true of a part of rest between delimiters.
func anyPart(rest []byte, is func(part []byte) bool) bool {
	for i := 0; i < len(rest); i++ {
		from := i
		for i < len(rest) && !keyformat.IsSecretPunct(rest[i]) {
			i++
		}
		if from < i && is(rest[from:i]) {
			return true
		}
	}
	return false
}

func isPart([]byte) bool            { return true }
func changesTwice(part []byte) bool { return keyformat.Transitions(part) > 1 }
func hasNoSmall(part []byte) bool   { return keyformat.LongestLower(part) < len(part) }

// looksRandom reports whether case or kind change at two of five characters of part.
func looksRandom(part []byte) bool {
	changes := keyformat.Transitions(part)
	return changes > 1 && changes*5 >= len(part)*2
}

// isNoWord reports whether part is not like "api" and "v1".
func isNoWord(part []byte) bool {
	small := keyformat.LongestLower(part)
	return small == 0 || keyformat.Transitions(part) > 1 || small+keyformat.CountDigits(part) < len(part)
}

// beginsLine reports whether only blanks stand before text[at:] on its line. It looks at no
// byte before text[least-1:].
func beginsLine(text []byte, at, least int) bool {
	for at > max(0, least) && (text[at-1] == ' ' || text[at-1] == '\t') {
		at--
	}
	return at == 0 || text[at-1] == '\n' || text[at-1] == '\r'
}

// endsAtDelimiter reports whether a value that ends at end may do so: at "/" or "+", or
// where a run does that has no padding and does not go on with %2B or %2F.
func endsAtDelimiter(text []byte, end int) bool {
	if end >= len(text) {
		return end == len(text)
	}
	kinds := keyformat.RunKinds[text[end]]
	if kinds&keyformat.InSecret != 0 || text[end] == '=' {
		return kinds&keyformat.IsPunct != 0
	}
	rest := text[end:]
	return len(rest) <= 2 || rest[0] != '%' || rest[1] != '2' || bytes.IndexByte([]byte("BFbf"), rest[2]) < 0
}

// shapeAt returns the shape of the SecretLen bytes at text[at:], NotSecret if they are no
// base64.
func shapeAt(text []byte, at int) keyformat.Shape {
	if at+keyformat.SecretLen > len(text) {
		return keyformat.NotSecret
	}
	s := text[at : at+keyformat.SecretLen]
	for _, c := range s {
		if !keyformat.IsSecretByte(c) {
			return keyformat.NotSecret
		}
	}
	return keyformat.ShapeOf(s)
}

// maxBetween is the number of delimiters between an id and a secret: ID//SECRET.
const maxBetween = 2

// hasSecretBeside reports whether a delimited secret is in the same run as the id
// text[at:end], with little between them: /ID/SECRET, id+ID+secret+SECRET.
func hasSecretBeside(text []byte, at, end int) bool {
	const maxBetween = MaxBeside - keyformat.IDLen
	for i := end; i < min(len(text), end+maxBetween) && keyformat.IsSecretByte(text[i]); i++ {
		if keyformat.IsSecretPunct(text[i]) && IsDelimited(text, i+1) {
			return true
		}
	}
	for i := at - 1; i >= max(keyformat.SecretLen, at-maxBetween) && keyformat.IsSecretByte(text[i]); i-- {
		if secret := i - keyformat.SecretLen; keyformat.IsSecretPunct(text[i]) && (secret == 0 || !keyformat.IsAlnum(text[secret-1])) && IsDelimited(text, secret) {
			return true
		}
	}
	return false
}

// adjoinsID reports whether a key id stands beside the secret s, with delimiters between.
func adjoinsID(text []byte, s detectors.Span) bool {
	return idBefore(text, s.Start) || idBehind(text, s.End)
}

// idBefore reports whether a key id stands before text[at:], with delimiters between.
func idBefore(text []byte, at int) bool {
	for n := 1; n <= maxBetween && at >= n && keyformat.IsSecretPunct(text[at-n]); n++ {
		if id := at - n - keyformat.IDLen; id >= 0 && isIDText(text[id:at-n]) && (id == 0 || !keyformat.IsAlnum(text[id-1])) {
			return true
		}
	}
	return false
}

// idBehind reports whether a key id stands behind text[:end], with delimiters between.
func idBehind(text []byte, end int) bool {
	for n := 1; n <= maxBetween && end+n <= len(text) && keyformat.IsSecretPunct(text[end+n-1]); n++ {
		if id := end + n + keyformat.IDLen; id <= len(text) && isIDText(text[end+n:id]) && (id == len(text) || !keyformat.IsAlnum(text[id])) {
			return true
		}
	}
	return false
}

// isIDText reports whether b reads like a key id.
func isIDText(b []byte) bool {
	if len(b) != keyformat.IDLen || !IsPrefix(b[:keyformat.PrefixLen]) {
		return false
	}
	for _, c := range b[keyformat.PrefixLen:] {
		if !keyformat.IsUpper(c) && !keyformat.IsDigit(c) {
			return false
		}
	}
	return true
}
