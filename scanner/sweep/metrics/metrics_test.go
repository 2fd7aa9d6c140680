//go:build sweep

package metrics_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/metrics"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// scrape returns the metrics as Prometheus reads them.
func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// TestMetrics reads the metrics of a store with a target, jobs, a limit and receivers, on
// both databases. promlint is promtool's check metrics.
func TestMetrics(t *testing.T) {
	for name, open := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(t.TempDir(), "sweep.db") },
		"PostgreSQL": func() string { return sweeptest.StartPostgres(t).URL },
	} {
		t.Run(name, func(t *testing.T) {
			store, err := riverqueue.Open(t.Context(), open(), true)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			q, err := riverqueue.New(riverqueue.Config{Store: store})
			if err != nil {
				t.Fatal(err)
			}
			if err := store.PutTarget(t.Context(), sweep.Target{Name: `ac"me`, Options: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
			err = store.Tx(t.Context(), func(tx *sql.Tx) error {
				return q.Put(t.Context(), tx, []sweep.Job{{Kind: sweep.KindScan, Number: 1}, {Kind: sweep.KindScan, Number: 2}, {Kind: sweep.KindList, Target: "acme"}})
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{
				`UPDATE river_job SET scheduled_at = ` + map[bool]string{false: `strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-90 seconds')`, true: `now() - interval '90 seconds'`}[store.Postgres] + ` WHERE queue = 'scan'`,
				`INSERT INTO budget (name, until, why) VALUES ('abc', 9000000000000, 'slow down'), ('past', 1, 'slow down')`,
			} {
				if _, err := store.SQL.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			m := metrics.New("v1.2.3")
			m.Stage(metrics.StageFetch, 20*time.Millisecond)
			m.Job("scan", riverqueue.Done, 2*time.Second)
			m.Delivery("taken")
			m.Delivery("taken")
			m.RequestsLeft("--token-file a", 4999)
			m.RequestsLeft("--token-file a", 4998)
			m.Watch(metrics.State{Store: store, Log: slog.New(slog.DiscardHandler),
				Jobs: func(ctx context.Context) ([]sweep.JobStatus, error) { return riverqueue.Jobs(ctx, store) },
				Receivers: func(context.Context) ([]sweep.ReceiverStatus, error) {
					return []sweep.ReceiverStatus{{Name: "slack", Waiting: 2, Oldest: time.Unix(5, 0), Digest: 7, Lost: 1, Deliveries: 3, Failures: 4}}, nil
				}})
			text := scrape(t, m.Handler(slog.New(slog.DiscardHandler)))
			for _, want := range []string{
				"stanch_database_up 1\n",
				`stanch_build_info{version="v1.2.3"} 1`,
				`stanch_repositories_due{target="ac\"me"} 0`,
				`stanch_sweep_begun_timestamp_seconds{target="ac\"me"} 0`,
				`stanch_jobs{kind="scan",state="available"} 2`,
				`stanch_jobs{kind="list",state="available"} 1`,
				`stanch_job_wait_seconds{kind="scan"} 9`, // 90 and some
				`stanch_github_wait_timestamp_seconds{budget="abc"} 9e+09`,
				`stanch_github_wait_timestamp_seconds{budget="past"} 0`,
				`stanch_stage_seconds_bucket{stage="fetch",le="0.03"} 1`,
				`stanch_job_seconds_sum{kind="scan",outcome="done"} 2`,
				`stanch_webhook_deliveries_total{outcome="taken"} 2`,
				`stanch_github_requests_left{token="--token-file a"} 4998`,
				`stanch_news_waiting{receiver="slack"} 2`,
				`stanch_news_oldest_timestamp_seconds{receiver="slack"} 5`,
				`stanch_notifications_total{receiver="slack"} 3`,
				`stanch_notification_failures_total{receiver="slack"} 4`,
				"go_goroutines ",
				"process_cpu_seconds_total ",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("there is no %s", want)
				}
			}
			problems, err := promlint.New(strings.NewReader(text)).Lint()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				t.Errorf("%s: %s", p.Metric, p.Text)
			}
			if t.Failed() {
				t.Log(text)
			}
			store.Close()
			text = scrape(t, m.Handler(slog.New(slog.DiscardHandler)))
			if !strings.Contains(text, "stanch_database_up 0\n") || !strings.Contains(text, "go_goroutines ") || strings.Contains(text, "stanch_repositories_due") {
				t.Errorf("without a database: %s", text)
			}
		})
	}
}

// TestReceiversFail: what cannot be read is not told as 0.
func TestReceiversFail(t *testing.T) {
	store, err := riverqueue.Open(t.Context(), filepath.Join(t.TempDir(), "sweep.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	m := metrics.New("v1.2.3")
	m.Watch(metrics.State{Store: store, Log: slog.New(slog.DiscardHandler), Receivers: func(context.Context) ([]sweep.ReceiverStatus, error) {
		return nil, errors.New("no such table")
	}})
	if text := scrape(t, m.Handler(slog.New(slog.DiscardHandler))); !strings.Contains(text, "stanch_database_up 0\n") || strings.Contains(text, "stanch_news_waiting") {
		t.Errorf("%s", text)
	}
}
