package awsverifier

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

const (
	html  = "<html><body><h1>403 Forbidden</h1><p>Blocked by policy<br></body></html>"
	xhtml = "<html><body><p>Please sign in</p></body></html>"
	moto  = "<ErrorResponse><Errors><Error><Code>SignatureDoesNotMatch</Code></Error></Errors></ErrorResponse>"

	notSTS = "no answer: something other than STS replied, such as a proxy"
	noName = "no answer: the reply names no identity"
	clock  = "the clock of this machine is wrong"
	form   = "malformed request: what was found is probably not a key"
	region = "the account does not use this region, or is suspended"
	rate   = "AWS limits the rate of requests"
	ill    = "AWS has trouble"
)

// TestAnswers has a row for each answer that STS, or somebody in its place, can
// give: whose fault it is decides, and what cannot be trusted is unknown.
func TestAnswers(t *testing.T) {
	arn := "arn:aws:iam::" + account + ":user/alice"
	sts := verifiertest.Failure
	page := func(status int, body string) verifiertest.Response {
		return verifiertest.Response{Status: status, Body: body, Header: http.Header{"Content-Type": {"text/html"}}}
	}
	to := func(status int) verifiertest.Response {
		return verifiertest.Response{Status: status, Header: http.Header{"Location": {"http://192.0.2.1/login"}}, Body: html}
	}
	redirectXML := sts(302, "InvalidClientTokenId", "")
	redirectXML.Header.Set("Location", "http://192.0.2.1/")
	noAnswer, busy := verifier.ErrNoAnswer, verifier.ErrBusy

	for _, tt := range []struct {
		name   string
		answer verifiertest.Response
		state  verifier.State
		why    string
		is     error // sentinel that the error wraps
	}{
		{"user", verifiertest.Caller(arn, "AIDA"), verifier.Live, "", nil},
		{"china", verifiertest.Caller(strings.Replace(arn, "aws", "aws-cn", 1), "AIDA"), verifier.Live, "", nil},
		{"denied", sts(403, "AccessDenied", "User: "+arn+" is not authorized to perform: sts:GetCallerIdentity with an explicit deny"), verifier.Live, "", nil},
		{"denied, exception", sts(400, "AccessDeniedException", "User: "+arn+" is not authorized"), verifier.Live, "", nil},
		{"denied without name", sts(403, "AccessDenied", "Access Denied"), verifier.Unknown, "access denied, by whom is not said", nil},
		{"denied, anonymous", sts(403, "AccessDenied", "User: anonymous is not authorized"), verifier.Unknown, "access denied, by whom is not said", nil},

		{"unknown id", sts(403, "InvalidClientTokenId", "The security token included in the request is invalid."), verifier.Invalid, "", nil},
		{"unknown id, other status", sts(400, "InvalidClientTokenId", ""), verifier.Invalid, "", nil},
		{"mismatch", sts(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."), verifier.IDActive, "", nil},
		{"late", sts(403, "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z (… - 15 min.)"), verifier.Unknown, clock, nil},
		{"early", sts(403, "SignatureDoesNotMatch", "Signature not yet current: 20260101T010000Z is still later than 20260101T000000Z"), verifier.Unknown, clock, nil},
		{"late, own code", sts(400, "RequestExpired", ""), verifier.Unknown, clock, nil},
		{"expired", sts(403, "ExpiredToken", "The security token included in the request is expired"), verifier.Expired, "", nil},
		{"expired, exception", sts(400, "ExpiredTokenException", ""), verifier.Expired, "", nil},

		{"incomplete", sts(400, "IncompleteSignature", ""), verifier.Unknown, form, nil},
		{"no authentication", sts(403, "MissingAuthenticationToken", ""), verifier.Unknown, form, nil},
		{"malformed", sts(400, "MalformedInput", ""), verifier.Unknown, form, nil},
		{"region", sts(403, "RegionDisabledException", ""), verifier.Unknown, region, nil},
		{"opt in", sts(403, "OptInRequired", ""), verifier.Unknown, region, nil},
		{"new code", sts(400, "SomethingNew", ""), verifier.Unknown, "unexpected error code SomethingNew", nil},

		{"throttling", sts(400, "Throttling", "Rate exceeded"), verifier.Unknown, rate, busy},
		{"limit", sts(503, "RequestLimitExceeded", ""), verifier.Unknown, rate, busy},
		{"rate exceeded", sts(400, "Odd", "Rate exceeded"), verifier.Unknown, rate, busy},
		{"failure", sts(500, "InternalFailure", ""), verifier.Unknown, ill, busy},
		{"unavailable", sts(503, "ServiceUnavailable", ""), verifier.Unknown, ill, busy},
		{"gateway", page(502, html), verifier.Unknown, "no answer: HTTP 502", busy},
		{"gateway, network", page(504, xhtml), verifier.Unknown, "no answer: HTTP 504", noAnswer},

		{"proxy 403", page(403, html), verifier.Unknown, notSTS, noAnswer},
		{"proxy 403, well formed", page(403, xhtml), verifier.Unknown, notSTS, noAnswer},
		{"proxy 407", page(407, html), verifier.Unknown, notSTS, noAnswer},
		{"proxy 407, in STS's words", sts(407, "InvalidClientTokenId", ""), verifier.Unknown, notSTS, noAnswer},
		{"gateway, in STS's words", sts(502, "InvalidClientTokenId", ""), verifier.Unknown, ill, busy},
		{"empty 403", page(403, ""), verifier.Unknown, notSTS, noAnswer},
		{"json", page(403, `{"code":"InvalidClientTokenId"}`), verifier.Unknown, notSTS, noAnswer},
		{"moto", page(403, moto), verifier.Unknown, notSTS, noAnswer},
		{"captive portal", page(200, html), verifier.Unknown, notSTS, noAnswer},
		{"captive portal, well formed", page(200, xhtml), verifier.Unknown, notSTS, noAnswer},
		{"redirect", to(302), verifier.Unknown, notSTS, noAnswer},
		{"redirect, same method", to(307), verifier.Unknown, notSTS, noAnswer},
		{"redirect with a code", redirectXML, verifier.Unknown, notSTS, noAnswer},
		{"error with 200", page(200, sts(200, "InvalidClientTokenId", "").Body), verifier.Unknown, notSTS, noAnswer},
		{"empty 200", page(200, ""), verifier.Unknown, noName, noAnswer},
		{"no content", verifiertest.Response{Status: 204}, verifier.Unknown, noName, noAnswer},
		{"no account", verifiertest.Caller("", ""), verifier.Unknown, noName, noAnswer},
		{"account and arn differ", page(200, strings.Replace(verifiertest.Caller(arn, "").Body, "iam::"+account, "iam::"+another, 1)), verifier.Unknown, noName, noAnswer},
		{"odd arn", verifiertest.Caller("arn:aws:s3::"+account+":bucket", ""), verifier.Unknown, noName, noAnswer},
		{"too long", page(200, "<!--"+strings.Repeat(" ", maxBody)+"-->"+verifiertest.Caller(arn, "AIDA").Body), verifier.Unknown, notSTS, noAnswer},
		{"other account", verifiertest.Caller("arn:aws:iam::"+another+":root", ""), verifier.Unknown,
			"STS answered for account " + another + ", the key id says " + account, nil},
		{"denied for other account", sts(403, "AccessDenied", "User: arn:aws:iam::"+another+":root is not authorized"), verifier.Unknown,
			"STS answered for account " + another + ", the key id says " + account, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := verifiertest.NewSTS(t)
			srv.Script(slices.Repeat([]verifiertest.Response{tt.answer}, 6)...)
			c := newClient(t, srv, Config{})
			v := c.Verify(t.Context(), verifiertest.LongTerm(account, 1))
			if v.State != tt.state || v.Reason != tt.why {
				t.Errorf("got %q, %q (%v)\nwant %q, %q", v.State, v.Reason, v.Err, tt.state, tt.why)
			}
			if (v.Err != nil) != (v.State == verifier.Unknown) || tt.is != nil && !errors.Is(v.Err, tt.is) ||
				tt.is == nil && (errors.Is(v.Err, noAnswer) || errors.Is(v.Err, busy)) {
				t.Errorf("error %v, want one that is %v", v.Err, tt.is)
			}
			want := 1
			switch {
			case errors.Is(v.Err, busy) && errors.Is(v.Err, noAnswer):
				want = 2 // a load balancer is asked again once
			case errors.Is(v.Err, busy):
				want = 6 // STS, as long as it says nothing else
			}
			if n := len(srv.Requests()); n != want {
				t.Errorf("%d requests, want %d", n, want)
			}
		})
	}
}

func TestBusyThenLive(t *testing.T) {
	key := verifiertest.User(account, "a", 1)
	srv := verifiertest.NewSTS(t, key)
	srv.Script(verifiertest.Failure(400, "Throttling", "Rate exceeded"))
	if v := newClient(t, srv, Config{}).Verify(t.Context(), key.Credential); v.State != verifier.Live {
		t.Errorf("got %+v", v)
	}
}

// TestRetryAfter: the pause that an answer asks for is kept, if it is a number of seconds.
func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		value string
		least time.Duration
	}{{"1", time.Second}, {"-1", 0}, {"99999999999", 0}, {"Wed, 21 Oct 2099 07:28:00 GMT", 0}} {
		key := verifiertest.User(account, "a", 1)
		srv := verifiertest.NewSTS(t, key)
		busy := verifiertest.Failure(503, "ServiceUnavailable", "")
		busy.Header.Set("Retry-After", tt.value)
		srv.Script(busy)
		start := time.Now()
		v := newClient(t, srv, Config{}).Verify(t.Context(), key.Credential)
		if took := time.Since(start); v.State != verifier.Live || took < tt.least || took > tt.least+time.Second {
			t.Errorf("Retry-After: %s: %+v in %v", tt.value, v, took)
		}
	}
}

