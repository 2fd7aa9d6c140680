package signin

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A site is a gate that answers real HTTP. Its page says who is signed in.
type site struct {
	gate             *Gate
	url              string
	reader, triager  string // tokens
	log              *bytes.Buffer
	now              time.Time
	changes, showers int // requests that came through
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{log: &bytes.Buffer{}, now: time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)}
	reads, reader := MakeToken(User{Name: "ada", Role: Reader})
	changes, triager := MakeToken(User{Name: "grace", Role: Triager})
	s.reader, s.triager = reader, triager
	s.gate = &Gate{Tokens: []Token{reads, changes}, Log: slog.New(slog.NewTextHandler(s.log, nil)), Now: func() time.Time { return s.now }}
	server := httptest.NewServer(s.gate.Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.showers++; r.Method != http.MethodGet {
			s.changes++
		}
		u := UserOf(r.Context())
		fmt.Fprintf(w, "%s is a %s", u.Name, u.Role)
	})))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// ask sends a request with headers, which are names and values in turn. The name Host sets
// the host.
func (s *site) ask(t *testing.T, client *http.Client, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// browser returns a client that keeps cookies and does not follow redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestBearer(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		header string
		code   int
		want   string
	}{
		{"Bearer " + s.reader, http.StatusOK, "ada is a reader"},
		{"Bearer " + s.triager, http.StatusOK, "grace is a triager"},
		{"Bearer wrong", http.StatusUnauthorized, "send the token"},
		{"Bearer ", http.StatusUnauthorized, "send the token"},
		{"Basic " + s.reader, http.StatusUnauthorized, "send the token"},
		{"", http.StatusUnauthorized, "send the token"},
	} {
		response, text := s.ask(t, nil, http.MethodGet, "/", "", "Authorization", tt.header)
		if response.StatusCode != tt.code || !strings.Contains(text, tt.want) {
			t.Errorf("%q: %d %q", tt.header, response.StatusCode, text)
		}
	}
	response, text := s.ask(t, nil, http.MethodGet, "/api/v1/findings", "")
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(text, `"status":401`) {
		t.Errorf("below /api/: %d %v %q", response.StatusCode, response.Header, text)
	}
}

// TestForm signs a browser in, and out: after that, a copy of the cookie is worth nothing.
func TestForm(t *testing.T) {
	s, b := newSite(t), browser(t)
	response, text := s.ask(t, b, http.MethodGet, "/findings?state=live", "", "Accept", "text/html")
	if response.StatusCode != http.StatusUnauthorized || !strings.Contains(text, `value="/findings?state=live"`) || !strings.Contains(response.Header.Get("Content-Security-Policy"), "form-action 'self'") {
		t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
	}
	form := func(token, next string) (*http.Response, string) {
		return s.ask(t, b, http.MethodPost, "/sign-in", url.Values{"token": {token}, "next": {next}}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	}
	// Without TLS a browser names the origin of the form, unless the form says no-referrer.
	if response, _ := s.ask(t, b, http.MethodGet, "/sign-in", ""); response.Header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("the form: %v", response.Header)
	}
	if response, text := form("wrong", "/"); response.StatusCode != http.StatusUnauthorized || !strings.Contains(text, "not a token") || len(response.Cookies()) != 0 {
		t.Errorf("a wrong token: %d %s", response.StatusCode, text)
	}
	response, _ = form(s.reader, "/findings?state=live")
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/findings?state=live" {
		t.Fatalf("%d %v", response.StatusCode, response.Header)
	}
	c := response.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || strings.Contains(c.Value, s.reader) {
		t.Errorf("the cookie: %v", c)
	}
	if _, text := s.ask(t, b, http.MethodGet, "/", ""); text != "ada is a reader" {
		t.Errorf("after the form: %q", text)
	}
	if response, _ := s.ask(t, b, http.MethodPost, "/sign-out", ""); response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/sign-in" {
		t.Errorf("signing out: %d %v", response.StatusCode, response.Header)
	}
	for _, cookie := range []string{"", "stanch=" + c.Value} {
		if response, _ := s.ask(t, b, http.MethodGet, "/", "", "Cookie", cookie); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("signed out, with the cookie %q: %d", cookie, response.StatusCode)
		}
	}
	if log := s.log.String(); strings.Contains(log, s.reader) || !strings.Contains(log, "user=ada") || !strings.Contains(log, "a wrong token") {
		t.Errorf("the log: %s", log)
	}
}

