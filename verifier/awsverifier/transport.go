package awsverifier

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier/internal/proxy"
)

const (
	requestTimeout = 10 * time.Second
	// maxBody is far more than any answer of STS, and little enough to read from
	// a stranger.
	maxBody = 64 << 10
)

var stsHost = pattern(`^sts(-fips)?(\.[a-z0-9-]+)?\.amazonaws\.(com|com\.cn|eu)$`)

// newHTTPClient returns a client that reaches STS, or only the loopback host override, and
// nothing else. It goes through the proxy at the URL address, if that is not zero.
func newHTTPClient(override string, address detectors.Secret, sent *requestCount) (*http.Client, error) {
	if override != "" && !address.IsZero() {
		return nil, errors.New("a proxy leads to AWS, and the endpoint is on this machine: name one of them")
	}
	dialer := &net.Dialer{Timeout: requestTimeout}
	if override != "" {
		dialer.Control = loopbackOnly
	}
	next, err := proxy.Through(&http.Transport{
		// Not ProxyFromEnvironment: a leaked key goes to AWS or nowhere.
		Proxy:           nil,
		DialContext:     dialer.DialContext,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		// If no connection is reused, net/http never resends a request by itself and
		// leaves no goroutine behind.
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxBody,
	}, address)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout: requestTimeout,
		// A redirect shows that somebody other than STS has answered.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &guard{override: override, sent: sent, next: next},
	}, nil
}

// loopbackOnly refuses, after the name was resolved, addresses that are not of
// this machine: "localhost" may be defined as anything.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("address %s is not a loopback address", address)
	}
	return nil
}

// A guard checks every request right before it is sent.
type guard struct {
	override string // the only host to let through, if not empty
	sent     *requestCount
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.allowed(r.URL) {
		return nil, fmt.Errorf("host %q is not an STS endpoint", r.URL.Host)
	}
	r, err := inMemory(r)
	if err != nil {
		return nil, err
	}
	g.sent.add(r.URL.Host)
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxBody), resp.Body}
	return resp, nil
}

// inMemory returns r with a body that net/http knows to be in memory. It takes any other one to
// be slow: it sends the head first, then the body, and then asks the body for more. AWS may
// answer before that, and the SDK closes the body once an answer begins: asked then, the body
// fails (safeWriteToReadCloser in smithy-go 1.28), and net/http closes the connection under
// the answer. That happened to one key in 400 on a busy machine.
func inMemory(r *http.Request) (*http.Request, error) {
	if r.Body == nil {
		return r, nil
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	copied := *r
	copied.Body = io.NopCloser(bytes.NewReader(body))
	return &copied, nil
}

func (g *guard) allowed(u *url.URL) bool {
	if g.override != "" {
		return u.Host == g.override
	}
	return u.Scheme == "https" && stsHost().MatchString(u.Host) // a port would not match
}

// checkEndpoint returns the base URL and the host of an endpoint that replaces
// AWS in tests. Leaked keys are sent to it, so it must be on this machine.
func checkEndpoint(endpoint string) (base, host string, err error) {
	if endpoint == "" {
		return "", "", nil
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil: // whose text would repeat a password in the URL
		return "", "", fmt.Errorf("endpoint: not a URL")
	case u.Scheme != "http" && u.Scheme != "https", u.User != nil,
		strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "":
		return "", "", fmt.Errorf("endpoint %s: want http://HOST:PORT or https://HOST:PORT and nothing else", u.Redacted())
	case !loopback(u.Hostname()):
		return "", "", fmt.Errorf("endpoint %s: host %q is not localhost or a loopback address", u.Redacted(), u.Hostname())
	}
	return u.Scheme + "://" + u.Host, u.Host, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Zone() == "" && a.Unmap().IsLoopback()
}

// A requestCount counts requests by host.
type requestCount struct {
	mu sync.Mutex
	n  map[string]int
}

func (t *requestCount) add(host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[string]int{}
	}
	t.n[host]++
}

func (t *requestCount) list() []Sent {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Sent
	for _, host := range slices.Sorted(maps.Keys(t.n)) {
		list = append(list, Sent{host, t.n[host]})
	}
	return list
}
