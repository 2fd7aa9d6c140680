package awskeys

import (
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// appendPresigned appends the presigned URLs in text. Those that were signed with
// an example of the documentation are none.
func appendPresigned(dst []detectors.Match, text []byte) []detectors.Match {
	for _, mark := range []string{signatureV4 + "=", signatureV2 + "="} {
		forEachMark(text, mark, func(at int) {
			if at > 0 && text[at-1] == '-' { // V4's own, when looking for V2's
				return
			}
			u := wordAround(text, at)
			p, ok := parsePresigned(string(text[u.Start:u.End]))
			if !ok || placeholderID(p.id) != "" || (mark == signatureV4+"=") != (p.region != "") {
				return
			}
			from := at + len(mark)
			end := from
			for end < u.End && text[end] != '&' {
				end++
			}
			m := secretMatch(PresignedURL, text, detectors.Span{Start: from, End: end}, onlyByUse)
			p.describe(&m)
			dst = append(dst, m)
		})
	}
	return dst
}

const eksHead = "k8s-aws-v1."

// eksLife is how long a cluster takes a token after its date, whatever the URL says
// (kubernetes-sigs/aws-iam-authenticator, README).
const eksLife = 15 * time.Minute

// appendEKS appends the tokens of EKS in text: presigned URLs in base64.
func appendEKS(dst []detectors.Match, text []byte) []detectors.Match {
	forEachMark(text, eksHead, func(at int) {
		s := detectors.Span{Start: at, End: runEnd(text, at+len(eksHead), isAnyBase64)}
		request := base64Text(text[at+len(eksHead) : s.End])
		p, ok := parsePresigned(request)
		if !ok || placeholderID(p.id) != "" {
			return
		}
		m := secretMatch(EKSToken, text, s, onlyByUse)
		m.Enclosing, m.Complete = true, detectors.SecretPart
		p.describe(&m)
		if signed, err := time.Parse("20060102T150405Z", between(request+"&", "X-Amz-Date=", "&")); err == nil {
			m.Expires = signed.Add(eksLife)
		}
		dst = append(dst, m)
	})
	return dst
}
