// Package serve answers the requests of browsers, programs and probes while a sweep runs:
//
//	/             the page
//	/api/         the API
//	/report.html  the whole report as one page
//	/status.json  how far sweeps are
//	/metrics      for Prometheus
//	/sign-in      asks a browser for a token; /sign-out ends its session
//	/healthz      whether the process answers
//	/readyz       whether the database answers, too
//	/webhook/     where GitHub tells of pushes
//
// The last three ask for no sign-in (package signin): the probes say nothing, and the
// webhook asks for a signature of its own.
package serve

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/signin"
)

// IsLocal reports whether only this machine can reach the address listen.
func IsLocal(listen string) (bool, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false, fmt.Errorf("--listen %s: %w", listen, err)
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

// A Server answers requests. Only Store must be set.
type Server struct {
	Store *sweep.Store
	Gate  *signin.Gate // whom it answers; nil for nobody
	Log   *slog.Logger // nil for none
	// WritePage writes the HTML report of one target, or of all if target is "". Policy is
	// the Content-Security-Policy to send with it. Without WritePage there is no report.
	WritePage func(ctx context.Context, w io.Writer, target string) error
	Policy    string
	// Page, API and Metrics answer at /, /api/ and /metrics for users who are signed in:
	// signin.UserOf says who it is. A nil Page is the report; API and Metrics may be nil.
	Page, API, Metrics http.Handler
	// Webhook answers at /webhook/, whoever asks. It may be nil.
	Webhook http.Handler
}

// Serve answers requests until ctx ends, as Run does.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return Run(ctx, l, s.Handler(), s.log())
}

// Handler returns the handler of all requests.
func (s *Server) Handler() http.Handler {
	inside := http.NewServeMux()
	inside.HandleFunc("GET /status.json", s.status)
	if s.Metrics != nil {
		inside.Handle("GET /metrics", s.Metrics)
	}
	if s.API != nil {
		inside.Handle("/api/", s.API)
	}
	if s.WritePage != nil {
		inside.HandleFunc("GET /report.html", s.page)
	}
	if s.Page != nil {
		inside.Handle("/", s.Page)
	} else if s.WritePage != nil {
		inside.HandleFunc("GET /{$}", s.page)
	}
	mux := Probes(s.Store, s.log())
	if s.Webhook != nil {
		mux.Handle("/webhook/", s.Webhook)
	} else {
		mux.HandleFunc("/webhook/", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "this server takes no webhooks: start it with --webhook-secret-file", http.StatusNotFound)
		})
	}
	mux.Handle("/", cmp.Or(s.Gate, &signin.Gate{}).Protect(inside))
	return mux
}

func (s *Server) log() *slog.Logger { return cmp.Or(s.Log, slog.New(slog.DiscardHandler)) }

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
	s.log().Warn("the page could not be shown", "err", err)
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
