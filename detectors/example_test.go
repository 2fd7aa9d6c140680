package detectors_test

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// A Set finds a pair although its secret is in base64. A Secret does not print.
func ExampleSet_Detect() {
	text := "id: " + detectorstest.KeyID("AKIA", detectorstest.Account, 1) + "\n" +
		"secret: " + base64.StdEncoding.EncodeToString([]byte(detectorstest.SecretKey(1))) + "\n"
	set := detectors.NewSet(awskeys.Detector{})
	for _, m := range set.Detect(nil, []byte(text)) {
		fmt.Println(m.Rule.ID, m.Span, m.Confidence, m.Credential.Secret)
	}
	// Output: aws-access-key {4 24} high [redacted]
}

// acmeTokens finds tokens of a made-up service: "acme_" and eight small letters.
type acmeTokens struct{}

var acmeToken = &detectors.Rule{ID: "acme-token", Title: "Acme token", Keywords: []string{"acme_"}}

func (acmeTokens) Rules() []*detectors.Rule { return []*detectors.Rule{acmeToken} }

func (acmeTokens) Detect(dst []detectors.Match, text []byte) []detectors.Match {
	const head, size = "acme_", len("acme_") + 8
	for at := 0; ; at += size {
		k := bytes.Index(text[at:], []byte(head))
		if k < 0 || at+k+size > len(text) {
			return dst
		}
		at += k
		s := detectors.Span{Start: at, End: at + size}
		dst = append(dst, detectors.Match{
			Rule: acmeToken, Span: s, Secret: s, Confidence: detectors.Medium, Unverifiable: "an example",
			Credential: detectors.Credential{Secret: detectors.NewSecret(string(text[s.Start:s.End]))},
		})
	}
}

// A Detector only reads plain text. The Set decodes: this token is escaped for a URL.
func ExampleDetector() {
	set := detectors.NewSet(acmeTokens{})
	for _, m := range set.Detect(nil, []byte("https://example.com/?token=%61cme_abcdefgh&token=acme_ijklmnop")) {
		fmt.Println(m.Rule.Title, m.Span)
	}
	// Output:
	// Acme token {27 42}
	// Acme token {49 62}
}
