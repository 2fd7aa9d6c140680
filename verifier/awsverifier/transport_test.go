package awsverifier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// A dialRecorder notes where a client wants to connect to, and refuses.
type dialRecorder struct {
	mu    sync.Mutex
	addrs []string
	err   error
}

func (d *dialRecorder) dial(_ context.Context, _, addr string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addrs = append(d.addrs, addr)
	return nil, d.err
}

// dialed makes the connections of c go to d.
func dialed(c *Client, d *dialRecorder) { outlet(c).next.(*http.Transport).DialContext = d.dial }

// TestHostileEnvironment sets everything that SDKs and net/http take an
// endpoint, a profile or a proxy from.
func TestHostileEnvironment(t *testing.T) {
	var mu sync.Mutex
	var got []string
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Method+" "+r.Host+r.URL.Path)
	}))
	defer trap.Close()
	config := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf("[default]\nregion = eu-west-1\nendpoint_url = %[1]s\nuse_fips_endpoint = true\n"+
		"[profile evil]\nservices = evil\n[services evil]\nsts =\n  endpoint_url = %[1]s\n", trap.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": trap.URL, "AWS_ENDPOINT_URL_STS": trap.URL, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
		"AWS_PROFILE": "evil", "AWS_DEFAULT_PROFILE": "evil", "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": config,
		"AWS_SDK_LOAD_CONFIG": "1", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
		"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
		"AWS_ACCESS_KEY_ID": "intruder", "AWS_SECRET_ACCESS_KEY": "intruder", "AWS_SESSION_TOKEN": "intruder",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": trap.URL, "AWS_CONTAINER_CREDENTIALS_FULL_URI": trap.URL,
		"AWS_CA_BUNDLE": config, "AWS_MAX_ATTEMPTS": "5", "AWS_RETRY_MODE": "adaptive", "AWS_NEW_RETRIES_2026": "true",
		"HTTPS_PROXY": trap.URL, "https_proxy": trap.URL, "HTTP_PROXY": trap.URL, "http_proxy": trap.URL, "ALL_PROXY": trap.URL,
	} {
		t.Setenv(name, value)
	}
	for _, tt := range []struct{ region, addr string }{
		{"", "sts.us-east-1.amazonaws.com:443"},
		{"eu-west-1", "sts.us-east-1.amazonaws.com:443"},
		{"cn-northwest-1", "sts.cn-north-1.amazonaws.com.cn:443"},
		{"us-gov-east-1", "sts.us-gov-west-1.amazonaws.com:443"},
		{"eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu:443"},
	} {
		c, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		// net/http reads the proxy variables once a process, so the dialer alone
		// would not tell.
		if outlet(c).next.(*http.Transport).Proxy != nil {
			t.Error("the transport uses proxies")
		}
		d := &dialRecorder{err: errors.New("refused by the test")}
		dialed(c, d)
		cred := verifiertest.Session(account, tt.region, time.Now(), 1)
		if tt.region == "" {
			cred = verifiertest.LongTerm(account, 1)
		}
		v := c.Verify(t.Context(), cred)
		if v.State != verifier.Unknown || !errors.Is(v.Err, verifier.ErrNoAnswer) || !errors.Is(v.Err, d.err) {
			t.Errorf("region %q: got %+v", tt.region, v)
		}
		if diff := cmp.Diff([]string{tt.addr}, d.addrs); diff != "" {
			t.Errorf("region %q: dialed (-want +got):\n%s", tt.region, diff)
		}
		if diff := cmp.Diff([]Sent{{strings.TrimSuffix(tt.addr, ":443"), 1}}, c.Sent()); diff != "" {
			t.Errorf("region %q: sent (-want +got):\n%s", tt.region, diff)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) > 0 {
		t.Errorf("the environment drew requests: %v", got)
	}
}

// TestRequest checks what goes out: signed for the pinned region, recognisable.
func TestRequest(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	key := verifiertest.Role(account, "r", 1)
	srv := verifiertest.NewSTS(t, key)
	newClient(t, srv, Config{Version: "1.2.3"}).Verify(t.Context(), key.Credential)
	r := srv.Requests()[0]
	if !strings.Contains(r.UserAgent, "app/stanch-1.2.3") || r.Region != "us-east-1" || r.Path != "/" || "http://"+r.Host != srv.URL {
		t.Errorf("request %+v", r)
	}
}

