// Package services finds the credentials of single services: Bedrock, SES, CodeCommit, ECR,
// EKS, Identity Center, AppSync, MWS and CloudFront. They have no id of their own, and STS
// knows none of them, so they are never verified. servicerules.go documents each.
package services

import (
	"encoding/base64"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/presigned"
	"github.com/stanch-dev/stanch/detectors/internal/marks"
)

// Each credential begins with letters of its own or has a known name near it. A text is
// first searched for these, and read closely only around them.

// The reasons why STS cannot be asked, for Match.Unverifiable.
const (
	noAccessKey = "STS knows no such credential: it is not an access key"
	onlyByUse   = "to ask is to use it"
)

// A finder appends the credentials of a service in text. A text has none unless it holds
// one of marks, and one of names if there are any.
type finder struct {
	find         func(dst []detectors.Match, text []byte) []detectors.Match
	marks, names []string
}

var finders = []finder{
	{find: appendBedrock, marks: []string{BedrockHead, bedrockSessionHead}},
	{find: appendSMTP, marks: SMTPPassword.Keywords},
	{find: appendServicePasswords, marks: []string{ownerMark}},
	{find: appendPresigned, marks: []string{presigned.SignatureV2 + "="}}, // SignatureV4 ends in SignatureV2
	{find: appendECR, marks: []string{ecrAuthHead, ecrHead}},
	{find: appendEKS, marks: []string{eksHead}},
	{find: appendSSO, marks: []string{SSOAccess, SSORefresh}},
	{find: appendAppSync, marks: []string{appSyncHead}, names: appSyncNames},
	{find: appendMWS, marks: []string{mwsHead}},
	{find: appendCloudFront, marks: []string{cloudFrontHead}},
}

// Marks returns the marks and the names of all services.
func Marks() []string {
	var all []string
	for _, f := range finders {
		all = append(append(all, f.marks...), f.names...)
	}
	return all
}

// Append appends the credentials of single services in text. found are those of Marks that
// text holds.
func Append(dst []detectors.Match, text []byte, found marks.Found) []detectors.Match {
	for _, f := range finders {
		if found.Any(f.marks...) && (f.names == nil || found.Any(f.names...)) {
			dst = f.find(dst, text)
		}
	}
	return dst
}

// secretMatch returns the match of a credential without an id, whose secret is at s. why
// becomes Match.Unverifiable.
func secretMatch(rule *detectors.Rule, text []byte, s detectors.Span, why string) detectors.Match {
	return detectors.Match{
		Rule: rule, Span: s, Secret: s, Confidence: detectors.High, Unverifiable: why,
		Credential: detectors.Credential{Secret: detectors.NewSecret(string(text[s.Start:s.End]))},
	}
}

// runEnd returns the end of the run of bytes at offset at that the function is accepts,
// with up to two "=" behind it.
func runEnd(text []byte, at int, is func(byte) bool) int {
	for at < len(text) && is(text[at]) {
		at++
	}
	for pad := 0; pad < 2 && at < len(text) && text[at] == '='; pad++ {
		at++
	}
	return at
}

// base64Text decodes base64 of either alphabet, padded or not. It returns "" if the result
// is not printable text.
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

// between returns the part of text between before and after, or "" if it lacks either.
func between(text, before, after string) string {
	_, rest, found := strings.Cut(text, before)
	value, _, closed := strings.Cut(rest, after)
	if !found || !closed {
		return ""
	}
	return value
}

// splitOwner splits USER-at-ACCOUNT, the user name of a service-specific credential.
func splitOwner(name string) (user, account string) {
	i := strings.LastIndex(name, ownerMark)
	if i <= 0 || !keyformat.IsAccount([]byte(name[i+len(ownerMark):])) {
		return "", ""
	}
	return name[:i], name[i+len(ownerMark):]
}
