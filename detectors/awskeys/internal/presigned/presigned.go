// Package presigned reads requests that were signed in advance: from a URL, and from
// parameters that stand one by one in a text.
package presigned

import (
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// A Request holds the parameters of a request that was signed in advance (AWS General
// Reference, "Signature Version 4 signing process"; S3, "Signing and authenticating REST
// requests" for Version 2).
type Request struct {
	ID, Region, service string
	expires             time.Time
	signature           string
}

const maxLen = 8 << 10

const (
	SignatureV4 = "X-Amz-Signature"
	SignatureV2 = "Signature"
	idV2        = "AWSAccessKeyId"
)

// Parse reads the parameters of a URL. ok is false if AWS would not accept it as a presigned
// request, whatever its time.
func Parse(text string) (p Request, ok bool) {
	_, query, found := strings.Cut(text, "?")
	if !found {
		return p, false
	}
	v := parameters(query)
	if v[idV2] != "" {
		p.ID, p.signature = v[idV2], v[SignatureV2]
		unix, err := strconv.ParseInt(v["Expires"], 10, 64)
		p.expires = time.Unix(unix, 0).UTC()
		return p, err == nil && unix > 0 && unix < 1<<33 && p.signature != "" && isKeyID(p.ID)
	}
	scope := strings.Split(v["X-Amz-Credential"], "/") // ID/DATE/REGION/SERVICE/aws4_request
	signed, err := time.Parse("20060102T150405Z", v["X-Amz-Date"])
	seconds, bad := strconv.Atoi(v["X-Amz-Expires"])
	if len(scope) != 5 || err != nil || bad != nil || seconds < 0 || seconds > 7*24*60*60 || !isKeyID(scope[0]) {
		return p, false
	}
	p = Request{scope[0], scope[2], scope[3], signed.Add(time.Duration(seconds) * time.Second), v[SignatureV4]}
	return p, len(p.signature) == 64 && keyformat.IsHexRun([]byte(p.signature))
}

// parameters splits a query. It reads parameters that are escaped twice, or for HTML, as
// well: the URL may have been pasted into any kind of text.
func parameters(query string) map[string]string {
	values := map[string]string{}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(strings.TrimPrefix(part, "amp;"), "=")
		values[name] = string(encodings.AppendUnescaped(nil, []byte(value)))
	}
	return values
}

func isKeyID(id string) bool {
	return len(id) == keyformat.IDLen && candidates.IsPrefix([]byte(id[:keyformat.PrefixLen])) && candidates.IsID([]byte(id), 0)
}

// Describe adds the account, the end and the facts of p to m.
func (p Request) Describe(m *detectors.Match) {
	m.Account, _ = keyformat.Account(p.ID)
	m.Expires = p.expires
	m.AddFact("signed-with", p.ID, 1)
	m.AddFact("service", p.service, 0)
	m.AddFact("region", p.Region, 0)
	if keyformat.Grade(p.ID) == keyformat.Impossible {
		m.Confidence = detectors.Low
	}
}

// These patterns find single parameters of presigned requests: in a URL, whole or in pieces,
// in a form, or in a list of a tool ("name": "X-Amz-Date", "value": "…").
var (
	requestBefore = lazyregexp.New(`(?:(?i:X-Amz-Credential)|[?&;]AWSAccessKeyId)` + parameterGap + `$`) // ";" ends &amp;
	scopeAfter    = lazyregexp.New(`^(?:/|%(?:25)*2[Ff])\d{8}(?:/|%(?:25)*2[Ff])`)
	signerBefore  = lazyregexp.New(`(?i)(?:X-Amz-(?:Credential|Security-Token)|AWSAccessKeyId)` + parameterGap + `$`)
	dateV4        = lazyregexp.New(`(?i)X-Amz-Date` + parameterGap + `(\d{8}T\d{6}Z)`)
	secondsV4     = lazyregexp.New(`(?i)X-Amz-Expires` + parameterGap + `(\d{1,6})\b`)
	expiresV2     = lazyregexp.New(`(?i)(?:^|[^a-z-])Expires` + parameterGap + `(\d{9,10})\b`)
	signatureAny  = lazyregexp.New(`(?i)(?:^|[^a-z])Signature` + parameterGap + `[a-z0-9+/]{8}`)
	lineBreak     = lazyregexp.New(`=?\r?\n[ \t]*`)
)