func TestNetworkTrouble(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		why  string
	}{
		{"dns", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "sts.us-east-1.amazonaws.com", IsNotFound: true}}, "no answer: host name not resolved"},
		{"refused", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, "no answer: connection failed"},
		{"timeout", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "no answer: timed out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(Config{})
			if err != nil {
				t.Fatal(err)
			}
			dialed(c, &dialRecorder{err: tt.err})
			v := c.Verify(t.Context(), verifiertest.LongTerm(account, 1))
			if v.State != verifier.Unknown || v.Reason != tt.why || !errors.Is(v.Err, verifier.ErrNoAnswer) || !errors.Is(v.Err, tt.err) {
				t.Errorf("got %+v", v)
			}
		})
	}
}

func TestTLSFailure(t *testing.T) {
	srv := verifiertest.NewUnstartedSTS()
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // it logs the handshake
	srv.StartTLS()
	defer srv.Close()
	v := newClient(t, srv, Config{}).Verify(t.Context(), verifiertest.LongTerm(account, 1))
	if v.State != verifier.Unknown || v.Reason != "no answer: TLS failed" || len(srv.Requests()) != 0 {
		t.Errorf("got %+v after %d requests", v, len(srv.Requests()))
	}
}

func TestSlowServer(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration // of the client
		ctx     time.Duration // of the caller
		why     string
		is      error
	}{
		{"timeout", 20 * time.Millisecond, time.Minute, "no answer: timed out", verifier.ErrNoAnswer},
		{"cancelled", time.Minute, 20 * time.Millisecond, "interrupted", context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := verifiertest.NewSTS(t)
			srv.Script(verifiertest.Response{Delay: time.Minute})
			c := newClient(t, srv, Config{})
			c.online.(*verifier.Cached).Verifier.(*verifier.Limited).Verifier.(*stsClient).http.Timeout = tt.timeout
			ctx, cancel := context.WithTimeout(t.Context(), tt.ctx)
			defer cancel()
			v := c.Verify(ctx, verifiertest.LongTerm(account, 1))
			if v.State != verifier.Unknown || v.Reason != tt.why || !errors.Is(v.Err, tt.is) {
				t.Errorf("got %+v", v)
			}
		})
	}
}

