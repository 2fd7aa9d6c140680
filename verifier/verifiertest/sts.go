// Package verifiertest holds services for tests that stand in for AWS: an STS
// that checks signatures, and a proxy that makes moto understandable to the AWS
// SDK for Go.
package verifiertest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// An STS answers sts:GetCallerIdentity as AWS does, in process. It checks signatures
// (Signature Version 4) with the secrets of its keys, and refuses requests whose time is
// more than 15 minutes from its own.
type STS struct {
	*httptest.Server
	// Now is the clock of the service; nil means time.Now. Set it before the
	// first request.
	Now func() time.Time
	// Confused is how long after a wrong secret the right one of the same key
	// is called wrong too, as was seen at AWS. Set it before the first request.
	Confused time.Duration
	// Date returns the Date header of all answers, "" for none; nil means the time of Now.
	// Set it before the first request.
	Date func() string

	// Before and After, if not nil, are called around each request, with the lock
	// held. Before may panic with http.ErrAbortHandler, so that nothing happens.
	Before, After func(Request)
	// service answers calls other than GetCallerIdentity of keys that are
	// authenticated; nil knows none.
	service func(Key, Request, *http.Request, []byte) Response
	// used, if not nil, is told of each authenticated use of a key.
	used func(id, service string)

	mu       sync.Mutex
	keys     map[string]Key
	script   []Response
	requests []Request
	wrong    map[string]time.Time // key id → when a wrong secret was used
}

// A Key is one that an STS knows.
type Key struct {
	Credential  detectors.Credential
	ARN, UserID string // whose it is; the account is in the ARN
	State       KeyState

	lingers time.Time // until then it works though it is Inactive
}

// KeyState is the state of a key.
type KeyState int

// The states of a key. A deleted key is one that the STS does not have: AWS gives the same
// answer for it as for Inactive.
const (
	Active   KeyState = iota
	Inactive          // the owner switched it off
	Expired           // the session is over
	Denied            // authenticated, then refused by a policy of the endpoint
)

// A Response is sent as it is, to any caller.
type Response struct {
	Status int // 0 means 200
	Header http.Header
	Body   string
	// Delay is how long to wait before the answer, or until the client leaves.
	Delay time.Duration
}

// A Request is the record of a request to an STS. It holds no secret and no token.
type Request struct {
	KeyID, Host, Path, Region, UserAgent string
	Service, Action                      string
}

// NewSTS returns an STS that knows keys and serves until the test ends.
func NewSTS(t testing.TB, keys ...Key) *STS {
	t.Helper()
	s := NewUnstartedSTS(keys...)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// NewUnstartedSTS returns an STS that does not listen yet: its caller starts
// and closes it, or calls its ServeHTTP.
func NewUnstartedSTS(keys ...Key) *STS {
	s := &STS{keys: map[string]Key{}, wrong: map[string]time.Time{}}
	for _, k := range keys {
		s.keys[k.Credential.ID] = k
	}
	s.Server = httptest.NewUnstartedServer(s)
	return s
}

// Script answers the next requests with responses, one each, before anything is checked.
func (s *STS) Script(responses ...Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, responses...)
}

// Set adds or replaces a key, to deactivate one for instance.
func (s *STS) Set(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.Credential.ID] = k
}

// Requests returns the requests so far, in the order of their arrival.
func (s *STS) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count returns how many requests came for the key id.
func (s *STS) Count(id string) (n int) {
	for _, r := range s.Requests() {
		if r.KeyID == id {
			n++
		}
	}
	return n
}

// ServeHTTP implements http.Handler.
func (s *STS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	auth, _ := parseAuthorization(r.Header.Get("Authorization"))
	answer := s.next(r, auth, body)
	select {
	case <-time.After(answer.Delay):
	case <-r.Context().Done():
		return
	}
	w.Header()["Date"] = s.date()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Status)
	_, _ = io.WriteString(w, answer.Body)
}

// date returns the Date header of an answer; nil keeps net/http from adding one.
func (s *STS) date() []string {
	if s.Date == nil {
		return []string{s.now().UTC().Format(http.TimeFormat)}
	}
	if date := s.Date(); date != "" {
		return []string{date}
	}
	return nil
}

