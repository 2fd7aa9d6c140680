package services

import (
	"bytes"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/presigned"
)

// A long-term API key of Bedrock is "ABSK" and the base64 of USER-at-ACCOUNT:SECRET;
// AWS documents only that it is a bearer token. The shortest name and account make
// 100 characters, the longest name 280.
const (
	BedrockHead = "ABSK"
	minBedrock  = 100
	maxBedrock  = 280
	// bedrockSecret is the length of the secret in all known keys.
	bedrockSecret = 60
)

// A short-term key is this head, the base64 of "bedrock.amazonaws.com" and the rest of a
// presigned URL.
const (
	bedrockSessionHead = "bedrock-api-key-"
	bedrockSessionHost = "YmVkcm9jay5hbWF6b25hd3MuY29t"
)

// appendBedrock appends the API keys of Bedrock in text.
func appendBedrock(dst []detectors.Match, text []byte) []detectors.Match {
	candidates.ForEachMark(text, BedrockHead, func(at int) {
		if at > 0 && keyformat.IsSecretByte(text[at-1]) && !candidates.EscapeEnds(text, at) {
			return // a part of other base64
		}
		s := detectors.Span{Start: at, End: runEnd(text, at, keyformat.IsSecretByte)}
		n := s.End - s.Start - len(BedrockHead)
		if n < minBedrock || n > maxBedrock || !candidates.LooksRandom(text[at:s.End]) {
			return
		}
		m := secretMatch(BedrockKey, text, s, noAccessKey+", and "+onlyByUse)
		m.Enclosing = true
		owner, secret, _ := strings.Cut(base64Text(text[at+len(BedrockHead):s.End]), ":")
		if key := string(text[at:s.End]); keyformat.EndsPadded(key) || len(key)%4 == 0 && len(secret) == bedrockSecret {
			m.Complete = detectors.SecretPart
		}
		user, account := splitOwner(owner)
		if account == "" {
			m.Confidence = detectors.Medium
		}
		m.Account = account
		m.AddFact("iam-user", user, 1)
		dst = append(dst, m)
	})
	candidates.ForEachMark(text, bedrockSessionHead, func(at int) {
		s := detectors.Span{Start: at, End: runEnd(text, at+len(bedrockSessionHead), keyformat.IsAnyBase64)}
		if s.End-s.Start < candidates.MinToken || !bytes.HasPrefix(text[at+len(bedrockSessionHead):], []byte(bedrockSessionHost)) {
			return
		}
		m := secretMatch(BedrockSession, text, s, noAccessKey+", and "+onlyByUse)
		m.Enclosing = true
		request, ok := presigned.Parse(base64Text(text[at+len(bedrockSessionHead) : s.End]))
		if ok {
			request.Describe(&m)
			m.Complete = detectors.SecretPart
		} else {
			m.Confidence = detectors.Medium // cut off, as in a log
		}
		dst = append(dst, m)
	})
	return dst
}
