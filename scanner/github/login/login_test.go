package login

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestToken holds where the token is from: the first place that has one.
func TestToken(t *testing.T) {
	scannertest.Need(t, "sh")
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const gh = "#!/bin/sh\n[ \"$*\" = \"auth token --hostname $HOST\" ] || exit 1\n"
	for _, tt := range []struct {
		name, file, github, ghToken, gh, api, host string
		want, fails                                string
	}{
		{"file", write("token", "of-file\n", 0o600), "of-env", "of-env-too", "echo of-gh", "", "github.com", "of-file", ""},
		{"env", "", "of-env", "of-env-too", "echo of-gh", "", "github.com", "of-env", ""},
		{"env_too", "", "", "of-env-too", "echo of-gh", "", "github.com", "of-env-too", ""},
		{"gh", "", "", "", "echo of-gh", "", "github.com", "of-gh", ""},
		{"gh_of_server", "", "", "", "echo of-gh", "https://ghe.example/api/v3", "ghe.example", "of-gh", ""},
		{"gh_of_enterprise_cloud", "", "", "", "echo of-gh", "https://api.acme.ghe.com", "acme.ghe.com", "of-gh", ""},
		{"gh_of_server_called_api", "", "", "", "echo of-gh", "https://api.example/api/v3/", "api.example", "of-gh", ""},
		{"gh_of_other_host", "", "", "", "echo of-gh", "https://ghe.example/api/v3", "github.com", "", ""},
		{"gh_not_logged_in", "", "", "", "echo no oauth token >&2; exit 1", "", "github.com", "", ""},
		{"gh_says_much", "", "", "", "echo a b", "", "github.com", "", ""},
		{"no_file", filepath.Join(dir, "none"), "of-env", "", "", "", "", "", "no such file"},
		{"empty_file", write("empty", "\n", 0o600), "of-env", "", "", "", "", "", "it holds no token"},
		{"file_of_something", write("wrong", "a\nb\n", 0o600), "of-env", "", "", "", "", "", "it holds no token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GITHUB_TOKEN", tt.github)
			t.Setenv("GH_TOKEN", tt.ghToken)
			t.Setenv("HOST", tt.host)
			write("gh", gh+tt.gh+"\n", 0o755)
			t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			login := Login{API: tt.api}
			if tt.file != "" {
				login.TokenFiles = []string{tt.file}
			}
			if login.API == "" {
				login.API = "https://api.github.com"
			}
			var got detectors.Secret
			budgets, err := login.budgets(t.Context(), "acme")
			if err == nil {
				got, err = budgets[0].Tokens.Token(t.Context(), got)
			}
			if got.Reveal() != tt.want || (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("got %q, %v, want %q", got.Reveal(), err, tt.want)
			}
		})
	}
}

// TestMistakes refuses what cannot be meant.
func TestMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	one, token := []string{"1"}, filepath.Join(t.TempDir(), "token")
	for _, name := range []string{token, token + "2"} {
		if err := os.WriteFile(name, []byte("of-the-test"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		login Login
		want  string
	}{
		{Login{AppIDs: one}, "needed together"},
		{Login{AppKeys: []string{file}}, "needed together"},
		{Login{AppInstallation: 1}, "needed together"},
		{Login{AppIDs: one, AppKeys: []string{file}, TokenFiles: []string{file}}, "the one or the other"},
		{Login{AppIDs: one, AppKeys: []string{file + "x"}}, "--app-key"},
		{Login{AppIDs: []string{"1", "2"}, AppKeys: []string{file}}, "needed together"},
		{Login{AppIDs: []string{"1", "2"}, AppKeys: []string{file, file}, AppInstallation: 7}, "leave it out"},
		{Login{TokenFiles: []string{token, token + "2"}}, "the same token"},
		{Login{TokenFiles: []string{token, token}}, "the same token"},
		{Login{TokenFiles: []string{token, file + "x"}}, "no such file"},
		{Login{AppIDs: one, AppKeys: []string{file}}, "not in the form of PEM"},
	} {
		tt.login.API = "https://api.github.com"
		_, err := tt.login.Lister(t.Context(), "acme", time.Minute, func(context.Context, time.Duration) error { return nil })
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "no key") {
			t.Errorf("%+v: %v, want %q", tt.login, err, tt.want)
		}
	}
}

// TestTokenFileReplaced: a token that was replaced in its file is taken once the old
// one is refused.
func TestTokenFileReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good, asked := "first", 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(100-asked))
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte(`[{"id":1,"full_name":"acme/app"}]`))
	}))
	t.Cleanup(srv.Close)
	write(good)
	told := map[string]int{}
	login := Login{API: srv.URL, TokenFiles: []string{file}, Left: func(token string, left int) { told[token] = left }}
	l, err := login.Lister(t.Context(), "acme", time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	list := func() error { _, err := l.List(t.Context(), "acme"); return err }
	if err := list(); err != nil || asked != 1 {
		t.Error(asked, err)
	}
	good = "second"
	if err := list(); !errors.Is(err, github.ErrDenied) || asked != 2 {
		t.Error(asked, err)
	}
	write(good)
	if err := list(); err != nil || asked != 4 {
		t.Error(asked, err)
	}
	if len(told) != 1 || told["--token-file "+file] != 96 {
		t.Errorf("requests left: %v", told)
	}
	if url, _, err := l.CloneURL(t.Context(), "acme/app"); !strings.Contains(url, ":second@") || err != nil {
		t.Error(url, err)
	}
}

// TestApps: two Apps share the requests, each by the installation that the owner has of it.
func TestApps(t *testing.T) {
	asked := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case r.URL.Path == "/orgs/acme/installation":
			claims, _ := base64.RawURLEncoding.DecodeString(strings.Split(sent, ".")[1])
			var jwt struct{ Iss string }
			_ = json.Unmarshal(claims, &jwt)
			_, _ = fmt.Fprintf(w, `{"id":%s}`, jwt.Iss)
		case strings.HasSuffix(r.URL.Path, "/access_tokens"):
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, `{"token":"of-%s","expires_at":%q}`, strings.Split(r.URL.Path, "/")[3], time.Now().Add(time.Hour).Format(time.RFC3339))
		default:
			asked[sent]++
			_, _ = fmt.Fprintf(w, `{"id":1,"full_name":%q}`, strings.TrimPrefix(r.URL.Path, "/repos/"))
		}
	}))
	t.Cleanup(srv.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 0o600); err != nil {
		t.Fatal(err)
	}
	login := Login{API: srv.URL, AppIDs: []string{"7", "8"}, AppKeys: []string{file, file}}
	l, err := login.Lister(t.Context(), "acme", time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		if _, err := l.Parent(t.Context(), fmt.Sprintf("acme/r%d", n)); err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) != 2 || asked["of-7"]+asked["of-8"] != 40 || min(asked["of-7"], asked["of-8"]) < 10 {
		t.Errorf("requests by token: %v", asked)
	}
}
