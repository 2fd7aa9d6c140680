package services

import (
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
)

// Tokens of ECR, Identity Center, AppSync and MWS, and private keys of CloudFront.

var (
	ecrHost   = lazyregexp.New(`(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws`)
	ecrExpiry = lazyregexp.New(`"expiration":\s*(\d{9,11})\D`)
)

const (
	ecrAuthHead = "QVdTOmV5SndZWGxz" // "AWS:eyJwYXls" in base64
	ecrHead     = "eyJwYXlsb2FkIjoi" // `{"payload":"` in base64
)

// appendECR appends the authorization tokens of ECR in text: the base64 of a JSON object with
// payload, datakey, version, type and expiration. docker keeps them with the user before
// them, "AWS:", in base64 once more.
func appendECR(dst []detectors.Match, text []byte) []detectors.Match {
	for _, head := range []string{ecrAuthHead, ecrHead} {
		candidates.ForEachMark(text, head, func(at int) {
			s := detectors.Span{Start: at, End: runEnd(text, at, keyformat.IsSecretByte)}
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
			if host := ecrHost().FindSubmatch(candidates.Around(text, s, 300)); host != nil {
				m.Account = string(host[1])
				m.AddFact("region", string(host[2]), 0)
			}
			dst = append(dst, m)
		})
	}
	return dst
}

const (
	SSOAccess  = "aoaAAAAA"
	SSORefresh = "aorAAAAA"
	minSSO     = 60
)

var (
	ssoStart  = lazyregexp.New(`"startUrl"\s*:\s*"(https://[^"\s]+)"`)
	ssoExpiry = lazyregexp.New(`"expiresAt"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[.\d]*(?:Z|UTC)"`)
)

// appendSSO appends the tokens of Identity Center in text.
func appendSSO(dst []detectors.Match, text []byte) []detectors.Match {
	for _, head := range []string{SSOAccess, SSORefresh} {
		candidates.ForEachMark(text, head, func(at int) {
			if at > 0 && keyformat.IsSecretByte(text[at-1]) && !candidates.EscapeEnds(text, at) {
				return
			}
			s := detectors.Span{Start: at, End: runEnd(text, at, func(c byte) bool { return keyformat.IsAnyBase64(c) || c == ':' })}
			if s.End-s.Start < minSSO || !candidates.LooksRandom(text[s.Start+len(head):s.End]) {
				return
			}
			m := secretMatch(SSOToken, text, s, "STS knows no tokens of Identity Center")
			if keyformat.EndsPadded(string(text[s.Start:s.End])) {
				m.Complete = detectors.SecretPart
			}
			near := candidates.Around(text, s, 4000)
			if url := ssoStart().FindSubmatch(near); url != nil {
				m.AddFact("start-url", string(url[1]), 1)
			}
			if at := ssoExpiry().FindSubmatch(near); at != nil && head == SSOAccess {
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

// appSyncNames are the host of an API and names for its key. A text with a key has one.
var appSyncNames = []string{"appsync-api", "appsync_api", "APPSYNC_API", "appsyncApiKey", "AppSyncApiKey", "GraphQLAPIKey"}

var appSyncHost = lazyregexp.New(`https://[a-z0-9]{26}\.appsync-api\.[a-z0-9-]+\.amazonaws\.com`)

// appendAppSync appends the API keys of AppSync in text.
func appendAppSync(dst []detectors.Match, text []byte) []detectors.Match {
	host, asked := "", false
	candidates.ForEachMark(text, appSyncHead, func(at int) {
		s := detectors.Span{Start: at, End: min(len(text), at+len(appSyncHead))}
		for s.End < len(text) && (keyformat.IsLower(text[s.End]) || keyformat.IsDigit(text[s.End])) {
			s.End++
		}
		body := text[at+len(appSyncHead) : s.End]
		if len(body) != appSyncLen || s.End < len(text) && keyformat.IsAlnum(text[s.End]) || keyformat.CountDigits(body) == 0 || keyformat.IsFiller(string(body)) {
			return
		}
		if !asked {
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

var uuid = lazyregexp.New(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// appendMWS appends the tokens of MWS in text.
func appendMWS(dst []detectors.Match, text []byte) []detectors.Match {
	candidates.ForEachMark(text, mwsHead, func(at int) {
		n := len(uuid().Find(text[at+len(mwsHead):]))
		s := detectors.Span{Start: at, End: at + len(mwsHead) + n}
		if n == 0 || s.End < len(text) && (keyformat.IsAlnum(text[s.End]) || text[s.End] == '-') || keyformat.IsFiller(string(text[at+len(mwsHead):s.End])) {
			return
		}
		dst = append(dst, secretMatch(MWSToken, text, s, "MWS was shut down in March 2024"))
	})
	return dst
}

var (
	pemKey  = lazyregexp.New(`-----BEGIN (?:RSA |EC )?PRIVATE KEY-----(?:\\n|[\sA-Za-z0-9+/=])*-----END (?:RSA |EC )?PRIVATE KEY-----`)
	keyPair = lazyregexp.New(`\bAPKA[A-Z0-9]{16}\b`)
)

// cloudFrontHead is the head of the id of a key pair.
const cloudFrontHead = "APKA"

// appendCloudFront appends the private keys in text, if it has the id of a key pair.
func appendCloudFront(dst []detectors.Match, text []byte) []detectors.Match {
	id := keyPair().Find(text)
	if id == nil || keyformat.IsExampleText(string(id)) {
		return dst
	}
	for _, at := range pemKey().FindAllIndex(text, -1) {
		if at[1]-at[0] < 200 {
			continue
		}
		m := secretMatch(CloudFrontKey, text, detectors.Span{Start: at[0], End: at[1]}, "STS knows no key pairs")
		m.Account, _ = keyformat.Account(string(id))
		m.AddFact("key-pair", string(id), 1)
		dst = append(dst, m)
	}
	return dst
}
