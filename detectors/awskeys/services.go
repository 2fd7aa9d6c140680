package awskeys

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
)

// The credentials of single services. Each begins with letters of its own, or
// stands in a place of its own; a text is searched for these first, with
// bytes.Index, and read closely only around them.

// Why STS cannot be asked, in a few words.
const (
	noAccessKey = "STS knows no such credential: it is no access key"
	onlyByUse   = "to ask is to use it"
)

// appendServices appends the credentials of single services in text.
func appendServices(dst []detectors.Match, text []byte) []detectors.Match {
	for _, find := range []func([]detectors.Match, []byte) []detectors.Match{
		appendBedrock, appendSMTP, appendServicePasswords, appendPresigned, appendECR, appendEKS,
		appendSSO, appendAppSync, appendMWS, appendCloudFront,
	} {
		dst = find(dst, text)
	}
	return dst
}

// each calls yield for each place of mark in text that no letter or digit is right
// before, unless that ends an escape sequence.
func each(text []byte, mark string, yield func(at int)) {
	for i := 0; ; {
		k := bytes.Index(text[i:], []byte(mark))
		if k < 0 {
			return
		}
		i += k
		if i == 0 || !isAlnum(text[i-1]) || escapeEnds(text, i) {
			yield(i)
		}
		i += len(mark)
	}
}

// secretOnly returns the match of a credential that is the secret at s and has no
// id of its own.
func secretOnly(rule *detectors.Rule, text []byte, s detectors.Span, why string) detectors.Match {
	return detectors.Match{
		Rule: rule, Span: s, Secret: s, Confidence: detectors.High, Unverifiable: why,
		Credential: detectors.Credential{Secret: detectors.NewSecret(string(text[s.Start:s.End]))},
	}
}

// note adds a fact, if there is something to say.
func note(m *detectors.Match, name, value string, risk int) {
	if value != "" {
		m.Facts = append(m.Facts, detectors.Fact{Name: name, Value: value, Risk: risk})
	}
}

// runEnd returns the end of the bytes from at on that is is true of, and up to two
// "=" behind them.
func runEnd(text []byte, at int, is func(byte) bool) int {
	for at < len(text) && is(text[at]) {
		at++
	}
	for pad := 0; pad < 2 && at < len(text) && text[at] == '='; pad++ {
		at++
	}
	return at
}

// isAnyBase64 knows both alphabets of RFC 4648.
func isAnyBase64(c byte) bool { return isSecretByte(c) || c == '-' || c == '_' }

// decodeAny decodes base64 of either alphabet, padded or not, to printable text; ""
// if it is none.
func decodeAny(run []byte) string {
	std := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(string(run), "="))
	out, err := base64.RawStdEncoding.DecodeString(std)
	if err != nil {
		return ""
	}
	for _, c := range out {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return ""
		}
	}
	return string(out)
}

// around returns what is at most n bytes before and after s.
func around(text []byte, s detectors.Span, n int) []byte {
	return text[max(0, s.Start-n):min(len(text), s.End+n)]
}

// between returns what stands in text between before and after, "" if it does not.
func between(text, before, after string) string {
	_, rest, found := strings.Cut(text, before)
	value, _, closed := strings.Cut(rest, after)
	if !found || !closed {
		return ""
	}
	return value
}

// splitOwner splits a user name of IAM, USER-at-ACCOUNT.
func splitOwner(name string) (user, account string) {
	i := strings.LastIndex(name, "-at-")
	if i <= 0 || !isAccount([]byte(name[i+4:])) {
		return "", ""
	}
	return name[:i], name[i+4:]
}