// A retry is not another secret: a mismatch after it is believed.
func TestBusyThenMismatch(t *testing.T) {
	key := verifiertest.User(account, "a", 1)
	srv := verifiertest.NewSTS(t, key)
	srv.Script(verifiertest.Failure(400, "Throttling", "Rate exceeded"))
	wrong := key.Credential
	wrong.Secret = verifiertest.LongTerm(account, 2).Secret
	v := newClient(t, srv, Config{Reask: time.Second}).Verify(t.Context(), wrong)
	if v.State != verifier.IDActive || len(srv.Requests()) != 2 {
		t.Errorf("got %+v after %d requests", v, len(srv.Requests()))
	}
}

// TestSkewedClock: with a wrong clock nothing that STS says of a key is believed, but
// that it knows it, and the report says how wrong the clock is.
func TestSkewedClock(t *testing.T) {
	key := verifiertest.User(account, "a", 1)
	wrong, over := key.Credential, verifiertest.Role(account, "r", 3)
	wrong.Secret = verifiertest.LongTerm(account, 2).Secret
	over.State = verifiertest.Expired
	for _, tt := range []struct {
		name   string
		skew   time.Duration
		cred   detectors.Credential
		answer []verifiertest.Response
		state  verifier.State
		why    string
	}{
		{"behind", time.Hour, key.Credential, nil, verifier.Unknown, clock + ": it is 1h0m0s behind AWS"},
		{"ahead", -time.Hour, key.Credential, nil, verifier.Unknown, clock + ": it is 1h0m0s ahead of AWS"},
		{"unknown id", -time.Hour, verifiertest.LongTerm(account, 7), nil, verifier.Unknown, clock + ": it is 1h0m0s ahead of AWS"},
		{"wrong secret", time.Hour, wrong, nil, verifier.Unknown, clock + ": it is 1h0m0s behind AWS"},
		{"over", time.Hour, over.Credential, []verifiertest.Response{verifiertest.Failure(403, "ExpiredToken", "")}, verifier.Unknown, clock + ": it is 1h0m0s behind AWS"},
		{"own code", time.Hour, key.Credential, []verifiertest.Response{verifiertest.Failure(400, "RequestExpired", "")}, verifier.Unknown, clock + ": it is 1h0m0s behind AWS"},
		{"accepted all the same", time.Hour, key.Credential, []verifiertest.Response{verifiertest.Caller(key.ARN, "AIDA")}, verifier.Live, ""},
		{"a little", 10 * time.Minute, key.Credential, nil, verifier.Live, ""},
		{"a little, unknown id", 10 * time.Minute, verifiertest.LongTerm(account, 7), nil, verifier.Invalid, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := verifiertest.NewUnstartedSTS(key, over)
			start := time.Now()
			// The Date of an answer has whole seconds; so has the difference, then.
			srv.Now = func() time.Time { return start.Truncate(time.Second).Add(tt.skew) }
			srv.Start()
			t.Cleanup(srv.Close)
			srv.Script(tt.answer...)
			v := newClient(t, srv, Config{}).Verify(t.Context(), tt.cred)
			why := regexp.MustCompile(`(1h0m|59m5)\ds`).ReplaceAllString(v.Reason, "1h0m0s")
			if v.State != tt.state || why != tt.why || len(srv.Requests()) != 1 {
				t.Errorf("got %+v after %d requests", v, len(srv.Requests()))
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	const iam, sts = "arn:aws:iam::" + account, "arn:aws-us-gov:sts::" + account
	for _, tt := range []struct{ arn, kind, name string }{
		{iam + ":root", "root", ""},
		{iam + ":user/alice", "user", "alice"},
		{iam + ":user/a/b!/c/alice.x@y", "user", "alice.x@y"},
		{sts + ":assumed-role/admin/i-0123", "role", "admin"},
		{sts + ":assumed-role/admin/alice@example.com", "role", "admin"},
		{sts + ":federated-user/bob", "federated", "bob"},
		{"", "", ""},
		{iam, "", ""},
		{iam + ":user/", "", ""},
		{iam + ":rooted", "", ""},
		{iam + ":group/x", "", ""},
		{sts + ":assumed-role/admin", "", ""},
		{sts + ":root", "", ""},
		{"arn:aws:iam::12345:root", "", ""},
		{"arn:evil:iam::" + account + ":root", "", ""},
		{iam + ":user/alice\nx", "", ""},
	} {
		want := verifier.Identity{}
		if tt.kind != "" {
			want = verifier.Identity{Account: account, ARN: tt.arn, Kind: tt.kind, Name: tt.name}
		}
		if diff := cmp.Diff(want, identity(tt.arn)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.arn, diff)
		}
	}
}