// TestSession: a session ends after twelve hours and with its token, and nobody can make or
// change one.
func TestSession(t *testing.T) {
	s := newSite(t)
	session := s.gate.newSession(s.gate.Tokens[0])
	code := func(value string) int {
		response, _ := s.ask(t, nil, http.MethodGet, "/", "", "Cookie", "stanch="+value)
		return response.StatusCode
	}
	if got := code(session); got != http.StatusOK {
		t.Fatalf("a session: %d", got)
	}
	head, mac := cutMAC(session)
	parts := strings.Split(head, ".")
	for name, forged := range map[string]string{
		"longer":          "9999999999." + parts[1] + "." + parts[2] + "." + mac,
		"another role":    parts[0] + "." + s.gate.Tokens[1].name() + "." + parts[2] + "." + mac,
		"no code":         head + ".",
		"cut":             head,
		"empty":           "",
		"the token":       s.reader,
		"not a number":    "x." + parts[1] + "." + parts[2] + "." + mac,
		"of no token":     parts[0] + ".." + parts[2] + "." + Token{}.mac(parts[0]+".."+parts[2]),
		"of the same mac": parts[0] + "." + parts[1] + "." + parts[2] + "x." + mac,
	} {
		if got := code(forged); got != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got)
		}
	}
	if s.now = s.now.Add(sessionLength); code(session) != http.StatusUnauthorized {
		t.Error("a session does not end")
	}
	s.now = s.now.Add(-sessionLength)
	s.gate.Tokens = s.gate.Tokens[1:]
	if code(session) != http.StatusUnauthorized {
		t.Error("a session outlives its token")
	}
}

// TestLink: the printed link signs in, and leads to the URL without the token.
func TestLink(t *testing.T) {
	s, b := newSite(t), browser(t)
	for path, want := range map[string]string{
		"/?token=":                "/",
		"/?state=live&token=":     "/?state=live",
		"//evil.example/x?token=": "/evil.example/x",
	} {
		response, text := s.ask(t, b, http.MethodGet, path+s.reader, "", "Accept", "text/html")
		if response.StatusCode == http.StatusTemporaryRedirect || response.StatusCode == http.StatusMovedPermanently { // of the mux, to the clean path
			if !strings.HasPrefix(response.Header.Get("Location"), "/evil.example/x?token=") {
				t.Errorf("%s leads to %v", path, response.Header)
			}
			continue
		}
		if response.StatusCode != http.StatusOK || text != "" || response.Header.Get("Refresh") != "0; url="+want || len(response.Cookies()) != 1 {
			t.Errorf("%s: %d %v %q", path, response.StatusCode, response.Header, text)
		}
		b = browser(t)
	}
	if response, _ := s.ask(t, b, http.MethodGet, "/?token=wrong", "", "Accept", "text/html"); response.StatusCode != http.StatusUnauthorized || response.Header.Get("Refresh") != "" || len(response.Cookies()) != 0 {
		t.Errorf("a wrong link: %d %v", response.StatusCode, response.Header)
	}
}

// TestLocalURL: no answer sends a browser to another server.
func TestLocalURL(t *testing.T) {
	for raw, want := range map[string]string{
		"/a?b=c&token=d":             "/a?b=c",
		"//evil.example":             "/",
		"https://evil.example/a?b=c": "/a?b=c",
		`/\evil.example`:             "/evil.example",
		"/%2f%2fevil.example":        "/evil.example",
		"/%0d%0aSet-Cookie:a":        "/%0D%0ASet-Cookie:a",
		"javascript:alert(1)":        "/",
		"":                           "/",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := localURL(u); got != want {
			t.Errorf("%q leads to %q, want %q", raw, got, want)
		}
	}
}

