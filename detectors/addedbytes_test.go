package detectors_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestNews holds that nothing is lost by searching only views that say something new:
// of parts of credentials, and of what is said of them, in all encodings, near each
// other and far apart.
func TestNews(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	r := rand.New(rand.NewPCG(1, 5))
	// A thousand texts have each of the parts in each encoding about ten times.
	found, texts := 0, 1000
	if scannertest.WholeMatrix(t, "4,000 texts; here are 1,000") {
		texts = 4000
	}
	for range texts {
		text := []byte(parts(r))
		want, got := described(set.DetectEvery(text)), described(set.Detect(nil, text))
		if !slices.Equal(want, got) {
			t.Errorf("%.2000q:\nwant %q\n got %q", text, want, got)
		}
		found += len(want)
	}
	if found < texts/8 {
		t.Errorf("only %d things were found at all", found)
	}
}

// TestNewsFarApart is TestNews for long texts, in which parts stand too far apart to be seen
// from each other.
func TestNewsFarApart(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	r := rand.New(rand.NewPCG(2, 7))
	texts := 40
	if scannertest.WholeMatrix(t, "200 texts; here are 40") {
		texts = 200
	}
	for range texts {
		text := parts(r)
		for range 1 + r.IntN(3) {
			text += strings.Repeat([]string{"x y \n", "x y ", `"a", `}[r.IntN(3)], 8000) + parts(r)
		}
		if want, got := described(set.DetectEvery([]byte(text))), described(set.Detect(nil, []byte(text))); !slices.Equal(want, got) {
			t.Errorf("%.2000q:\nwant %q\n got %q", text, want, got)
		}
	}
}

// TestFarParts holds a row for each kind of credential whose parts hint at nothing when
// they are decoded or put together, far from the part that does.
func TestFarParts(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	far := "\n" + strings.Repeat("x y ", 2500) + "\n"
	b64 := base64.StdEncoding.EncodeToString
	token := detectorstest.Fill("{token1}")
	for _, tt := range []struct{ name, text, rule string }{
		{"token_in_pieces", `TOKEN="` + token[:300] + `" + "` + token[300:] + `"`, "aws-session-key"},
		{"appsync_key", "endpoint: https://x.appsync-api.eu-west-1.amazonaws.com" + far + "key: " + b64([]byte(detectorstest.AppSyncKey(1))), "aws-appsync-key"},
		{"cloudfront_key", "pair: APKA" + detectorstest.Fill("{AKIA1}")[4:] + far + "pem: " + b64([]byte(detectorstest.PrivateKey(1))), "aws-cloudfront-key"},
	} {
		found := set.Detect(nil, []byte(tt.text))
		if !slices.ContainsFunc(found, func(m detectors.Match) bool { return m.Rule.ID == tt.rule }) {
			t.Errorf("%s: found %v", tt.name, described(found))
		}
	}
}

// parts returns parts of credentials in encodings.
func parts(r *rand.Rand) string {
	seed := r.Uint64N(1000)
	id, secret := detectorstest.KeyID([]string{"AKIA", "ASIA"}[r.IntN(2)], detectorstest.Account, seed), detectorstest.SecretKey(seed)
	things := []string{
		id, id, secret, secret, id + ":" + secret, "aws_access_key_id = " + id + "\naws_secret_access_key = " + secret,
		"aws_secret_access_key", "secret", "smtp", "appsync-api", "sha1", "example", detectorstest.Fill(fmt.Sprintf("{token%d}", seed)),
		"endpoint_url = http://localhost:9000", "endpoint: https://nyc3.digitaloceanspaces.com", "arn:aws-cn:iam::" + detectorstest.Account + ":user/x",
		"us-gov-west-1", "email-smtp.eu-west-1.amazonaws.com", detectorstest.SMTPPassword(seed), detectorstest.ServicePassword(seed), "alice-at-" + detectorstest.Account,
		detectorstest.PrivateKey(seed), "APKA" + id[4:], detectorstest.BedrockKey("a", detectorstest.Account, seed), detectorstest.MWSToken(seed), detectorstest.AppSyncKey(seed),
	}
	seps := []string{"\n", " ", "=", ": ", `"`, `": "`, ",", `\n`, `\"`, `", "`, "'", "&", "\x00"}
	var b strings.Builder
	for range 1 + r.IntN(7) {
		switch r.IntN(9) {
		case 0:
			b.WriteString(filler(r, r.IntN(600)))
		case 1:
			b.WriteString(strings.Repeat("x y ", r.IntN(1000)))
		}
		s := encoded(r, things[r.IntN(len(things))])
		if r.IntN(3) == 0 {
			s = encoded(r, s+seps[r.IntN(len(seps))]+things[r.IntN(len(things))])
		}
		b.WriteString(s + seps[r.IntN(len(seps))])
	}
	if r.IntN(5) == 0 {
		return encoded(r, b.String())
	}
	return b.String()
}

// encoded returns s in one of the forms that views undo, or as it is.
func encoded(r *rand.Rand, s string) string {
	k := r.IntN(len(s))
	switch r.IntN(16) {
	case 0:
		return percent(s)
	case 1:
		return unicode(s)
	case 2:
		return html(s)
	case 3:
		return octal(s)
	case 4:
		return base64.StdEncoding.EncodeToString([]byte("x: " + s + " "))
	case 5:
		return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s))))
	case 6:
		return hex.EncodeToString([]byte(s))
	case 7:
		return s[:k] + `" + "` + s[k:]
	case 8:
		return s[:k] + "\\\n" + s[k:]
	case 9:
		return strings.NewReplacer("/", `\/`, "\n", `\n`, `"`, `\"`).Replace(s)
	case 10:
		return s[:k] + fmt.Sprintf(`\u%04x`, s[k]) + s[k+1:]
	case 11:
		return encodeUTF16(s, false, "")
	case 12:
		switch k % 3 {
		case 1:
			s = deflated(s, k%10)
		case 2:
			s = zipped("a", s)
		default:
			s = gzipped(s)
		}
		return base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}

// described returns all that is known of matches.
func described(matches []detectors.Match) (list []string) {
	for _, m := range matches {
		list = append(list, fmt.Sprintf("%s %v %v %v %s %s %s %s %s %v %v %v %v", m.Rule.ID, m.Span, m.Secret, m.Token, m.Credential.ID, m.Credential.Secret.Reveal(),
			m.Credential.Token.Reveal(), m.Account, m.Credential.Partition, m.Facts, m.Confidence, m.Group, m.Needs))
	}
	slices.Sort(list)
	return list
}
