// Package proxy leads requests that are signed with leaked keys through a proxy that the user
// has named. It reads no environment: whoever can set a variable must not get to choose the
// way of a leaked key.
//
// The proxy tunnels (CONNECT). TLS is spoken with AWS itself, so the proxy sees the name of the
// host and no request. The URL may hold a password, which is in no error.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
)

// Through returns t, led through the proxy at the URL address: a Tunnel; t itself if address is
// zero. If the proxy fails, the error of RoundTrip is an *Error.
func Through(t *http.Transport, address detectors.Secret) (http.RoundTripper, error) {
	if address.IsZero() {
		return t, nil
	}
	u, err := parse(address)
	if err != nil {
		return nil, err
	}
	t.Proxy = http.ProxyURL(u)
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, r *http.Request, answer *http.Response) error {
		switch answer.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusProxyAuthRequired:
			return &Error{"the proxy refuses the user and the password in its URL, or misses them (HTTP 407)"}
		}
		return &Error{fmt.Sprintf("the proxy refuses to connect (HTTP %d): let it allow %s", answer.StatusCode, r.Host)}
	}
	return Tunnel{t}, nil
}

func parse(address detectors.Secret) (*url.URL, error) {
	const want = "want http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before HOST if the proxy asks for them"
	u, err := url.Parse(address.Reveal())
	if err != nil { // its text repeats the URL
		return nil, errors.New("proxy: not a URL: " + want)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("proxy: " + want)
	}
	return u, nil
}

// An Error is why a proxy does not lead to AWS, and what to do. It holds no text of the proxy's:
// that may repeat the password.
type Error struct{ Why string }

// Error implements error.
func (e *Error) Error() string { return e.Why }

// A Tunnel is a transport that goes through a proxy, and says if that is at fault.
type Tunnel struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t Tunnel) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	if err != nil {
		return nil, explain(err, r.URL.Host)
	}
	return resp, nil
}

// explain returns err if it is about time, and otherwise the fault of the proxy that it shows.
func explain(err error, host string) error {
	var (
		own     *Error
		timeout net.Error
		dial    *net.OpError
	)
	switch {
	case errors.As(err, &own), errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
		return err
	case errors.As(err, &dial) && dial.Op == "proxyconnect":
		return &Error{"the proxy cannot be reached"}
	}
	// A page, a certificate of its own, or nothing, where AWS would speak TLS.
	return &Error{"the proxy answers in place of AWS, or cuts the connection: let it pass TLS to " + host + " through unchanged"}
}
