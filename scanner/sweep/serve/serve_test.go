//go:build sweep

package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/signin"
)

// newServer returns a server of a store with one target, and the token of its user.
func newServer(t *testing.T) (s *Server, token string) {
	t.Helper()
	store, err := riverqueue.Open(t.Context(), filepath.Join(t.TempDir(), "sweep.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	if err := store.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	known, token := signin.MakeToken(signin.User{Name: "ada", Role: signin.Reader})
	numbers := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "numbers") })
	return &Server{Store: store, Metrics: numbers, Gate: &signin.Gate{Tokens: []signin.Token{known}, Log: log}, Log: log, Policy: "default-src 'none'; img-src data:",
		WritePage: func(_ context.Context, w io.Writer, target string) error {
			switch target {
			case "other":
				return sweep.ErrNoTarget
			case "broken":
				return errors.New("the disk\x1b is full")
			}
			_, err := io.WriteString(w, "the page of all")
			return err
		}}, token
}

// get asks a handler for a path, with a token unless it is "".
func get(t *testing.T, h http.Handler, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Host = "127.0.0.1:8470"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestServer asks for each path with the token and without.
func TestServer(t *testing.T) {
	s, token := newServer(t)
	for _, tt := range []struct {
		path string
		with bool
		code int
		want string
	}{
		{"/healthz", false, http.StatusOK, "ok"},
		{"/readyz", false, http.StatusOK, "ok"},
		{"/", false, http.StatusUnauthorized, "Authorization: Bearer"},
		{"/", true, http.StatusOK, "the page of all"},
		{"/report.html", false, http.StatusUnauthorized, ""},
		{"/report.html", true, http.StatusOK, "the page of all"},
		{"/?target=other", true, http.StatusNotFound, "no such target"},
		{"/?target=broken", true, http.StatusInternalServerError, `the disk\x1b is full`},
		{"/status.json", false, http.StatusUnauthorized, ""},
		{"/status.json", true, http.StatusOK, `"name":"acme"`},
		{"/metrics", false, http.StatusUnauthorized, ""},
		{"/metrics", true, http.StatusOK, "numbers"},
		{"/other", true, http.StatusNotFound, ""},
		{"/webhook/github", false, http.StatusNotFound, "--webhook-secret-file"},
		{"/api/v1/findings", true, http.StatusNotFound, ""},
	} {
		sent := ""
		if tt.with {
			sent = token
		}
		if w := get(t, s.Handler(), tt.path, sent); w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d, want %d: %q, want %q", tt.path, w.Code, tt.code, w.Body, tt.want)
		}
	}
	if _, err := s.Store.SQL.ExecContext(t.Context(), `UPDATE stanch_schema SET version = version + 1`); err != nil {
		t.Fatal(err)
	}
	if w := get(t, s.Handler(), "/readyz", ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "schema") {
		t.Errorf("ready with the schema of a newer build: %d %q", w.Code, w.Body)
	}
	s.Store.Close()
	if w := get(t, s.Handler(), "/healthz", ""); w.Code != http.StatusOK {
		t.Errorf("the process lives, whatever the database does: %d", w.Code)
	}
	if w := get(t, s.Handler(), "/readyz", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("ready without a database: %d", w.Code)
	}
}

// TestMounted: page, API and metrics are behind the sign-in and know the user, the webhook
// is before it.
func TestMounted(t *testing.T) {
	s, token := newServer(t)
	say := func(what string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			u := signin.UserOf(r.Context())
			fmt.Fprintf(w, "%s %s for %s, a %s", what, r.URL.Path, u.Name, u.Role)
		})
	}
	s.Page, s.API, s.Metrics, s.Webhook = say("page"), say("API"), say("metrics"), say("webhook")
	for path, want := range map[string]string{
		"/":                "page / for ada, a reader",
		"/static/page.js":  "page /static/page.js for ada, a reader",
		"/api/v1/findings": "API /api/v1/findings for ada, a reader",
		"/metrics":         "metrics /metrics for ada, a reader",
		"/report.html":     "the page of all",
	} {
		if w := get(t, s.Handler(), path, token); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, w.Body, want)
		}
		if w := get(t, s.Handler(), path, ""); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", path, w.Code)
		}
	}
	if w := get(t, s.Handler(), "/webhook/github", ""); w.Body.String() != "webhook /webhook/github for , a nobody" {
		t.Errorf("the webhook: %d %q", w.Code, w.Body)
	}
}

// TestOnlyStore: a server that has nothing but a store answers probes and lets nobody in, and
// one with a gate as well answers those whom it lets in.
func TestOnlyStore(t *testing.T) {
	full, token := newServer(t)
	s := &Server{Store: full.Store}
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/": http.StatusUnauthorized, "/metrics": http.StatusUnauthorized, "/webhook/": http.StatusNotFound} {
		if w := get(t, s.Handler(), path, token); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	wrong := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/sign-in", strings.NewReader("token=wrong"))
	wrong.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	if s.Handler().ServeHTTP(w, wrong); w.Code != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", w.Code)
	}
	s.Gate = &signin.Gate{Tokens: full.Gate.Tokens}
	for path, want := range map[string]int{"/status.json": http.StatusOK, "/": http.StatusNotFound, "/report.html": http.StatusNotFound, "/metrics": http.StatusNotFound, "/api/v1/findings": http.StatusNotFound} {
		if w := get(t, s.Handler(), path, token); w.Code != want {
			t.Errorf("with a gate, %s: %d, want %d", path, w.Code, want)
		}
	}
	s.WritePage = func(context.Context, io.Writer, string) error { return errors.New("the disk is full") }
	if w := get(t, s.Handler(), "/", token); w.Code != http.StatusInternalServerError {
		t.Errorf("a report that fails: %d", w.Code)
	}
}

// TestDrain: a request that is under way when the server is told to end gets its answer, and
// no new one is taken.
func TestDrain(t *testing.T) {
	s, token := newServer(t)
	asked, answer := make(chan bool), make(chan bool)
	s.Page = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		_, _ = io.WriteString(w, "all of it")
	})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	got := make(chan string, 1)
	go func() {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			got <- err.Error()
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		got <- string(text)
	}()
	<-asked
	end()
	refused := false
	for range 100 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if refused = err != nil; refused {
			break
		}
		_ = c.Close()
		time.Sleep(10 * time.Millisecond)
	}
	if !refused {
		t.Error("a server that ends takes connections")
	}
	select {
	case err := <-ended:
		t.Errorf("it ended before its answer: %v", err)
	default:
	}
	close(answer)
	if text := <-got; text != "all of it" {
		t.Errorf("got %q", text)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestIsLocal(t *testing.T) {
	for listen, want := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true, ":0": false, "0.0.0.0:80": false} {
		if got, err := IsLocal(listen); got != want || err != nil {
			t.Errorf("%s: %v, %v", listen, got, err)
		}
	}
	if _, err := IsLocal("nowhere"); err == nil || !strings.Contains(err.Error(), "--listen nowhere") {
		t.Errorf("nowhere: %v", err)
	}
}
