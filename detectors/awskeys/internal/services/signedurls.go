package services

import (
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/presigned"
)

// appendPresigned appends the presigned URLs in text, except those that were signed with an
// example of the documentation.
func appendPresigned(dst []detectors.Match, text []byte) []detectors.Match {
	for _, mark := range []string{presigned.SignatureV4 + "=", presigned.SignatureV2 + "="} {
		candidates.ForEachMark(text, mark, func(at int) {
			if at > 0 && text[at-1] == '-' { // X-Amz-Signature of Version 4
				return
			}
			u := presigned.WordAround(text, at)
			p, ok := presigned.Parse(string(text[u.Start:u.End]))
			if !ok || keyformat.PlaceholderID(p.ID) != "" || (mark == presigned.SignatureV4+"=") != (p.Region != "") {
				return
			}
			from := at + len(mark)
			end := from
			for end < u.End && text[end] != '&' {
				end++
			}
			m := secretMatch(PresignedURL, text, detectors.Span{Start: from, End: end}, onlyByUse)
			p.Describe(&m)
			dst = append(dst, m)
		})
	}
	return dst
}

const eksHead = "k8s-aws-v1."

// eksLife is the time for which a cluster accepts a token after its date, whatever the URL
// says (kubernetes-sigs/aws-iam-authenticator, README).
const eksLife = 15 * time.Minute

// appendEKS appends the tokens of EKS in text: presigned URLs in base64.
func appendEKS(dst []detectors.Match, text []byte) []detectors.Match {
	candidates.ForEachMark(text, eksHead, func(at int) {
		s := detectors.Span{Start: at, End: runEnd(text, at+len(eksHead), keyformat.IsAnyBase64)}
		request := base64Text(text[at+len(eksHead) : s.End])
		p, ok := presigned.Parse(request)
		if !ok || keyformat.PlaceholderID(p.ID) != "" {
			return
		}
		m := secretMatch(EKSToken, text, s, onlyByUse)
		m.Enclosing, m.Complete = true, detectors.SecretPart
		p.Describe(&m)
		if signed, err := time.Parse("20060102T150405Z", between(request+"&", "X-Amz-Date=", "&")); err == nil {
			m.Expires = signed.Add(eksLife)
		}
		dst = append(dst, m)
	})
	return dst
}