// now returns the time at AWS.
func (s *STS) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// next records the request and makes the answer to it.
func (s *STS) next(r *http.Request, auth authorization, body []byte) Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	request := Request{
		KeyID: auth.keyID, Host: r.Host, Path: r.URL.Path, Region: auth.region, UserAgent: r.UserAgent(),
		Service: auth.service, Action: actionOf(r, body),
	}
	s.requests = append(s.requests, request)
	if s.Before != nil {
		s.Before(request)
	}
	if s.After != nil {
		defer s.After(request)
	}
	if len(s.script) > 0 {
		answer := s.script[0]
		s.script = s.script[1:]
		if answer.Status == 0 {
			answer.Status = http.StatusOK
		}
		return answer
	}
	identify := request.Service == "sts" && request.Action == "GetCallerIdentity"
	if !identify && s.service == nil {
		return Failure(http.StatusBadRequest, "InvalidAction", "Could not find operation for version 2011-06-15")
	}
	key, refusal := s.authenticate(r, auth, body)
	switch {
	case refusal.Status != 0:
		return refusal
	case s.used != nil:
		s.used(auth.keyID, request.Service)
	}
	if identify {
		return Caller(key.ARN, key.UserID)
	}
	return s.service(key, request, r, body)
}

// actionOf returns the action of a request: the parameter of the query protocol, the end of
// the target header, or the method and the path.
func actionOf(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:]
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Has("Action") {
		return form.Get("Action")
	}
	return r.Method + " " + r.URL.Path
}

// authenticate returns the key that signed r, or with a status the refusal.
func (s *STS) authenticate(r *http.Request, auth authorization, body []byte) (Key, Response) {
	key, known := s.keys[auth.keyID]
	c := key.Credential
	switch {
	case auth.keyID == "":
		return key, Failure(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	case !known, key.State == Inactive && !s.now().Before(key.lingers), !sameCloud(key.ARN, auth.region), r.Header.Get("X-Amz-Security-Token") != c.Token.Reveal():
		return key, Failure(http.StatusForbidden, "InvalidClientTokenId",
			"The security token included in the request is invalid.")
	}
	if text := s.skew(r.Header.Get("X-Amz-Date")); text != "" {
		return key, Failure(http.StatusForbidden, "SignatureDoesNotMatch", text)
	}
	wrong := auth.signature != sign(r, auth, body, c.Secret.Reveal())
	if wrong {
		s.wrong[c.ID] = time.Now()
	}
	switch {
	case wrong, time.Since(s.wrong[c.ID]) < s.Confused:
		return key, Failure(http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. "+
				"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	case key.State == Expired:
		return key, Failure(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	case key.State == Denied:
		return key, Failure(http.StatusForbidden, "AccessDenied", "User: "+key.ARN+
			" is not authorized to perform: sts:GetCallerIdentity because no VPC endpoint policy allows the sts:GetCallerIdentity action")
	}
	return key, Response{}
}

// sameCloud reports whether region is in the partition of arn. No other partition knows the
// key.
func sameCloud(arn, region string) bool {
	return strings.HasPrefix(arn, "arn:"+partition.OfRegion(region).Name+":")
}

// skew returns AWS's error text if date is too far from now, else "".
func (s *STS) skew(date string) string {
	now := s.now()
	const layout, limit = "20060102T150405Z", 15 * time.Minute
	at, err := time.Parse(layout, date)
	stamp := func(t time.Time) string { return t.UTC().Format(layout) }
	switch {
	case err != nil:
		return "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
	case at.Before(now.Add(-limit)):
		return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", date, stamp(now.Add(-limit)), stamp(now))
	case at.After(now.Add(limit)):
		return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", date, stamp(now.Add(limit)), stamp(now))
	}
	return ""
}

// RequestID is the request id in all answers.
const RequestID = "01234567-89ab-cdef-0123-456789abcdef"

// Failure returns an error as STS words it.
func Failure(status int, code, message string) Response {
	return response(status, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error>
    <Type>Sender</Type>
    <Code>`+escape(code)+`</Code>
    <Message>`+escape(message)+`</Message>
  </Error>
  <RequestId>`+RequestID+`</RequestId>
</ErrorResponse>
`)
}

// Caller returns the answer to GetCallerIdentity for arn; the account is that
// of the ARN.
func Caller(arn, userID string) Response {
	return response(http.StatusOK, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>`+escape(arn)+`</Arn>
    <UserId>`+escape(userID)+`</UserId>
    <Account>`+escape(accountOf(arn))+`</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>`+RequestID+`</RequestId>
  </ResponseMetadata>
</GetCallerIdentityResponse>
`)
}

func response(status int, body string) Response {
	return Response{Status: status, Body: body, Header: http.Header{
		"Content-Type":     {"text/xml"},
		"X-Amzn-Requestid": {RequestID},
	}}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
