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
	"time"

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

// A Server answers requests. Store, Gate, Log, WritePage and Policy must be set.
type Server struct {
	Store *sweep.Store
	Gate  *signin.Gate // whom it answers
	Log   *slog.Logger
	// WritePage writes the HTML report of one target, or of all if target is "". Policy is
	// the Content-Security-Policy to send with it.
	WritePage func(ctx context.Context, w io.Writer, target string) error
	Policy    string
	// Page, API and Metrics answer at /, /api/ and /metrics for users who are signed in:
	// signin.UserOf says who it is. A nil Page is the report.
	Page, API, Metrics http.Handler
	// Webhook answers at /webhook/, whoever asks. It may be nil.
	Webhook http.Handler
}

// grace is how long requests may take to end once the server is told to.
const grace = 10 * time.Second

// Serve answers requests until ctx ends. Then it takes no more, and returns when those under
// way have ended, or after ten seconds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if srv.Shutdown(within) != nil {
			_ = srv.Close()
		}
	})
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("the page: %w", err)
	}
	<-drained
	return nil
}

// Handler returns the handler of all requests.
func (s *Server) Handler() http.Handler {
	inside := http.NewServeMux()
	inside.HandleFunc("GET /report.html", s.page)
	inside.HandleFunc("GET /status.json", s.status)
	if s.Metrics != nil {
		inside.Handle("GET /metrics", s.Metrics)
	} else {
		inside.HandleFunc("GET /metrics", s.metrics)
	}
	if s.API != nil {
		inside.Handle("/api/", s.API)
	}
	if s.Page != nil {
		inside.Handle("/", s.Page)
	} else {
		inside.HandleFunc("GET /{$}", s.page)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	if s.Webhook != nil {
		mux.Handle("/webhook/", s.Webhook)
	} else {
		mux.HandleFunc("/webhook/", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "this server takes no webhooks: start it with --webhook-secret-file", http.StatusNotFound)
		})
	}
	mux.Handle("/", s.Gate.Protect(inside))
	return mux
}

// ready says whether the database answers.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := s.Store.SQL.PingContext(ctx); err != nil {
		s.Log.Warn("the database does not answer", "err", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
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
