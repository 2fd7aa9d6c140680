package github

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// An appServer is the GitHub of an App, whose clock is ahead of ours.
type appServer struct {
	t      *testing.T
	key    *rsa.PrivateKey
	ahead  time.Duration
	issued int // tokens
	lasts  time.Duration
	only   int // token that is taken, 0: the last
	// answers overrides what the server says, by path.
	answers map[string]fake
}

func (s *appServer) now() time.Time { return time.Now().Add(s.ahead) }

func (s *appServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	app := strings.HasSuffix(r.URL.Path, "installation") || strings.HasSuffix(r.URL.Path, "access_tokens")
	switch {
	case app && !s.signed(token), !app && token != fmt.Sprintf("ghs_%d", max(s.issued, s.only)):
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"message":"Bad credentials"}`))
	case s.answers[r.URL.Path] != nil:
		s.answers[r.URL.Path](w, r)
	case r.URL.Path == "/orgs/ada/installation":
		_, _ = w.Write([]byte(`{"id":7}`))
	case r.URL.Path == "/users/eve/installation":
		_, _ = w.Write([]byte(`{"id":8}`))
	case r.Method == http.MethodPost && (r.URL.Path == "/app/installations/7/access_tokens" || r.URL.Path == "/app/installations/8/access_tokens"):
		s.issued++
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"token":"ghs_%d","expires_at":%q}`, s.issued, s.now().Add(s.lasts).UTC().Format(time.RFC3339))
	case r.URL.Path == "/installation/repositories":
		_, _ = w.Write([]byte(`{"total_count":3,"repositories":[{"id":1,"full_name":"eve/old","pushed_at":"2020-01-01T00:00:00Z"},{"id":2,"full_name":"eve/new","pushed_at":"2026-01-01T00:00:00Z"},{"id":3,"full_name":"ada/x"}]}`))
	case r.URL.Path == "/orgs/ada/repos":
		_, _ = w.Write([]byte(`[{"id":1,"full_name":"ada/app"}]`))
	case r.URL.Path == "/users/eve":
		_, _ = w.Write([]byte(`{"login":"eve"}`))
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":"Not Found"}`))
	}
}

// signed reports whether token is what docs.github.com asks for.
func (s *appServer) signed(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		s.t.Errorf("%d parts", len(parts))
		return false
	}
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			s.t.Error(err)
		}
	}
	var claims struct {
		Iss      string
		Iat, Exp int64
	}
	hash := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := json.Unmarshal(decoded[1], &claims); err != nil || claims.Iss != "12" || string(decoded[0]) != `{"alg":"RS256","typ":"JWT"}` {
		s.t.Errorf("%s.%s: %v", decoded[0], decoded[1], err)
	}
	now := s.now().Unix()
	return rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, hash[:], decoded[2]) == nil && claims.Iat <= now && claims.Exp > now && claims.Exp <= now+600
}

// app returns an App of s and a Lister that asks as it.
func (s *appServer) app(t *testing.T, owner string) (*App, *Lister) {
	t.Helper()
	s.t = t
	var err error
	if s.key == nil {
		s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.lasts == 0 {
		s.lasts = time.Hour
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	file := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(s.key)})
	app, err := NewApp(srv.URL, "12", detectors.NewSecret(string(file)), 0, owner, "test")
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLister(srv.URL, app, "test")
	if err != nil {
		t.Fatal(err)
	}
	return app, l
}

// TestApp asks as an App, with clocks that agree and that do not.
func TestApp(t *testing.T) {
	for _, ahead := range []time.Duration{0, 30 * time.Second, 3 * time.Hour, -3 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			s := &appServer{ahead: ahead}
			_, l := s.app(t, "ada")
			var group sync.WaitGroup
			for range 5 {
				group.Go(func() {
					if list, err := l.List(t.Context(), "ada"); err != nil || len(list) != 1 {
						t.Errorf("%v: %v", list, err)
					}
				})
			}
			group.Wait()
			url, _, err := l.CloneURL(t.Context(), "ada/app")
			if !strings.Contains(url, "//x-access-token:ghs_1@") || err != nil || s.issued != 1 {
				t.Errorf("%s, %d tokens: %v", url, s.issued, err)
			}
		})
	}
}

// TestAppOfUser lists what a user has given to the App, the newest first.
func TestAppOfUser(t *testing.T) {
	_, l := (&appServer{}).app(t, "eve")
	list, err := l.List(t.Context(), "eve")
	if err != nil || len(list) != 2 || list[0].Name != "eve/new" || list[1].Name != "eve/old" {
		t.Errorf("%v: %v", list, err)
	}
}

// TestAppRenews: a token is renewed before it expires, and when GitHub refuses it.
func TestAppRenews(t *testing.T) {
	s := &appServer{lasts: 4 * time.Minute}
	_, l := s.app(t, "ada")
	for n := 1; n <= 3; n++ {
		if _, err := l.List(t.Context(), "ada"); err != nil || s.issued != n {
			t.Errorf("%d tokens: %v", s.issued, err)
		}
	}
	s = &appServer{}
	_, l = s.app(t, "ada")
	for n := 1; n <= 2; n++ {
		if _, err := l.List(t.Context(), "ada"); err != nil || s.issued != n {
			t.Errorf("%d tokens: %v", s.issued, err)
		}
		s.only = n + 1 // the first was revoked
	}
	s.only = 100 // whatever is issued
	if _, err := l.List(t.Context(), "ada"); !errors.Is(err, ErrDenied) || s.issued != 3 {
		t.Errorf("%d tokens: %v", s.issued, err)
	}
}

// TestAppErrors says what the user can do.
func TestAppErrors(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const tokens = "/app/installations/7/access_tokens"
	for _, tt := range []struct {
		name, owner string
		answers     map[string]fake
		revoked     bool
		want        string
	}{
		{"not_installed", "bob", nil, false, "it is not installed for bob"},
		{"revoked", "ada", nil, true, "the key was revoked"},
		{"suspended", "ada", map[string]fake{"/orgs/ada/installation": says(200, `{"id":7,"suspended_at":"2026-01-02T03:04:05Z"}`)}, false, "for ada is suspended since 2026-01-02"},
		{"suspended_since", "ada", map[string]fake{tokens: says(403, `{"message":"This installation has been suspended"}`)}, false, "the installation may be suspended"},
		{"removed_since", "ada", map[string]fake{tokens: says(404, `{}`)}, false, "may have been removed"},
		{"no_token", "ada", map[string]fake{tokens: says(201, `{}`)}, false, "has no token that is valid"},
		{"expired_token", "ada", map[string]fake{tokens: says(201, `{"token":"x","expires_at":"2001-01-01T00:00:00Z"}`)}, false, "has no token that is valid"},
		{"no_installation", "ada", map[string]fake{"/orgs/ada/installation": says(200, `{}`)}, false, "the answer has no installation"},
		{"strange_owner", "a/b", nil, false, "not the name of an organization"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &appServer{answers: tt.answers}
			_, l := s.app(t, tt.owner)
			if tt.revoked {
				s.key = other
			}
			_, err := l.List(t.Context(), "ada")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "eyJ") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"":     "not in the form of PEM",
		"oops": "not in the form of PEM",
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("oops")})): "not an RSA key",
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})):          "",
	} {
		_, err := NewApp("https://api.github.com", "12", detectors.NewSecret(key), 0, "ada", "test")
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || len(key) > 4 && strings.Contains(err.Error(), key)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
