package detectorstest

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// The credentials of single services of AWS, made from a seed like the others.

// BedrockKey returns a long-term API key of Bedrock.
func BedrockKey(user, account string, seed uint64) string {
	return "ABSK" + base64.StdEncoding.EncodeToString([]byte(user+"-at-"+account+":"+randomBase64(source(seed^0xbed), 60)))
}

// BedrockSession returns a short-term API key of Bedrock, with a session token.
func BedrockSession(signed time.Time, life time.Duration, seed uint64) string {
	u := Presigned("https://bedrock.amazonaws.com/?Action=CallWithBearerToken", "bedrock", signed, life, seed)
	return "bedrock-api-key-" + base64.StdEncoding.EncodeToString([]byte(strings.TrimPrefix(u, "https://")))
}

// EKSToken returns a token for Kubernetes.
func EKSToken(signed time.Time, seed uint64) string {
	u := Presigned("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15", "sts", signed, time.Minute, seed)
	return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(u))
}

// Presigned returns url, which must have a query, signed in advance by a session.
func Presigned(url, service string, signed time.Time, life time.Duration, seed uint64) string {
	date := signed.UTC().Format("20060102T150405Z")
	escape := strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace
	scope := strings.Join([]string{KeyID("ASIA", Account, seed), date[:8], "eu-west-1", service, "aws4_request"}, "/")
	return fmt.Sprintf("%s&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s&X-Amz-Date=%s&X-Amz-Expires=%d&X-Amz-Security-Token=%s&X-Amz-SignedHeaders=host&X-Amz-Signature=%s",
		url, escape(scope), date, int(life.Seconds()), escape(Token(Account, "eu-west-1", signed, seed)), Hex(64, seed))
}

// ECRToken returns an authorization token of ECR, which docker sends as a password.
func ECRToken(expires time.Time, seed uint64) string {
	r := source(seed ^ 0xec4)
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"payload":%q,"datakey":%q,"version":"2","type":"DATA_KEY","expiration":%d}`,
		randomBase64(r, 800), randomBase64(r, 240), expires.Unix()))
}

// SMTPPassword returns a password of SES.
func SMTPPassword(seed uint64) string {
	for r := source(seed ^ 0x5e5); ; {
		if s := "B" + string(rune('A'+r.IntN(16))) + randomBase64(r, 42); hasDigit(s) {
			return s
		}
	}
}

// ServicePassword returns a password of CodeCommit or Keyspaces.
func ServicePassword(seed uint64) string {
	return SecretKey(seed^0xcc) + randomBase64(source(seed), 3) + "="
}

// SSOToken returns an access token of Identity Center.
func SSOToken(seed uint64) string { return "aoaAAAAA" + randomBase64(source(seed^0x550), 400) }

// AppSyncKey returns an API key of AppSync.
func AppSyncKey(seed uint64) string {
	return "da2-" + pick(source(seed^0xa5), "abcdefghijklmnopqrstuvwxyz234567", 25) + "7"
}

// MWSToken returns an authorization token of MWS.
func MWSToken(seed uint64) string {
	h := Hex(32, seed)
	return "amzn.mws." + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// PrivateKey returns random bytes that look like a private key in PEM.
func PrivateKey(seed uint64) string {
	body := randomBase64(source(seed^0x9e3), 64*12)
	var b strings.Builder
	for ; len(body) > 0; body = body[64:] {
		b.WriteString(body[:64] + "\n")
	}
	const kind = "RSA " + "PRIVATE KEY-----"
	return "-----BEGIN " + kind + "\n" + b.String() + "-----END " + kind
}

// Hex returns n hexadecimal digits.
func Hex(n int, seed uint64) string { return pick(source(seed^0x4e7), "0123456789abcdef", n) }

func pick(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}
