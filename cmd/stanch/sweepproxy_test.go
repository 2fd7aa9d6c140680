//go:build sweep

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// nginxBlock is an example for nginx in the documentation.
var nginxBlock = regexp.MustCompile("(?ms)^( *)```nginx\n(.*?)^ *```$")

// nginxOf returns the example of a page for nginx.
func nginxOf(t *testing.T, page string) string {
	t.Helper()
	found := nginxBlock.FindAllStringSubmatch(readPage(t, page), -1)
	if len(found) != 1 {
		t.Fatalf("%s has %d examples for nginx, want one", page, len(found))
	}
	return found[0][2]
}

// startNginx runs nginx with an example that leads to the server at address, until the test
// ends. The client trusts its certificate, calls it stanch.example.com, and keeps cookies.
func startNginx(t *testing.T, example, address string) (base string, client *http.Client) {
	t.Helper()
	dir := t.TempDir()
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	pair := certified.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "stanch.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	writeFile(t, filepath.Join(dir, "stanch.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	_ = free.Close()
	for _, in := range []struct{ old, now string }{
		{"listen 443 ssl;", "listen " + listen + " ssl;"}, {"/etc/nginx/", dir + "/"}, {"http://127.0.0.1:8470;", "http://" + address + ";"},
	} {
		if !strings.Contains(example, in.old) {
			t.Fatalf("the example for nginx has no %s", in.old)
		}
		example = strings.ReplaceAll(example, in.old, in.now)
	}
	config := "daemon off; pid " + dir + "/pid; error_log stderr; events {}\nhttp { access_log off;\n"
	if os.Getuid() == 0 {
		config = "user root;\n" + config // the folders of the test are root's
	}
	for _, folder := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		config += folder + "_temp_path " + dir + "/" + folder + ";\n"
	}
	writeFile(t, filepath.Join(dir, "nginx.conf"), config+example+"}\n")
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "nginx", "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its workers
	cmd.WaitDelay = 10 * time.Second
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx says %s", said.String())
		}
	})
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}}
	transport.DialContext = func(ctx context.Context, network, _ string) (c net.Conn, err error) {
		for range 100 { // it takes a moment to start
			if c, err = (&net.Dialer{}).DialContext(ctx, network, listen); err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		return c, err
	}
	t.Cleanup(transport.CloseIdleConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listen)
	return "https://stanch.example.com:" + port, &http.Client{Transport: transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// send sends a request with headers as "Name: value".
func send(t *testing.T, client *http.Client, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// deliverLarge delivers a body that nginx refuses by default. The answer has to be stanch's: the
// signature is wrong.
func deliverLarge(t *testing.T, client *http.Client, base string) {
	t.Helper()
	answer, text := send(t, client, http.MethodPost, base+"/webhook/github", strings.Repeat("x", 2<<20), "X-Hub-Signature-256: sha256="+strings.Repeat("0", 64))
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a large delivery: %d %s", answer.StatusCode, text)
	}
}

// TestPageBehindNginx: with the examples of the documentation for nginx, people sign in over
// TLS, pages of other sites change nothing, and nobody chooses a name by a header.
func TestPageBehindNginx(t *testing.T) {
	scannertest.Need(t, "nginx")
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.add(t)
	dir := t.TempDir()
	const token = "a token of the page"
	for _, file := range []string{"triage", "webhook"} {
		writeFile(t, filepath.Join(dir, file), strings.ReplaceAll(token, " ", "-"))
	}
	ctx, stop := context.WithCancel(t.Context())
	said, errs := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = run(ctx, []string{"sweep", "--database-url", o.database, "serve", "--listen", "127.0.0.1:0", "--no-verify", "--page-host", "stanch.example.com",
			"--triage-token-file", filepath.Join(dir, "triage"), "--webhook-secret-file", filepath.Join(dir, "webhook"),
			"--trust-proxy", "127.0.0.1", "--triage-group", "security"}, nil, io.Discard, errs)
		_ = errs.Close()
	}()
	t.Cleanup(func() { stop(); <-ended })
	lines := bufio.NewReader(said)
	line, err := lines.ReadString('\n')
	found := regexp.MustCompile(`http://(\S+)/`).FindStringSubmatch(line)
	if err != nil || found == nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	address := found[1]

	t.Run("tokens", func(t *testing.T) {
		base, client := startNginx(t, nginxOf(t, "docs/sweep.md"), address)
		form := []string{"Content-Type: application/x-www-form-urlencoded"}
		secret := "token=" + strings.ReplaceAll(token, " ", "-")
		for origin, want := range map[string]int{"https://evil.example": http.StatusForbidden, base: http.StatusSeeOther} {
			if answer, text := send(t, client, http.MethodPost, base+"/sign-in", secret, append(form, "Origin: "+origin)...); answer.StatusCode != want {
				t.Errorf("signing in from %s: %d %s", origin, answer.StatusCode, text)
			} else if cookie := answer.Header.Get("Set-Cookie"); want == http.StatusSeeOther && (!strings.HasPrefix(cookie, "__Host-stanch=") || !strings.Contains(cookie, "; Secure")) {
				t.Errorf("the cookie is not for TLS alone: %s", cookie)
			}
		}
		if _, text := send(t, client, http.MethodGet, base+"/api/v1/me", ""); !strings.Contains(text, `"triager"`) {
			t.Errorf("who has signed in is %s", text)
		}
		for origin, want := range map[string]int{"https://evil.example": http.StatusForbidden, base: http.StatusUnprocessableEntity} {
			if answer, text := send(t, client, http.MethodPost, base+"/api/v1/triage", `{"status":"none"}`, "Content-Type: application/json", "Origin: "+origin); answer.StatusCode != want {
				t.Errorf("a change from %s: %d %s", origin, answer.StatusCode, text)
			}
		}
		deliverLarge(t, client, base)
	})
	t.Run("webhooks alone", func(t *testing.T) {
		base, client := startNginx(t, nginxOf(t, "docs/webhooks.md"), address)
		deliverLarge(t, client, base)
		for path, want := range map[string]int{"/webhook/github": http.StatusUnauthorized, "/": http.StatusNotFound, "/api/v1/me": http.StatusNotFound, "/webhook/github/../../metrics": http.StatusNotFound} {
			if answer, text := send(t, client, http.MethodPost, base+path, "{}", "X-Forwarded-User: eve", "X-Forwarded-Groups: security"); answer.StatusCode != want {
				t.Errorf("%s: %d %s", path, answer.StatusCode, text)
			}
		}
	})
	t.Run("names by headers", func(t *testing.T) {
		writeFile(t, filepath.Join(dir, "people"), "bob:{PLAIN}secret\n")
		lines := regexp.MustCompile("`(proxy_set_header X-Forwarded-[^`]*;)`").FindAllStringSubmatch(readPage(t, "docs/sweep.md"), -1)
		if len(lines) != 2 {
			t.Fatalf("docs/sweep.md has %d lines for nginx that set the headers, want two", len(lines))
		}
		add := "auth_basic stanch; auth_basic_user_file " + filepath.Join(dir, "people") + ";\n" + lines[0][1] + lines[1][1] + "\nproxy_pass "
		base, client := startNginx(t, strings.Replace(nginxOf(t, "docs/sweep.md"), "proxy_pass ", add, 1), address)
		forged := []string{"X-Forwarded-User: eve", "X-Forwarded-User: mallory", "X-Forwarded-Groups: security"}
		if answer, _ := send(t, client, http.MethodGet, base+"/api/v1/me", "", forged...); answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("without a password: %d", answer.StatusCode)
		}
		as := strings.Replace(base, "https://", "https://bob:secret@", 1)
		if answer, text := send(t, client, http.MethodGet, as+"/api/v1/me", "", forged...); answer.StatusCode != http.StatusOK || !strings.Contains(text, `"bob"`) || !strings.Contains(text, `"reader"`) {
			t.Errorf("bob, who says that he is eve: %d %s", answer.StatusCode, text)
		}
		for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			direct := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
			answer, text := send(t, direct, http.MethodGet, "http://"+address+"/api/v1/me", "", "X-Forwarded-User: eve")
			if want := map[string]int{"127.0.0.1": http.StatusOK, "127.0.0.2": http.StatusForbidden}[from]; answer.StatusCode != want {
				t.Errorf("a name from %s: %d %s", from, answer.StatusCode, text)
			}
		}
	})
}
