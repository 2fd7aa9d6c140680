package awskeys

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// Tokens of ECR, Identity Center, AppSync and MWS.

var (
	ecrHost   = lazy(`(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws`)
	ecrExpiry = lazy(`"expiration":\s*(\d{9,11})\D`)
)

const (
	ecrAuthHead = "QVdTOmV5SndZWGxz" // "AWS:eyJwYXls" in base64
	ecrHead     = "eyJwYXlsb2FkIjoi" // `{"payload":"` in base64
)

// appendECR appends the authorization tokens of ECR in text: the base64 of a JSON
// object with payload, datakey, version, type and expiration, and of that with its
// user before it, as docker keeps it.
func appendECR(dst []detectors.Match, text []byte) []detectors.Match {
	for _, head := range []string{ecrAuthHead, ecrHead} {
		forEachMark(text, head, func(at int) {
			s := detectors.Span{Start: at, End: runEnd(text, at, isSecretByte)}
			token := base64Text(text[s.Start:s.End])
			if head == ecrAuthHead && len(token) > 4 {
				token = base64Text([]byte(token[len("AWS:"):]))
			}
			expiry := ecrExpiry().FindStringSubmatch(token + " ")
			if expiry == nil || between(token, `"datakey":"`, `"`) == "" {
				return
			}
			m := secretMatch(ECRToken, text, s, onlyByUse)
			m.Enclosing = true
			if strings.HasSuffix(token, "}") {
				m.Complete = detectors.SecretPart
			}
			if unix, err := strconv.ParseInt(expiry[1], 10, 64); err == nil {
				m.Expires = time.Unix(unix, 0).UTC()
			}
			if host := ecrHost().FindSubmatch(around(text, s, 300)); host != nil {
				m.Account = string(host[1])
				m.AddFact("region", string(host[2]), 0)
			}
			dst = append(dst, m)
		})
	}
	return dst
}

const (
	ssoAccess  = "aoaAAAAA"
	ssoRefresh = "aorAAAAA"
	minSSO     = 60
)

var (
	ssoStart  = lazy(`"startUrl"\s*:\s*"(https://[^"\s]+)"`)
	ssoExpiry = lazy(`"expiresAt"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[.\d]*(?:Z|UTC)"`)
)

// appendSSO appends the tokens of Identity Center in text.
func appendSSO(dst []detectors.Match, text []byte) []detectors.Match {
	for _, head := range []string{ssoAccess, ssoRefresh} {
		forEachMark(text, head, func(at int) {
			if at > 0 && isSecretByte(text[at-1]) && !escapeEnds(text, at) {
				return
			}
			s := detectors.Span{Start: at, End: runEnd(text, at, func(c byte) bool { return isAnyBase64(c) || c == ':' })}
			if s.End-s.Start < minSSO || !looksRandom(text[s.Start+len(head):s.End]) {
				return
			}
			m := secretMatch(SSOToken, text, s, "STS knows no tokens of Identity Center")
			if endsPadded(string(text[s.Start:s.End])) {
				m.Complete = detectors.SecretPart
			}
			near := around(text, s, 4000)
			if url := ssoStart().FindSubmatch(near); url != nil {
				m.AddFact("start-url", string(url[1]), 1)
			}
			if at := ssoExpiry().FindSubmatch(near); at != nil && head == ssoAccess {
				m.Expires, _ = time.Parse("2006-01-02T15:04:05", string(at[1]))
			}
			dst = append(dst, m)
		})
	}
	return dst
}

const (
	appSyncHead = "da2-"
	appSyncLen  = 26
)

// appSyncNames are in texts with such keys: the host of an API, or a name for its key.
var appSyncNames = []string{"appsync-api", "appsync_api", "APPSYNC_API", "appsyncApiKey", "AppSyncApiKey", "GraphQLAPIKey"}

var appSyncHost = lazy(`https://[a-z0-9]{26}\.appsync-api\.[a-z0-9-]+\.amazonaws\.com`)

// appendAppSync appends the API keys of AppSync in text.
func appendAppSync(dst []detectors.Match, text []byte) []detectors.Match {
	host, asked := "", false
	forEachMark(text, appSyncHead, func(at int) {
		s := detectors.Span{Start: at, End: min(len(text), at+len(appSyncHead))}
		for s.End < len(text) && (isLower(text[s.End]) || isDigit(text[s.End])) {
			s.End++
		}
		body := text[at+len(appSyncHead) : s.End]
		if len(body) != appSyncLen || s.End < len(text) && isAlnum(text[s.End]) || countDigits(body) == 0 || isFiller(string(body)) {
			return
		}
		if !asked {
			if !containsAny(text, appSyncNames) {
				return
			}
			host, asked = string(appSyncHost().Find(text)), true
		}
		m := secretMatch(AppSyncKey, text, s, onlyByUse)
		if host == "" {
			m.Confidence = detectors.Medium
		}
		m.AddFact("endpoint", host, 1)
		dst = append(dst, m)
	})
	return dst
}

const mwsHead = "amzn.mws."

var uuid = lazy(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// appendMWS appends the tokens of MWS in text.
func appendMWS(dst []detectors.Match, text []byte) []detectors.Match {
	forEachMark(text, mwsHead, func(at int) {
		n := len(uuid().Find(text[at+len(mwsHead):]))
		s := detectors.Span{Start: at, End: at + len(mwsHead) + n}
		if n == 0 || s.End < len(text) && (isAlnum(text[s.End]) || text[s.End] == '-') || isFiller(string(text[at+len(mwsHead):s.End])) {
			return
		}
		dst = append(dst, secretMatch(MWSToken, text, s, "MWS was shut down in March 2024"))
	})
	return dst
}

var (
	pemKey  = lazy(`-----BEGIN (?:RSA |EC )?PRIVATE KEY-----(?:\\n|[\sA-Za-z0-9+/=])*-----END (?:RSA |EC )?PRIVATE KEY-----`)
	keyPair = lazy(`\bAPKA[A-Z0-9]{16}\b`)
)

// appendCloudFront appends the private keys in text, if it names a key pair.
func appendCloudFront(dst []detectors.Match, text []byte) []detectors.Match {
	if !bytes.Contains(text, []byte("APKA")) { // a regexp reads ten times slower
		return dst
	}
	id := keyPair().Find(text)
	if id == nil || isExampleText(string(id)) {
		return dst
	}
	for _, at := range pemKey().FindAllIndex(text, -1) {
		if at[1]-at[0] < 200 {
			continue
		}
		m := secretMatch(CloudFrontKey, text, detectors.Span{Start: at[0], End: at[1]}, "STS knows no key pairs")
		m.Account, _ = Account(string(id))
		m.AddFact("key-pair", string(id), 1)
		dst = append(dst, m)
	}
	return dst
}
