//go:build sweep

package riverqueue

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// openSkewed opens a database of a server whose clock differs from that of this machine: its
// functions now and clock_timestamp come before those of PostgreSQL.
func openSkewed(t *testing.T, by string) *sweep.Store {
	t.Helper()
	url := sweeptest.StartPostgres(t).URL
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		`CREATE SCHEMA skewed`,
		`CREATE FUNCTION skewed.now() RETURNS timestamptz STABLE LANGUAGE sql AS $$ SELECT pg_catalog.now() + interval '` + by + `' $$`,
		`CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() + interval '` + by + `' $$`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	return openStore(t, url+separator+"search_path=skewed,pg_catalog")
}

// TestWrongClock: the clock of a machine is two hours ahead of that of the database, or behind.
// Its jobs begin at once, are tried again after the pause, and wait for as long as they have to.
func TestWrongClock(t *testing.T) {
	for by, offset := range map[string]time.Duration{"-2 hours": -2 * time.Hour, "2 hours": 2 * time.Hour} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			s := openSkewed(t, by)
			if wrong := s.Now().Sub(time.Now().Add(offset)).Abs(); wrong > 5*time.Second {
				t.Errorf("the clock of the store is wrong by %s", wrong)
			}
			var said bytes.Buffer
			const pause = 2 * time.Second
			q, err := New(Config{Store: s, Pause: pause, Scans: 8, Log: slog.New(slog.NewTextHandler(&said, nil))})
			if err != nil {
				t.Fatal(err)
			}
			began := map[int64][]time.Time{}
			q.do = func(ctx context.Context, j sweep.Job, _ bool, done sweep.Done) error {
				switch began[j.Number] = append(began[j.Number], time.Now()); {
				case j.Number == 2 && len(began[2]) == 1:
					return errors.New("it fails once")
				case j.Number == 3 && len(began[3]) == 1:
					return &sweep.Later{At: s.Now().Add(pause), Why: "it waits once"}
				}
				return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
			}
			put := time.Now()
			err = s.Tx(t.Context(), func(tx *sql.Tx) error {
				return q.Put(t.Context(), tx, []sweep.Job{{Kind: sweep.KindList, Number: 1}, {Kind: sweep.KindList, Number: 2}, {Kind: sweep.KindList, Number: 3}})
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := q.Run(ctx, &engine.Engine{}, true); err != nil {
				t.Errorf("the jobs do not come to their end: %v", err)
			}
			for number := range int64(3) {
				at := began[number+1]
				if len(at) == 0 || at[0].Sub(put) > 10*time.Second {
					t.Errorf("job %d is begun at %s, and was put at %s", number+1, at, put)
				} else if len(at) > 1 && (at[1].Sub(at[0]) < pause || at[1].Sub(at[0]) > pause+10*time.Second) {
					t.Errorf("job %d is begun again after %s", number+1, at[1].Sub(at[0]))
				}
			}
			if !strings.Contains(said.String(), "the clock of this machine differs") {
				t.Errorf("it says %s", said.String())
			}
		})
	}
}
