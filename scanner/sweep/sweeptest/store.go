//go:build sweep

package sweeptest

import (
	"context"
	"database/sql"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers, as in riverqueue
	_ "modernc.org/sqlite"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Store is a sweep.Store with a clock that tests set. The clock does not run.
type Store struct {
	*sweep.Store
	Clock time.Time
}

// NewStore returns the store in an empty database.
func NewStore(t testing.TB, db *sql.DB, postgres bool) *Store {
	t.Helper()
	s := &Store{sweep.NewStore(db, postgres), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	s.Now = func() time.Time { return s.Clock }
	if err := s.Migrate(t.Context(), database.Version()); err != nil {
		t.Fatal(err)
	}
	return s
}

// SQLite returns a store in a new file. It reads by connections of their own, as in riverqueue.
func SQLite(t testing.TB) *Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sweep.db")
	s := NewStore(t, OpenSQLite(t, file), false)
	s.Read = openSQLite(t, file, database.SQLiteReadersDSN)
	return s
}

// OpenSQLite opens a file as one more process would. It is closed when the test ends.
func OpenSQLite(t testing.TB, file string) *sql.DB {
	t.Helper()
	db := openSQLite(t, file, database.SQLiteDSN)
	db.SetMaxOpenConns(1)
	return db
}

func openSQLite(t testing.TB, file string, dsnOf func(string) (string, error)) *sql.DB {
	t.Helper()
	dsn, err := dsnOf(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// A runner is a *testing.T or a *testing.B.
type runner[T any] interface {
	testing.TB
	Run(name string, f func(T)) bool
}

// OnEachDatabase runs tests or benchmarks in SQLite and in PostgreSQL, each with a store of
// its own.
func OnEachDatabase[T runner[T]](t T, tests map[string]func(T, *Store)) {
	t.Helper()
	t.Run("sqlite", func(t T) {
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			t.Run(name, func(t T) { tests[name](t, SQLite(t)) })
		}
	})
	t.Run("postgresql", func(t T) {
		db, err := sql.Open("pgx", StartPostgres(t).URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			t.Run(name, func(t T) {
				s := NewStore(t, db, true)
				tests[name](t, s)
				if err := s.Migrate(t.Context(), 0); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// Do runs f in a transaction.
func (s *Store) Do(t testing.TB, f func(context.Context, *sql.Tx) error) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx *sql.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// Get returns the target acme.
func (s *Store) Get(t testing.TB) sweep.Target {
	t.Helper()
	target, err := s.Target(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// Known returns the findings by fingerprint.
func (s *Store) Known(t testing.TB) map[string]finding.Finding {
	t.Helper()
	all := map[string]finding.Finding{}
	if err := s.Findings(t.Context(), "", func(f finding.Finding) error { all[f.Fingerprint()] = f; return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// Keys returns the fingerprints of all findings, in order.
func (s *Store) Keys(t testing.TB) string {
	t.Helper()
	return strings.Join(slices.Sorted(maps.Keys(s.Known(t))), " ")
}

// A Queue is a sweep.Queue in memory.
type Queue struct{ Jobs []sweep.Job }

// Put implements sweep.Queue.
func (q *Queue) Put(_ context.Context, _ *sql.Tx, jobs []sweep.Job) error {
	for _, j := range jobs {
		same := func(o sweep.Job) bool { return o.Kind == j.Kind && o.Target == j.Target && o.Number == j.Number }
		if !slices.ContainsFunc(q.Jobs, same) {
			q.Jobs = append(q.Jobs, j)
		}
	}
	return nil
}

// Finding returns a finding with a fingerprint of its own.
func Finding(fingerprint string, state verifier.State, ignored string, verified time.Time, places ...finding.Location) finding.Finding {
	f := finding.Finding{Digest: &finding.Digest{Fingerprint: fingerprint}, Ignored: ignored, Locations: places}
	f.Match.Rule = &detectors.Rule{ID: "aws-access-key"}
	f.Verdict.State, f.Verdict.At = state, verified
	return f
}
