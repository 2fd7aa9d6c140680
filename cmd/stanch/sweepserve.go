//go:build sweep

package main

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
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/html"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

func newSweepServe(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f, p := &engineFlags{}, &pageFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Sweep by schedule, and show a page",
		Long: `Begin the sweeps whose time has come, do their jobs, and show what is known on a page,
which nothing can be changed on:

  /             what is live, where, since when, what to do
  /status.json  how far sweeps are
  /metrics      for Prometheus
  /healthz      whether the database answers

It is shown on this machine only, unless --listen says otherwise, and to who has the
token: that of --page-token-file, or one that is made up and printed. Put a server that
speaks TLS in front of it before others are to see it.`,
		Example: "  stanch sweep serve\n  stanch sweep serve --listen :8470 --page-token-file /run/secrets/page",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := p.token()
			if err != nil {
				return err
			}
			listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", p.listen)
			if err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			defer func() { _ = listener.Close() }()
			return f.run(cmd.Context(), s, db, errand{beside: func(ctx context.Context, store *sweep.Store, log *slog.Logger) error {
				if p.tokenFile == "" {
					fmt.Fprintf(s.Stderr, "stanch: the page is at http://%s/?token=%s\n", listener.Addr(), token)
				} else {
					fmt.Fprintf(s.Stderr, "stanch: the page is at http://%s/\n", listener.Addr())
				}
				return serve(ctx, listener, &page{version: s.Version, store: store, token: sha256.Sum256([]byte(token)), log: log})
			}})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&p.listen, "listen", "127.0.0.1:8470", "address to show the page at")
	cmd.Flags().StringVar(&p.tokenFile, "page-token-file", "", "`file` with the token that the page asks for")
	return cmd
}

// pageFlags say where the page is, and who may see it.
type pageFlags struct{ listen, tokenFile string }

// token returns the token of the page.
func (p *pageFlags) token() (string, error) {
	host, _, err := net.SplitHostPort(p.listen)
	if err != nil {
		return "", fmt.Errorf("--listen %s: %w", p.listen, err)
	}
	if p.tokenFile == "" {
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return "", fmt.Errorf("--listen %s: others can reach that; give them a token by --page-token-file", p.listen)
		}
		return rand.Text(), nil
	}
	text, err := os.ReadFile(p.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--page-token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < 16 {
		return "", fmt.Errorf("--page-token-file %s: a token has 16 characters or more", p.tokenFile)
	}
	return token, nil
}

// serve answers requests until ctx ends.
func serve(ctx context.Context, l net.Listener, p *page) error {
	srv := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the page: %w", err)
	}
	return nil
}

// A page shows what a store knows.
type page struct {
	version string
	store   *sweep.Store
	token   [sha256.Size]byte // hash of it
	log     *slog.Logger
}

func (p *page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := p.store.DB().PingContext(r.Context()); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /{$}", p.closed(p.findings))
	mux.HandleFunc("GET /status.json", p.closed(p.status))
	mux.HandleFunc("GET /metrics", p.closed(p.metrics))
	return mux
}

const cookie = "stanch-page"

// closed lets in who has the token: in a header, as programs do; in the URL, as in the
// link that is printed, which leaves it in a cookie and not in the history; or in that.
func (p *page) closed(show http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		kept, _ := r.Cookie(cookie)
		switch linked := r.URL.Query().Get("token"); {
		case p.is(bearer), kept != nil && p.is(kept.Value):
			show(w, r)
		case p.is(linked):
			http.SetCookie(w, &http.Cookie{Name: cookie, Value: linked, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.Header.Get("X-Forwarded-Proto") == "https"})
			// Of the same site: a redirect from another one would not send the cookie.
			h.Set("Refresh", "0; url="+r.URL.Path)
		default:
			h.Set("WWW-Authenticate", "Bearer")
			http.Error(w, "The page asks for its token: open the link that stanch printed, or /?token=…", http.StatusUnauthorized)
		}
	}
}

func (p *page) is(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], p.token[:]) == 1
}

// findings shows the page: of ?target=NAME, or of all.
func (p *page) findings(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	swept := &sweptReport{version: p.version, store: p.store, handler: html.New(&text), target: r.URL.Query().Get("target"), failOn: scanrun.FailOnNever}
	if err := swept.write(r.Context()); err != nil {
		p.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", html.ContentSecurityPolicy())
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = text.WriteTo(w)
		return
	}
	w.Header().Set("Content-Encoding", "gzip") // it is large, and repeats itself
	z := gzip.NewWriter(w)
	_, _ = text.WriteTo(z)
	_ = z.Close()
}

func (p *page) fail(w http.ResponseWriter, err error) {
	p.log.Warn("the page could not be shown", "err", err)
	code := http.StatusInternalServerError
	if errors.Is(err, sweep.ErrNoTarget) {
		code = http.StatusNotFound
	}
	http.Error(w, printable.Text(err.Error()), code)
}

func (p *page) status(w http.ResponseWriter, r *http.Request) {
	st, err := p.store.Status(r.Context())
	if err != nil {
		p.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(st)
}

// metrics writes the status in the text format of Prometheus
// (prometheus.io/docs/instrumenting/exposition_formats).
func (p *page) metrics(w http.ResponseWriter, r *http.Request) {
	st, err := p.store.Status(r.Context())
	if err != nil {
		p.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m := metrics{w}
	m.describe("stanch_findings", "Findings that are neither ignored nor acknowledged, by what is known of their state.")
	for _, state := range keys(st.Findings.ByState) {
		m.value("stanch_findings", float64(st.Findings.ByState[state]), "state", state)
	}
	m.describe("stanch_repositories", "Repositories by state.")
	for _, t := range st.Targets {
		for _, state := range keys(t.States) {
			m.value("stanch_repositories", float64(t.States[state]), "target", t.Name, "state", state)
		}
	}
	m.describe("stanch_repositories_due", "Repositories that the sweep under way has yet to look at.")
	for _, t := range st.Targets {
		m.value("stanch_repositories_due", float64(t.Due), "target", t.Name)
	}
	m.describe("stanch_sweep_begun_timestamp_seconds", "When the last sweep began.")
	for _, t := range st.Targets {
		m.value("stanch_sweep_begun_timestamp_seconds", float64(max(0, t.Begun.Unix())), "target", t.Name)
	}
	m.describe("stanch_sweep_ended_timestamp_seconds", "When it ended, 0 while it runs.")
	for _, t := range st.Targets {
		m.value("stanch_sweep_ended_timestamp_seconds", float64(max(0, t.Ended.Unix())), "target", t.Name)
	}
}

func keys(m map[string]int) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// metrics writes gauges.
type metrics struct{ w io.Writer }

func (m metrics) describe(name, help string) {
	fmt.Fprintf(m.w, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// value writes one; labels are names and values in turn.
func (m metrics) value(name string, v float64, labels ...string) {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var parts []string
	for l := range slices.Chunk(labels, 2) {
		parts = append(parts, l[0]+`="`+escape.Replace(l[1])+`"`)
	}
	fmt.Fprintf(m.w, "%s{%s} %v\n", name, strings.Join(parts, ","), v)
}
