package awsverifier

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/internal/proxy"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestProxy: through a proxy AWS itself is asked; whatever else a proxy does, no key is called
// dead, and no error has the password.
func TestProxy(t *testing.T) {
	const host, page = "sts.us-east-1.amazonaws.com", "<html>Blocked. You are olga:hunter2</html>"
	const itself = "no answer: the proxy answers in place of AWS, or cuts the connection: let it pass TLS to " + host + " through unchanged"
	key := verifiertest.User(account, "alice", 1)
	for _, tt := range []struct {
		name   string
		proxy  *verifiertest.Proxy
		user   string // in the URL
		https  bool   // to the proxy
		wrong  bool   // the server behind it has a certificate of its own
		state  verifier.State
		reason string
	}{
		{name: "http", state: verifier.Live},
		{name: "https", https: true, state: verifier.Live},
		{name: "user", proxy: &verifiertest.Proxy{User: "olga:hunter2"}, user: "olga:hunter2@", state: verifier.Live},
		{name: "wrong password", proxy: &verifiertest.Proxy{User: "olga:other"}, user: "olga:hunter2@", state: verifier.Unknown,
			reason: "no answer: the proxy refuses the user and the password in its URL, or misses them (HTTP 407)"},
		{name: "no password", proxy: &verifiertest.Proxy{User: "olga:other"}, state: verifier.Unknown,
			reason: "no answer: the proxy refuses the user and the password in its URL, or misses them (HTTP 407)"},
		{name: "forbidden", proxy: &verifiertest.Proxy{Answer: "HTTP/1.1 403 olga:hunter2\r\n\r\n" + page}, user: "olga:hunter2@", state: verifier.Unknown,
			reason: "no answer: the proxy refuses to connect (HTTP 403): let it allow " + host + ":443"},
		{name: "AWS out of its reach", proxy: &verifiertest.Proxy{To: "127.0.0.1:1"}, state: verifier.Unknown,
			reason: "no answer: the proxy refuses to connect (HTTP 502): let it allow " + host + ":443"},
		{name: "a page", proxy: &verifiertest.Proxy{Answer: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page}, user: "olga:hunter2@", state: verifier.Unknown,
			reason: itself},
		{name: "its own certificate", wrong: true, state: verifier.Unknown,
			reason: itself},
		{name: "no HTTP", proxy: &verifiertest.Proxy{Answer: "olga:hunter2\r\n\r\n"}, user: "olga:hunter2@", state: verifier.Unknown,
			reason: itself},
		{name: "nothing", proxy: &verifiertest.Proxy{Answer: " "}, state: verifier.Unknown,
			reason: itself},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sts := verifiertest.NewUnstartedSTS(key)
			aws, certificate := verifiertest.NewTLS(t, sts, host)
			p := cmp.Or(tt.proxy, &verifiertest.Proxy{})
			if p.To == "" {
				p.To = aws.Listener.Addr().String()
			}
			roots := x509.NewCertPool()
			way := httptest.NewServer(p)
			if tt.https {
				var own []byte
				way.Close()
				way, own = verifiertest.NewTLS(t, p)
				roots.AppendCertsFromPEM(own)
			}
			t.Cleanup(way.Close)
			if !tt.wrong {
				roots.AppendCertsFromPEM(certificate)
			}
			c, err := New(Config{Proxy: detectors.NewSecret(strings.Replace(way.URL, "://", "://"+tt.user, 1)), Backoff: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			outlet(c).next.(proxy.Tunnel).TLSClientConfig.RootCAs = roots
			v := c.Verify(t.Context(), key.Credential)
			if v.State != tt.state || v.Reason != tt.reason || (v.State == verifier.Unknown) != errors.Is(v.Err, verifier.ErrNoAnswer) {
				t.Errorf("%+v\n%v", v, v.Err)
			}
			if hosts := p.Hosts(); !slices.Equal(hosts, []string{host + ":443"}) {
				t.Errorf("the proxy was asked for %q", hosts)
			}
			if text := fmt.Sprintf("%+v %v %#v", v, v.Err, v.Err); strings.Contains(text, "hunter2") {
				t.Errorf("the password got out: %s", text)
			}
		})
	}
}

// TestProxyOutOfReach: nobody listens there.
func TestProxyOutOfReach(t *testing.T) {
	c, err := New(Config{Proxy: detectors.NewSecret("http://olga:hunter2@127.0.0.1:1")})
	if err != nil {
		t.Fatal(err)
	}
	v := c.Verify(t.Context(), verifiertest.LongTerm(account, 1))
	if v.State != verifier.Unknown || v.Reason != "no answer: the proxy cannot be reached" || strings.Contains(fmt.Sprintf("%+v %v", v, v.Err), "hunter2") {
		t.Errorf("%+v", v)
	}
}

// TestRefusedProxies: before anything is sent, and without the password.
func TestRefusedProxies(t *testing.T) {
	for _, bad := range []string{
		"proxy:3128", "//proxy:3128", "socks5://olga:hunter2@proxy:1080", "http://", "http://olga:hunter2@", "http://olga:hunter2@proxy/path",
		"http://proxy?hunter2", "http://proxy#hunter2", "http://olga:hunter2@proxy:x", "http://olga:hunter2@\x7f",
	} {
		if _, err := New(Config{Proxy: detectors.NewSecret(bad)}); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "want http://HOST:PORT") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	both := Config{Endpoint: "http://127.0.0.1:1", Proxy: detectors.NewSecret("http://proxy:3128")}
	if _, err := New(both); err == nil || !strings.Contains(err.Error(), "name one of them") {
		t.Errorf("%v", err)
	}
}
