package verifiertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// NewTLS returns a server of h whose certificate is for hosts and for this machine, and the
// certificate in PEM, which signs itself. It serves until the test ends.
func NewTLS(t testing.TB, h http.Handler, hosts ...string) (s *httptest.Server, certificate []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: hosts, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s = httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // it logs handshakes that fail
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// A Proxy is the handler of an HTTP proxy that leads every CONNECT to one address, whatever
// host it is for. Set its fields before the first request.
type Proxy struct {
	To   string // HOST:PORT
	User string // USER:PASSWORD that it asks for, "" for nobody's
	// Answer, if not "", is sent in place of all else, as it is.
	Answer string

	mu    sync.Mutex
	hosts []string
}

// Hosts returns the hosts that requests were for, with their ports.
func (p *Proxy) Hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hosts)
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.hosts = append(p.hosts, r.Host)
	p.mu.Unlock()
	if p.User != "" && r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.User)) {
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
		return
	}
	client, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	if p.Answer != "" {
		_, _ = io.WriteString(client, p.Answer)
		return
	}
	server, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", p.To)
	if err != nil {
		_, _ = io.WriteString(client, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer func() { _ = server.Close() }()
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	var sent errgroup.Group
	sent.Go(func() error {
		_, err := io.Copy(server, client)
		return err
	})
	_, _ = io.Copy(client, server)
	_ = client.Close() // so that the other direction ends too
	_ = sent.Wait()    // its error is that of the closed connection
}
