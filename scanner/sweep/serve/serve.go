// Package serve shows the state and the findings of sweeps over HTTP. It changes nothing.
//
//	/             the page
//	/status.json  how far sweeps are
//	/metrics      for Prometheus
//	/healthz      whether the database answers; the only path that asks for no token
package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// Token returns the token that the page asks for: that in file, or a new one if file is ""
// and only this machine can reach the address listen. Errors name the flags --listen and
// --page-token-file.
func Token(listen, file string) (string, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("--listen %s: %w", listen, err)
	}
	if file == "" {
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return "", fmt.Errorf("--listen %s: others can reach that; give them a token by --page-token-file", listen)
		}
		return rand.Text(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--page-token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < 16 {
		return "", fmt.Errorf("--page-token-file %s: a token has 16 characters or more", file)
	}
	return token, nil
}

// A Server shows the content of a store. All fields must be set.
type Server struct {
	Store *sweep.Store
	Token string
	Log   *slog.Logger
	// WritePage writes the HTML page of one target, or of all if target is "". Policy is
	// the Content-Security-Policy to send with it.
	WritePage func(ctx context.Context, w io.Writer, target string) error
	Policy    string
}

// Serve answers requests until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the page: %w", err)
	}
	return nil
}

// Handler returns the handler of all requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Store.SQL.PingContext(r.Context()); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /{$}", s.withToken(s.page))
	mux.HandleFunc("GET /status.json", s.withToken(s.status))
	mux.HandleFunc("GET /metrics", s.withToken(s.metrics))
	return mux
}

const cookieName = "stanch-page"

// withToken refuses requests without the token. Programs send it in a header. The link that
// is printed has it in the URL; the answer sets a cookie and redirects to the URL without
// the token, so that the browser's history does not keep it.
func (s *Server) withToken(show http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		kept, _ := r.Cookie(cookieName)
		switch linked := r.URL.Query().Get("token"); {
		case s.isToken(bearer), kept != nil && s.isToken(kept.Value):
			show(w, r)
		case s.isToken(linked):
			http.SetCookie(w, &http.Cookie{Name: cookieName, Value: linked, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.Header.Get("X-Forwarded-Proto") == "https"})
			// A redirect that another site began would not send the cookie; this one is of the same site.
			h.Set("Refresh", "0; url="+r.URL.Path)
		default:
			h.Set("WWW-Authenticate", "Bearer")
			http.Error(w, "The page asks for its token: open the link that stanch printed, or /?token=…", http.StatusUnauthorized)
		}
	}
}

// isToken compares hashes, so that the time it takes says nothing about the token.
func (s *Server) isToken(token string) bool {
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.Token))
	return s.Token != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// page shows the page of ?target=NAME, or of all targets.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	if err := s.WritePage(r.Context(), &text, r.URL.Query().Get("target")); err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", s.Policy)
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = text.WriteTo(w)
		return
	}
	w.Header().Set("Content-Encoding", "gzip") // it is large, and repeats itself
	z := gzip.NewWriter(w)
	_, _ = text.WriteTo(z)
	_ = z.Close()
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	s.Log.Warn("the page could not be shown", "err", err)
	code := http.StatusInternalServerError
	if errors.Is(err, sweep.ErrNoTarget) {
		code = http.StatusNotFound
	}
	http.Error(w, printable.Text(err.Error()), code)
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	st, err := s.Store.Status(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(st)
}