// closing is a body as the SDK makes it: once it is closed, it fails.
type closing struct {
	*bytes.Buffer
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func (c *closing) WriteTo(w io.Writer) (int64, error) {
	if c.closed {
		return 0, io.EOF
	}
	return c.Buffer.WriteTo(w)
}

// TestBodyOutlivesAnswer holds that the body of a request can be read to its end after the SDK
// has closed it, as net/http may do while it reads the answer.
func TestBodyOutlivesAnswer(t *testing.T) {
	var sent *http.Request
	g := &guard{override: "127.0.0.1:1", sent: &requestCount{}, next: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{Body: http.NoBody}, nil
	})}
	body := &closing{Buffer: bytes.NewBufferString("Action=GetCallerIdentity")}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1/", body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := io.Copy(&got, sent.Body); err != nil || got.String() != "Action=GetCallerIdentity" {
		t.Errorf("it reads %q, %v", got.String(), err)
	}
	if _, err := io.Copy(io.Discard, sent.Body); err != nil {
		t.Errorf("at its end: %v", err)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestBreaker has a proxy in the way: the third refusal ends it for all keys.
func TestBreaker(t *testing.T) {
	srv := verifiertest.NewSTS(t)
	blocked := verifiertest.Response{Status: http.StatusForbidden, Body: html}
	srv.Script(blocked, blocked, blocked)
	c := newClient(t, srv, Config{})
	var v verifier.Verdict
	for seed := range uint64(6) {
		c.Verify(t.Context(), verifiertest.LongTerm(canary, seed)) // not sent, changes nothing
		v = c.Verify(t.Context(), verifiertest.LongTerm(account, seed))
	}
	if n := requests(c.Sent()); n != 3 || v.State != verifier.Unknown || !strings.HasPrefix(v.Reason, "not asked: ") {
		t.Errorf("%d requests, last verdict %+v", n, v)
	}
	if v.Identity.Account != account {
		t.Errorf("what is known offline got lost: %+v", v)
	}
}

func TestCheckEndpoint(t *testing.T) {
	for _, ok := range []string{"", "http://127.0.0.1:4566", "http://127.8.9.10:1/", "http://localhost:5000", "https://localhost", "http://[::1]:80"} {
		if _, _, err := checkEndpoint(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for _, bad := range []string{
		"https://sts.evil.com", "https://sts.us-east-1.amazonaws.com", "http://10.0.0.1", "http://0.0.0.0", "http://[::]",
		"http://169.254.169.254", "http://127.0.0.1.evil.com", "http://localhost.evil.com", "http://evil.com/127.0.0.1",
		"http://localhost@evil.com", "http://127.0.0.1@evil.com:80", "http://user:hunter2@localhost", "http://evil.com#localhost",
		"http://localhost/path", "http://localhost?x=1", "ftp://localhost", "localhost:4566", "//localhost", "127.0.0.1", "unix:///tmp/s",
		"http://2130706433", "http://127.1", "http://0x7f.1", "http://[fe80::1%25lo]", "http://", "http://localhost:port", "http://user:hunter2@\x7f",
	} {
		if _, _, err := checkEndpoint(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestGuardHosts(t *testing.T) {
	for _, tt := range []struct {
		override, url string
		want          bool
	}{
		{"", "https://sts.amazonaws.com/", true},
		{"", "https://sts.us-east-1.amazonaws.com/", true},
		{"", "https://sts-fips.us-east-1.amazonaws.com/", true},
		{"", "https://sts.cn-north-1.amazonaws.com.cn/", true},
		{"", "https://sts.eusc-de-east-1.amazonaws.eu/", true},
		{"", "http://sts.us-east-1.amazonaws.com/", false},
		{"", "https://sts.us-east-1.amazonaws.com:8443/", false},
		{"", "https://sts.us-east-1.amazonaws.com.evil.com/", false},
		{"", "https://evil.com/sts.us-east-1.amazonaws.com", false},
		{"", "https://iam.amazonaws.com/", false},
		{"", "https://sts.a.b.amazonaws.com/", false},
		{"", "https://stsxamazonaws.com/", false},
		{"", "https://127.0.0.1/", false},
		{"127.0.0.1:1", "http://127.0.0.1:1/", true},
		{"127.0.0.1:1", "http://127.0.0.1:2/", false},
		{"127.0.0.1:1", "https://sts.us-east-1.amazonaws.com/", false},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&guard{override: tt.override}).allowed(u); got != tt.want {
			t.Errorf("override %q, %s: allowed %v", tt.override, tt.url, got)
		}
	}
	g := &guard{sent: &requestCount{}, next: http.NewFileTransport(http.Dir("."))}
	if _, err := g.RoundTrip(httptest.NewRequest(http.MethodPost, "https://evil.com/", nil)); err == nil || g.sent.list() != nil {
		t.Errorf("a refused request: %v, sent %v", err, g.sent.list())
	}
}

func TestLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"10.0.0.1:80": false, "[fe80::1]:80": false, "evil.com:80": false,
	} {
		if err := loopbackOnly("tcp", addr, nil); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// TestNoSecretGetsOut has peers that send back whatever they got.
func TestNoSecretGetsOut(t *testing.T) {
	secret, token := detectorstest.SecretKey(1), detectorstest.Token(account, "us-east-1", time.Now(), 1)
	cred := detectors.Credential{
		ID:     detectorstest.KeyID("ASIA", account, 1),
		Secret: detectors.NewSecret(secret), Token: detectors.NewSecret(token),
	}
	echo := "The Canonical String should have been host: x-amz-security-token:" + token + " secret " + secret
	for name, answer := range map[string]verifiertest.Response{
		"mismatch":    verifiertest.Failure(403, "SignatureDoesNotMatch", echo),
		"clock":       verifiertest.Failure(403, "SignatureDoesNotMatch", "Signature expired "+echo),
		"denied":      verifiertest.Failure(403, "AccessDenied", "User: arn:"+token+" "+echo),
		"code":        verifiertest.Failure(403, token, echo),
		"other code":  verifiertest.Failure(500, "Other", echo),
		"html":        {Status: 403, Body: "<p>" + echo},
		"html 200":    {Status: 200, Body: "<" + secret + ">" + echo},
		"arn":         verifiertest.Caller("arn:aws:iam::"+token+":root", token),
		"redirect":    {Status: 302, Header: http.Header{"Location": {"http://192.0.2.1/?" + url.QueryEscape(echo)}}},
		"request id":  {Status: 403, Header: http.Header{"X-Amzn-Requestid": {token}}},
		"header line": {Status: 200, Header: http.Header{"Content-Type": {echo}}, Body: echo},
	} {
		t.Run(name, func(t *testing.T) {
			srv := verifiertest.NewSTS(t)
			srv.Script(answer, answer)
			v := newClient(t, srv, Config{}).Verify(t.Context(), cred)
			var out bytes.Buffer
			log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			log.Debug("verdict", "verdict", v, "err", v.Err, "credential", cred)
			fmt.Fprintf(&out, "%v %+v %#v %s %v", v, v, v, cred, v.Err)
			for err := v.Err; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(&out, "%v %+v %#v", err, err, err)
			}
			fmt.Fprintf(&out, "%+v", srv.Requests())
			for _, s := range []string{secret, token, token[:40], secret[:20]} {
				if strings.Contains(out.String(), s) {
					t.Errorf("a secret got out:\n%s", out.String())
				}
			}
		})
	}
}
