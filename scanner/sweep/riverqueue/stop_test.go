//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestStop: a worker that is told to end gives its jobs to another one at once, and no
// death is counted. A job that does not heed it is given away as well.
func TestStop(t *testing.T) {
	for name, openAny := range databases() {
		for job, heeds := range map[string]bool{"heeds": true, "deaf": false} {
			t.Run(name+"_"+job, func(t *testing.T) {
				s := openAny(t)
				repositories(t, s, 1)
				ctx, cancel := context.WithCancel(t.Context())
				q, began, over := queue(t, s), make(chan int, 2), make(chan int)
				defer close(over)
				q.grace = 500 * time.Millisecond
				q.do = func(ctx context.Context, _ sweep.Job, _ bool, _ sweep.Done) error {
					began <- 1
					if !heeds {
						ctx = context.Background()
					}
					select {
					case <-ctx.Done():
					case <-over:
					}
					return ctx.Err()
				}
				ended := make(chan error)
				go func() { ended <- q.Run(ctx, nil, false) }()
				<-began
				at := time.Now()
				cancel()
				<-ended
				if took := time.Since(at); took > 5*time.Second {
					t.Errorf("it took %s to end", took)
				}
				next := queue(t, s)
				next.do = func(ctx context.Context, _ sweep.Job, _ bool, done sweep.Done) error {
					return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
				}
				if err := next.Run(t.Context(), nil, true); err != nil {
					t.Error(err)
				}
				if took := time.Since(at); took > 10*time.Second {
					t.Errorf("after %s another one had done the job", took)
				}
				if got := text(t, s, `SELECT deaths FROM repository`) + text(t, s, `SELECT name FROM worker`); got != "0 " {
					t.Errorf("deaths and workers: %s", got)
				}
			})
		}
	}
}

// TestRetention: old rows go, and the last ones of each finding and target stay.
func TestRetention(t *testing.T) {
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			repositories(t, s, 0)
			now := time.Now()
			old := now.Add(-100 * day).UnixMilli()
			run(t, s, `UPDATE target SET sweep = 9`,
				`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record) VALUES ('f1', 'k', '', 'live', '', '', 0, 1, 1, '{}'), ('f2', 'k', '', 'live', '', '', 0, 1, 1, '{}')`)
			for _, row := range []struct {
				statement string
				at        int64
			}{
				{`INSERT INTO verification (fingerprint, state, reason, account, at) VALUES ('f1', 'live', 'old', '', $1)`, old},
				{`INSERT INTO verification (fingerprint, state, reason, account, at) VALUES ('f1', 'live', 'new', '', $1)`, now.UnixMilli()},
				{`INSERT INTO verification (fingerprint, state, reason, account, at) VALUES ('f2', 'live', 'last', '', $1)`, old},
				{`INSERT INTO sweep (target, number, begun, complete, ended) VALUES ('acme', 7, 1, 2, $1)`, old},
				{`INSERT INTO sweep (target, number, begun, complete, ended) VALUES ('acme', 8, 1, 2, $1)`, now.UnixMilli()},
				{`INSERT INTO sweep (target, number, begun, complete, ended) VALUES ('acme', 9, 1, 2, $1)`, old},
				{`INSERT INTO budget (name, why, until) VALUES ('old', '', $1)`, old},
				{`INSERT INTO budget (name, why, until) VALUES ('new', '', $1)`, now.UnixMilli()},
			} {
				if _, err := s.SQL.ExecContext(t.Context(), row.statement, row.at); err != nil {
					t.Fatal(err)
				}
			}
			q := queue(t, s)
			for i := range 3 {
				put(t, q, sweep.Job{Kind: sweep.KindScan, Number: int64(i)})
			}
			ago := `datetime('now', '-3 days')`
			if s.Postgres {
				ago = `now() - interval '3 days'`
			}
			run(t, s, `UPDATE river_job SET state = 'completed', finalized_at = CURRENT_TIMESTAMP WHERE id = 2`, `UPDATE river_job SET state = 'completed', finalized_at = `+ago+` WHERE id = 1`)
			if err := q.tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string]string{
				`SELECT reason FROM verification ORDER BY 1`: "last new ", `SELECT number FROM sweep ORDER BY 1`: "8 9 ",
				`SELECT name FROM budget`: "new ", `SELECT id FROM river_job ORDER BY 1`: "2 3 ",
			} {
				if got := text(t, s, query); got != want {
					t.Errorf("%s: %s, want %s", query, got, want)
				}
			}
		})
	}
}
