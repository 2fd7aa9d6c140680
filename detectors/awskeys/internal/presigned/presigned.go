// Package presigned reads requests that were signed in advance: from a URL, and from
// parameters that stand one by one in a text.
package presigned

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"sync"
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
	dateV4        = parameter{"x-amz-date", lazyregexp.New(`(?i)^` + parameterGap + `(\d{8}T\d{6}Z)`)}
	secondsV4     = parameter{"x-amz-expires", lazyregexp.New(`(?i)^` + parameterGap + `(\d{1,6})\b`)}
	expiresV2     = parameter{"expires", lazyregexp.New(`(?i)^` + parameterGap + `(\d{9,10})\b`)}
	signatureAny  = parameter{"signature", lazyregexp.New(`(?i)^` + parameterGap + `([a-z0-9+/]{8})`)}
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
	before, after := text[max(0, s.Start-maxGap):s.Start], text[s.End:min(len(text), s.End+maxScope)]
	isScope := len(after) > 0 && (after[0] == '/' || after[0] == '%') && scopeAfter().Match(after)
	return isScope || mayNameSigner(before) && requestBefore().Match(before)
}

// A parameter is the name of a parameter of a request, in small letters, and the pattern of
// all that follows it, up to its value. A regexp for all of it reads a text fifty times as
// slowly as a search for the name does.
type parameter struct {
	name string
	rest func() *regexp.Regexp
}

// valuesIn calls yield with each value of p in text, until it returns false. lower is text
// in small letters.
func (p parameter) valuesIn(text, lower []byte, yield func(value string) bool) {
	const maxRest = 512
	for i := 0; ; {
		k := bytes.Index(lower[i:], []byte(p.name))
		if k < 0 {
			return
		}
		at := i + k
		i = at + len(p.name)
		if p.name[0] != 'x' && at > 0 && (keyformat.IsLower(lower[at-1]) || lower[at-1] == '-' && p.name == expiresV2.name) {
			continue // the end of another name
		}
		if m := p.rest().FindSubmatch(text[i:min(len(text), i+maxRest)]); m != nil && !yield(string(m[1])) {
			return
		}
	}
}

// appendLower appends text to dst, with small letters for the capital ones of ASCII.
func appendLower(dst, text []byte) []byte {
	for _, c := range text {
		if keyformat.IsUpper(c) {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// appendUnwrapped appends text to dst without its line breaks: the newline, the blanks
// behind it, and the "=" before it of quoted-printable.
func appendUnwrapped(dst, text []byte) []byte {
	for {
		k := bytes.IndexByte(text, '\n')
		if k < 0 {
			return append(dst, text...)
		}
		line := bytes.TrimSuffix(bytes.TrimSuffix(text[:k], []byte{'\r'}), []byte{'='})
		dst = append(dst, line...)
		text = bytes.TrimLeft(text[k+1:], " \t")
	}
}

// Requests are the presigned requests in a text. Each stretch of the text is searched for
// parameters at most once, even if it has thousands of ids.
type Requests struct {
	text  []byte
	holds func() bool       // text has one of requestMarks
	endOf map[int]time.Time // results of endNear, by stretch
}

// requestMarks are parts of the names of parameters. If a line break cuts one of them, the
// text still has another.
var requestMarks = []string{"X-Amz-", "x-amz-", "X-AMZ-", "AWSAccessKeyId", "awsaccesskeyid", "ignature", "IGNATURE"}

// RequestsIn returns the presigned requests in text.
func RequestsIn(text []byte) Requests {
	return Requests{text: text, holds: sync.OnceValue(func() bool { return candidates.ContainsAny(text, requestMarks) })}
}

// Until returns the end of the presigned request with s in it, the id or the token of its
// signer; zero if s is in none. If several requests stand close together, it is the end of
// the last one.
func (r *Requests) Until(s detectors.Span) time.Time {
	text := r.text
	before := text[max(0, s.Start-maxGap):s.Start]
	if !mayNameSigner(before) || !r.holds() || !signerBefore().Match(before) && !signerBefore().Match(appendUnwrapped(nil, before)) {
		return time.Time{}
	}
	u := WordAround(text, s.Start)
	if p, ok := Parse(string(text[u.Start:u.End])); ok {
		return p.expires
	}
	return r.endNear(s.Start)
}

// mayNameSigner reports whether before has the letters of a name that signerBefore finds,
// whatever is between them. It is a cheap first test.
func mayNameSigner(before []byte) bool {
	var letters [maxGap]byte
	n := 0
	for _, c := range before {
		if keyformat.IsLower(c | 0x20) {
			letters[n] = c | 0x20
			n++
		}
	}
	return candidates.ContainsAny(letters[:n], []string{"xamzcredential", "xamzsecuritytoken", "awsaccesskeyid"})
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
			until = lastRequestEnd(appendUnwrapped(nil, near)) // perhaps it is wrapped
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
	lower := appendLower(nil, text)
	isSigned := false
	signatureAny.valuesIn(text, lower, func(string) bool { isSigned = true; return false })
	if !isSigned {
		return until
	}
	var signed time.Time
	seconds := -1
	dateV4.valuesIn(text, lower, func(value string) bool {
		if t, err := time.Parse("20060102T150405Z", value); err == nil && t.After(signed) {
			signed = t
		}
		return true
	})
	secondsV4.valuesIn(text, lower, func(value string) bool {
		n, _ := strconv.Atoi(value)
		seconds = max(seconds, n)
		return true
	})
	if !signed.IsZero() && seconds >= 0 {
		until = signed.Add(time.Duration(seconds) * time.Second)
	}
	expiresV2.valuesIn(text, lower, func(value string) bool {
		unix, _ := strconv.ParseInt(value, 10, 64)
		if t := time.Unix(unix, 0).UTC(); t.After(until) {
			until = t
		}
		return true
	})
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