const (
	parameterGap = `(?:[^A-Za-z0-9]|%(?:25)*3D|=3D|value){1,40}?`
	maxGap       = 80
)

// Signs reports whether the id at s stands in a request that it signed: as
// ID/DATE/REGION/SERVICE/aws4_request or X-Amz-Credential of Signature Version 4, or in a
// query as AWSAccessKeyId=ID of Version 2.
func Signs(text []byte, s detectors.Span) bool {
	const maxScope = len("%252F20060102%252F")
	return scopeAfter().Match(text[s.End:min(len(text), s.End+maxScope)]) || requestBefore().Match(text[max(0, s.Start-maxGap):s.Start])
}

// Requests are the presigned requests in a text. Each stretch of the text is searched for
// parameters at most once, even if it has thousands of ids.
type Requests struct {
	text    []byte
	present bool              // text has one of requestMarks
	endOf   map[int]time.Time // results of endNear, by stretch
}

// requestMarks are parts of the names of parameters. If a line break cuts one of them, the
// text still has another.
var requestMarks = []string{"X-Amz-", "x-amz-", "X-AMZ-", "AWSAccessKeyId", "awsaccesskeyid", "ignature", "IGNATURE"}

// RequestsIn returns the presigned requests in text.
func RequestsIn(text []byte) Requests {
	return Requests{text: text, present: candidates.ContainsAny(text, requestMarks)}
}

// Until returns the end of the presigned request with s in it, the id or the token of its
// signer; zero if s is in none. If several requests stand close together, it is the end of
// the last one.
func (r *Requests) Until(s detectors.Span) time.Time {
	if !r.present {
		return time.Time{}
	}
	text := r.text
	before := text[max(0, s.Start-maxGap):s.Start]
	if !signerBefore().Match(before) && !signerBefore().Match(lineBreak().ReplaceAll(before, nil)) {
		return time.Time{}
	}
	u := WordAround(text, s.Start)
	if p, ok := Parse(string(text[u.Start:u.End])); ok {
		return p.expires
	}
	return r.endNear(s.Start)
}

// endNear returns the end of the last request whose parameters stand one by one in the
// stretch of at or in those beside it.
func (r *Requests) endNear(at int) time.Time {
	const stretch = maxLen / 2
	n := at / stretch
	until, known := r.endOf[n]
	if !known {
		near := r.text[max(0, n-1)*stretch : min(len(r.text), (n+2)*stretch)]
		until = lastRequestEnd(near)
		if until.IsZero() {
			until = lastRequestEnd(lineBreak().ReplaceAll(near, nil)) // perhaps it is wrapped
		}
		if r.endOf == nil {
			r.endOf = map[int]time.Time{}
		}
		r.endOf[n] = until
	}
	return until
}

// lastRequestEnd returns the end of the last presigned request whose parameters stand one by
// one in text; zero if there is none.
func lastRequestEnd(text []byte) (until time.Time) {
	if !signatureAny().Match(text) {
		return until
	}
	var signed time.Time
	seconds := -1
	for _, m := range dateV4().FindAllSubmatch(text, -1) {
		if t, err := time.Parse("20060102T150405Z", string(m[1])); err == nil && t.After(signed) {
			signed = t
		}
	}
	for _, m := range secondsV4().FindAllSubmatch(text, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		seconds = max(seconds, n)
	}
	if !signed.IsZero() && seconds >= 0 {
		until = signed.Add(time.Duration(seconds) * time.Second)
	}
	for _, m := range expiresV2().FindAllSubmatch(text, -1) {
		unix, _ := strconv.ParseInt(string(m[1]), 10, 64)
		if t := time.Unix(unix, 0).UTC(); t.After(until) {
			until = t
		}
	}
	return until
}

// WordAround returns the word around at. It ends at characters that end a URL in a text.
func WordAround(text []byte, at int) detectors.Span {
	ends := func(c byte) bool { return c <= ' ' || c >= 0x7f || strings.IndexByte("\"'`<>()[]{}|\\^", c) >= 0 }
	s := detectors.Span{Start: at, End: at}
	for s.Start > max(0, at-maxLen) && !ends(text[s.Start-1]) {
		s.Start--
	}
	for s.End < min(len(text), at+maxLen) && !ends(text[s.End]) {
		s.End++
	}
	return s
}
