//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
)

// openStore opens a database of SQLite, or that with a URL.
func openStore(t *testing.T, url ...string) *sweep.Store {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sweep.db")
	if len(url) > 0 {
		name = url[0]
	}
	s, err := Open(t.Context(), name, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestPut holds that of the same job one is kept until it is done, and none of a
// transaction that did not come to its end.
func TestPut(t *testing.T) {
	s := openStore(t)
	q, err := New(Config{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	put := func(end func(*sql.Tx) error, jobs ...sweep.Job) {
		t.Helper()
		tx, err := s.SQL.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(q.Put(t.Context(), tx, jobs), end(tx)); err != nil {
			t.Fatal(err)
		}
	}
	is := func(want int) {
		t.Helper()
		if n, err := q.Open(t.Context()); err != nil || n != want {
			t.Errorf("%d jobs, want %d: %v", n, want, err)
		}
	}
	scan := sweep.Job{Kind: sweep.KindScan, Number: 1, Sweep: 1}
	put((*sql.Tx).Commit, scan, scan, sweep.Job{Kind: sweep.KindScan, Number: 2, Sweep: 1}, sweep.Job{Kind: sweep.KindVerify, Number: 1})
	is(3)
	put((*sql.Tx).Commit, scan, sweep.Job{Kind: sweep.KindScan, Number: 2, Sweep: 2, Rank: sweep.RankFork})
	is(3)
	put((*sql.Tx).Rollback, sweep.Job{Kind: sweep.KindScan, Number: 3})
	is(3)
	if _, err := s.SQL.ExecContext(t.Context(), `UPDATE river_job SET state = 'completed', finalized_at = CURRENT_TIMESTAMP WHERE id = 1`); err != nil {
		t.Fatal(err)
	}
	put((*sql.Tx).Commit, scan)
	is(3)
}

// TestGiveUp: a listing that is begun again and again, and ends its process each time, is
// named with its reason.
func TestGiveUp(t *testing.T) {
	s := openStore(t)
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	why := errors.New("it ends the process")
	if err := (&engine.Engine{Store: s}).GiveUp(t.Context(), sweep.Job{Kind: sweep.KindList, Target: "acme"}, why); !errors.Is(err, why) {
		t.Errorf("it fails with %v", err)
	}
	if targets, err := s.Targets(t.Context()); err != nil || targets[0].Why != why.Error() {
		t.Errorf("the target says %+v, %v", targets, err)
	}
}

// TestLock: one process at a time works with a file, and the next one when it has ended.
func TestLock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sweep.db")
	first, err := Lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(t.Context(), file); !errors.Is(err, ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Lock(context.Background(), file)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}
