//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
)

// A backlog is a Hub that has repositories, and answers to a listing only.
type backlog struct {
	sweep.Hub
	listed []sweep.Listed
}

// Repositories implements sweep.Hub.
func (b *backlog) Repositories(_ context.Context, _ string, _ sweep.KnownPage, yield func(sweep.ListPage) (bool, error)) error {
	for page := range slices.Chunk(slices.Clone(b.listed), 50) {
		if more, err := yield(sweep.ListPage{Listed: page}); err != nil || !more {
			return err
		}
	}
	return nil
}

// Count implements sweep.Hub.
func (b *backlog) Count(context.Context, string) (int, error) { return len(b.listed), nil }

// Gists implements sweep.Hub.
func (b *backlog) Gists(context.Context, string, sweep.KnownPage, func(sweep.ListPage) error) error {
	return nil
}

// WebURL implements sweep.Hub.
func (b *backlog) WebURL(name string) string { return "https://h/" + name }

// TestOrder: of a backlog, new repositories are read before the daily look, and forks last. A
// push goes before them all, though its repository waits for the look already.
func TestOrder(t *testing.T) {
	const each = 100 // repositories of each rank
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			q, err := New(Config{Store: s, Scans: 1})
			if err != nil {
				t.Fatal(err)
			}
			hub := &backlog{}
			for i := range 3 * each { // the forks come first, and then the look, so that the order is not that of the list
				hub.listed = append(hub.listed, sweep.Listed{ID: fmt.Sprint(1000 + i), Name: fmt.Sprint("acme/", i), Fork: i < each, Pushed: time.Unix(int64(1e6-i), 0)})
			}
			e := &engine.Engine{Store: s, Queue: q, Hub: func(sweep.Target) (sweep.Hub, error) { return hub, nil }, Detector: "v1", Log: slog.New(slog.DiscardHandler)}
			var begun []int64
			var told, found time.Time
			const pushed = each + each/2
			var number int64
			q.do = func(ctx context.Context, j sweep.Job, last bool, done sweep.Done) error {
				if j.Kind != sweep.KindScan {
					return e.Do(ctx, j, last, done)
				}
				if begun = append(begun, j.Number); j.Number == number && found.IsZero() {
					found = time.Now()
				}
				return s.Tx(ctx, func(tx *sql.Tx) error {
					if len(begun) == 10 {
						told = time.Now()
						if _, err := s.PutNews(ctx, tx, q, sweep.News{ID: hub.listed[pushed].ID, Name: hub.listed[pushed].Name, Pushed: time.Unix(2e6, 0)}); err != nil {
							return err
						}
					}
					return done(ctx, tx)
				})
			}
			if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
			// Those of the look are known, and were read.
			err = s.Tx(t.Context(), func(tx *sql.Tx) error {
				for _, l := range hub.listed[each : 2*each] {
					if _, err := tx.ExecContext(t.Context(), `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, looked, due, listed, state, at, detector)
						VALUES ($1, 'acme', $2, '', 0, 0, 0, $3, $3, 0, 1, 'swept', 1, 'v1')`, l.ID, l.Name, l.Pushed.UnixMilli()); err != nil {
						return err
					}
				}
				return tx.QueryRowContext(t.Context(), `SELECT number FROM repository WHERE id = $1`, hub.listed[pushed].ID).Scan(&number)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Begin(t.Context(), q, "acme", true); err != nil {
				t.Fatal(err)
			}
			// The list is read to its end first: workers begin with its first page.
			if err := e.Do(t.Context(), sweep.Job{Kind: sweep.KindList, Target: "acme"}, true, func(context.Context, *sql.Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if err := q.Run(t.Context(), e, true); err != nil {
				t.Fatal(err)
			}
			// The job of the list may look at it once more.
			if at := slices.Index(begun, number) - 10; at < 0 || at > 2 {
				t.Errorf("the push is the %dth job after it was told", at)
			}
			ranks := map[int64]string{}
			rows := `SELECT CASE WHEN fork = 1 THEN 'fork' WHEN detector = '' THEN 'new' ELSE 'look' END FROM repository WHERE number = $1`
			order := ""
			for i, n := range begun {
				var rank string
				if err := s.SQL.QueryRowContext(t.Context(), rows, n).Scan(&rank); err != nil {
					t.Fatal(err)
				}
				ranks[n] = rank
				if n != number && (i == 0 || order == "" || order[len(order)-len(rank):] != rank) {
					order += " " + rank
				}
			}
			if order != " new look fork" || len(ranks) != 3*each {
				t.Errorf("%d repositories are read in the order%s", len(ranks), order)
			}
			t.Logf("%d jobs; the push was begun after %s", len(begun), found.Sub(told))
		})
	}
}

// A family is a backlog of a repository that takes its time, and of its forks.
type family struct {
	backlog
	goOn chan struct{} // closed when the parent has been read
}

// Parent implements sweep.Hub.
func (f *family) Parent(context.Context, string) (string, error) { return "acme/parent", nil }

// CloneURL implements sweep.Hub. Nothing can be read.
func (f *family) CloneURL(_ context.Context, name string) (url, budget string, err error) {
	if name == "acme/parent" {
		<-f.goOn
	}
	return "", "", &sweep.Final{Err: errors.New("there is no git server")}
}

// LostCommits implements sweep.Hub.
func (f *family) LostCommits(context.Context, string, time.Time) (map[string]string, time.Time, error) {
	return nil, time.Time{}, nil
}

// TestForksWait: forks whose parent is being read have no job, and are read when it has ended.
func TestForksWait(t *testing.T) {
	const forks = 100
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			q, err := New(Config{Store: s})
			if err != nil {
				t.Fatal(err)
			}
			hub := &family{goOn: make(chan struct{})}
			for i := range forks {
				hub.listed = append(hub.listed, sweep.Listed{ID: fmt.Sprint(1000 + i), Name: fmt.Sprint("acme/", i), Fork: true})
			}
			hub.listed = append(hub.listed, sweep.Listed{ID: "1", Name: "acme/parent"})
			e := &engine.Engine{Store: s, Queue: q, Hub: func(sweep.Target) (sweep.Hub, error) { return hub, nil }, Detector: "v1", Log: slog.New(slog.DiscardHandler)}
			var scans atomic.Int64
			q.do = func(ctx context.Context, j sweep.Job, last bool, done sweep.Done) error {
				if j.Kind == sweep.KindScan {
					scans.Add(1)
				}
				return e.Do(ctx, j, last, done)
			}
			if err := errors.Join(s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}), s.Begin(t.Context(), q, "acme", false)); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- q.Run(t.Context(), e, true) }()
			for range 600 {
				if n, err := q.Open(t.Context()); err == nil && n == 1 && scans.Load() > forks {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			before, transactions := scans.Load(), commits(t, s)
			time.Sleep(5 * time.Second)
			if n := scans.Load() - before; n > 0 {
				t.Errorf("%d jobs were begun while the parent was read", n)
			}
			t.Logf("%d transactions in 5 s", commits(t, s)-transactions)
			close(hub.goOn)
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if got := text(t, s, `SELECT state || ' ' || COUNT(*) || ' ' || SUM(due) FROM repository GROUP BY state`); got != fmt.Sprintf("failed %d 0 ", forks+1) {
				t.Errorf("the repositories are %s", got)
			}
			if n := scans.Load() - before; n != forks {
				t.Errorf("%d jobs were begun after the parent, want %d", n, forks)
			}
		})
	}
}

// commits returns how many transactions PostgreSQL has committed, 0 for SQLite.
func commits(t *testing.T, s *sweep.Store) (n int64) {
	t.Helper()
	if !s.Postgres {
		return 0
	}
	if err := s.SQL.QueryRowContext(t.Context(), `SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