// TestLinkFromChat: a browser does not send the cookie with a link of another site, and is
// made to load the URL again.
func TestLinkFromChat(t *testing.T) {
	s := newSite(t)
	response, _ := s.ask(t, nil, http.MethodGet, "/?finding=1", "", "Accept", "text/html", "Sec-Fetch-Site", "cross-site")
	if response.Header.Get("Refresh") != "0; url=/?finding=1" {
		t.Errorf("%v", response.Header)
	}
	response, _ = s.ask(t, nil, http.MethodGet, "/?finding=1", "", "Accept", "text/html", "Sec-Fetch-Site", "same-origin")
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("Refresh") != "" {
		t.Errorf("it reloads for ever: %v", response.Header)
	}
}

// TestSecureCookie: behind TLS the name of the cookie keeps other hosts from setting it.
func TestSecureCookie(t *testing.T) {
	s := newSite(t)
	response, _ := s.ask(t, nil, http.MethodGet, "/?token="+s.reader, "", "X-Forwarded-Proto", "https")
	c := response.Cookies()[0]
	if c.Name != "__Host-stanch" || !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Errorf("%v", c)
	}
	if _, text := s.ask(t, nil, http.MethodGet, "/", "", "Cookie", c.Name+"="+c.Value); text != "ada is a reader" {
		t.Errorf("with it: %q", text)
	}
}

// TestCrossSite: a page of another site, in whose browser somebody is signed in, changes
// nothing.
func TestCrossSite(t *testing.T) {
	s := newSite(t)
	cookie := "stanch=" + s.gate.newSession(s.gate.Tokens[1])
	for _, tt := range []struct {
		name    string
		headers []string
		code    int
	}{
		{"a form of another site", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"}, http.StatusForbidden},
		{"a form of another host of the same site", []string{"Sec-Fetch-Site", "same-site", "Content-Type", "text/plain"}, http.StatusForbidden},
		{"an older browser", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"a sandboxed frame", []string{"Origin", "null"}, http.StatusForbidden},
		{"the page itself", []string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/json"}, http.StatusOK},
		{"a program", nil, http.StatusOK},
	} {
		for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodPut} {
			response, _ := s.ask(t, nil, method, "/api/v1/triage", "{}", append(tt.headers, "Cookie", cookie)...)
			if response.StatusCode != tt.code {
				t.Errorf("%s, %s: %d, want %d", method, tt.name, response.StatusCode, tt.code)
			}
		}
	}
	if s.changes != 8 { // two of them, four methods
		t.Errorf("%d requests came through", s.changes)
	}
	if response, _ := s.ask(t, nil, http.MethodPost, "/sign-in", url.Values{"token": {s.reader}}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"); response.StatusCode != http.StatusForbidden {
		t.Errorf("another site signs a browser in: %d", response.StatusCode)
	}
}

// TestHost: a name of a stranger that leads to this server (DNS rebinding) gets nothing.
func TestHost(t *testing.T) {
	s := newSite(t)
	s.gate.Hosts = []string{"stanch.example.com"}
	for host, code := range map[string]int{
		"127.0.0.1:8470": 200, "[::1]:8470": 200, "10.1.2.3": 200, "localhost:8470": 200, "LOCALHOST": 200,
		"stanch.example.com": 200, "Stanch.Example.Com.:443": 200,
		"evil.example": 421, "127.0.0.1.evil.example:8470": 421, "localhost.evil.example": 421, "stanch.example.com.evil.example": 421,
	} {
		if response, _ := s.ask(t, nil, http.MethodGet, "/", "", "Host", host, "Authorization", "Bearer "+s.reader); response.StatusCode != code {
			t.Errorf("%s: %d, want %d", host, response.StatusCode, code)
		}
	}
	s.gate.Hosts, s.gate.AnyHost = nil, true
	if response, _ := s.ask(t, nil, http.MethodGet, "/", "", "Host", "any.example", "Authorization", "Bearer "+s.reader); response.StatusCode != http.StatusOK {
		t.Errorf("AnyHost: %d", response.StatusCode)
	}
}

// TestProxy: a header names the user if the proxy sends it, and is refused from elsewhere.
func TestProxy(t *testing.T) {
	s := newSite(t)
	from := func(ranges ...string) {
		s.gate.Proxy = &Proxy{User: "X-Forwarded-User", Groups: "X-Forwarded-Groups", TriageGroups: []string{"security"}}
		for _, r := range ranges {
			s.gate.Proxy.From = append(s.gate.Proxy.From, netip.MustParsePrefix(r))
		}
	}
	long := strings.Repeat("é", 201)
	for _, tt := range []struct {
		name    string
		from    string
		headers []string
		code    int
		want    string
	}{
		{"the proxy", "127.0.0.0/8", []string{"X-Forwarded-User", "lin"}, 200, "lin is a reader"},
		{"with a group", "127.0.0.0/8", []string{"X-Forwarded-User", "lin", "X-Forwarded-Groups", "dev, security"}, 200, "lin is a triager"},
		{"with a group in a line of its own", "127.0.0.0/8", []string{"X-Forwarded-User", "lin", "X-Forwarded-Groups", "dev", "X-Forwarded-Groups", "security"}, 200, "lin is a triager"},
		{"with groups that are like it", "127.0.0.0/8", []string{"X-Forwarded-User", "lin", "X-Forwarded-Groups", "security-guests,Security"}, 200, "lin is a reader"},
		{"with groups alone", "127.0.0.0/8", []string{"X-Forwarded-Groups", "security"}, 401, ""},
		{"with a token of OIDC", "127.0.0.0/8", []string{"X-Forwarded-User", "lin", "Authorization", "Bearer of.another.kind"}, 200, "lin is a reader"},
		{"another address", "10.0.0.0/8", []string{"X-Forwarded-User", "lin"}, 403, "--trust-proxy"},
		{"another address with a token", "10.0.0.0/8", []string{"X-Forwarded-User", "lin", "Authorization", "Bearer " + s.reader}, 403, ""},
		{"another address without the header", "10.0.0.0/8", []string{"Authorization", "Bearer " + s.reader}, 200, "ada is a reader"},
		{"two headers", "127.0.0.0/8", []string{"X-Forwarded-User", "lin", "X-Forwarded-User", "root"}, 403, "once"},
		{"an empty name", "127.0.0.0/8", []string{"X-Forwarded-User", " "}, 403, "once"},
		{"a long name", "127.0.0.0/8", []string{"X-Forwarded-User", long}, 403, "200"},
		{"a name that is no text", "127.0.0.0/8", []string{"X-Forwarded-User", "l\xffn"}, 403, ""},
		{"a name with a bidirectional mark", "127.0.0.0/8", []string{"X-Forwarded-User", "l\u202en"}, 403, ""},
	} {
		from(tt.from)
		response, text := s.ask(t, nil, http.MethodGet, "/", "", tt.headers...)
		if response.StatusCode != tt.code || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %d %q, want %d %q", tt.name, response.StatusCode, text, tt.code, tt.want)
		}
	}
	s.gate.Proxy = nil
	if response, _ := s.ask(t, nil, http.MethodGet, "/", "", "X-Forwarded-User", "lin"); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a proxy: %d", response.StatusCode)
	}
}

