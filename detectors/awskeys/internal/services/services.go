package services

import (
	"encoding/base64"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// The credentials of single services. Each begins with letters of its own, or
// stands in a place of its own; a text is searched for these first, with
// bytes.Index, and read closely only around them.

// Why STS cannot be asked, in a few words.
const (
	noAccessKey = "STS knows no such credential: it is no access key"
	onlyByUse   = "to ask is to use it"
)

// Append appends the credentials of single services in text.
func Append(dst []detectors.Match, text []byte) []detectors.Match {
	for _, find := range []func([]detectors.Match, []byte) []detectors.Match{
		appendBedrock, appendSMTP, appendServicePasswords, appendPresigned, appendECR, appendEKS,
		appendSSO, appendAppSync, appendMWS, appendCloudFront,
	} {
		dst = find(dst, text)
	}
	return dst
}

// secretMatch returns the match of a credential that is the secret at s and has no
// id of its own.
func secretMatch(rule *detectors.Rule, text []byte, s detectors.Span, why string) detectors.Match {
	return detectors.Match{
		Rule: rule, Span: s, Secret: s, Confidence: detectors.High, Unverifiable: why,
		Credential: detectors.Credential{Secret: detectors.NewSecret(string(text[s.Start:s.End]))},
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

// base64Text decodes base64 of either alphabet, padded or not, to printable text; ""
// if it is none.
func base64Text(run []byte) string {
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
	if i <= 0 || !keyformat.IsAccount([]byte(name[i+4:])) {
		return "", ""
	}
	return name[:i], name[i+4:]
}
