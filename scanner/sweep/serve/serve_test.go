//go:build sweep

package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

// TestServer asks for each path with the token in a header, in a cookie, in the URL, and
// without.
func TestServer(t *testing.T) {
	store, err := riverqueue.Open(t.Context(), filepath.Join(t.TempDir(), "sweep.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	s := &Server{Store: store, Token: "token-of-the-test", Log: slog.New(slog.DiscardHandler), Policy: "default-src 'none'",
		WritePage: func(_ context.Context, w io.Writer, target string) error {
			switch target {
			case "other":
				return sweep.ErrNoTarget
			case "broken":
				return errors.New("the disk\x1b is full")
			}
			_, err := io.WriteString(w, "the page of all")
			return err
		}}
	for _, tt := range []struct {
		path, bearer, cookie string
		code                 int
		want                 string
	}{
		{"/healthz", "", "", http.StatusOK, "ok"},
		{"/", "", "", http.StatusUnauthorized, "asks for its token"},
		{"/", "wrong", "wrong", http.StatusUnauthorized, ""},
		{"/?token=wrong", "", "", http.StatusUnauthorized, ""},
		{"/?token=token-of-the-test", "", "", http.StatusOK, ""},
		{"/", "token-of-the-test", "", http.StatusOK, "the page of all"},
		{"/", "", "token-of-the-test", http.StatusOK, "the page of all"},
		{"/?target=other", "token-of-the-test", "", http.StatusNotFound, "no such target"},
		{"/?target=broken", "token-of-the-test", "", http.StatusInternalServerError, `the disk\x1b is full`},
		{"/status.json", "", "", http.StatusUnauthorized, ""},
		{"/status.json", "token-of-the-test", "", http.StatusOK, `"name":"acme"`},
		{"/metrics", "", "", http.StatusUnauthorized, ""},
		{"/metrics", "token-of-the-test", "", http.StatusOK, `stanch_repositories_due{target="acme"} 0`},
		{"/other", "token-of-the-test", "", http.StatusNotFound, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil)
		if tt.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+tt.bearer)
		}
		if tt.cookie != "" {
			r.AddCookie(&http.Cookie{Name: cookieName, Value: tt.cookie})
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d, want %d: %q, want %q", tt.path, w.Code, tt.code, w.Body, tt.want)
		}
		if strings.Contains(tt.path, "token=token") && (w.Body.Len() > 0 || len(w.Result().Cookies()) != 1 || w.Header().Get("Refresh") != "0; url=/") {
			t.Errorf("the link leads to %v", w.Header())
		}
	}
	s.Token = ""
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/status.json", nil)
	w := httptest.NewRecorder()
	if s.Handler().ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Errorf("without a token, everybody may see it: %d", w.Code)
	}
}

func TestToken(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct{ listen, file, want, fails string }{
		{"127.0.0.1:0", "", "", ""},
		{"localhost:0", "", "", ""},
		{"[::1]:0", "", "", ""},
		{":0", "", "", "--listen :0: others can reach that"},
		{"0.0.0.0:80", "", "", "others can reach that"},
		{"nowhere", "", "", "--listen nowhere"},
		{":0", file(" 0123456789abcdef\n"), "0123456789abcdef", ""},
		{":0", file("short"), "", "16 characters"},
		{":0", "none", "", "--page-token-file"},
	} {
		got, err := Token(tt.listen, tt.file)
		if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) || tt.want != "" && got != tt.want || err == nil && len(got) < 16 {
			t.Errorf("%q, %q: %q, %v", tt.listen, tt.file, got, err)
		}
	}
}