// TestEmptyGate: a gate without tokens lets nobody through.
func TestEmptyGate(t *testing.T) {
	s := newSite(t)
	s.gate.Tokens = nil
	for _, headers := range [][]string{nil, {"Authorization", "Bearer "}, {"Cookie", "stanch="}} {
		if response, _ := s.ask(t, nil, http.MethodGet, "/?token=", "", headers...); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%v: %d", headers, response.StatusCode)
		}
	}
	if s.showers > 0 {
		t.Errorf("%d requests came through", s.showers)
	}
}

func TestReadTokens(t *testing.T) {
	for _, tt := range []struct{ text, names, fails string }{
		{" 0123456789abcdef\n", "reader", ""},
		{"# people\n\nada 0123456789abcdef\ngrace 0123456789abcdeg", "ada grace", ""},
		{"short", "", ":1: a token has 16"},
		{"", "", "there is no token"},
		{"# none\n", "", "there is no token"},
		{"a b 0123456789abcdef", "", ":1: want TOKEN"},
		{"\na\u202eb 0123456789abcdef", "", ":2: the name"},
	} {
		name := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		tokens, err := ReadTokens(name, Reader)
		var names []string
		for _, token := range tokens {
			names = append(names, token.User.Name)
		}
		if strings.Join(names, " ") != tt.names || (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) || err != nil && strings.Contains(err.Error(), "cdef") {
			t.Errorf("%q: %v, %v", tt.text, names, err)
		}
	}
	if _, err := ReadTokens("none", Reader); err == nil {
		t.Error("no file, no error")
	}
}
