//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river/rivermigrate"

	"github.com/stanch-dev/stanch/scanner/filelock"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// run runs statements, one after the other.
func run(t *testing.T, s *sweep.Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// tables returns the names of the tables.
func tables(t *testing.T, s *sweep.Store) string {
	t.Helper()
	if s.Postgres {
		return text(t, s, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
	}
	return text(t, s, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1`)
}

// TestMigrate goes up, down after two sweeps, and up again.
func TestMigrate(t *testing.T) {
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			up := tables(t, s)
			if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
			for range 2 { // River's older schema has room for one job of a kind
				put(t, queue(t, s), sweep.Job{Kind: sweep.KindList, Target: "acme"})
				run(t, s, `UPDATE river_job SET state = 'completed', finalized_at = CURRENT_TIMESTAMP`)
			}
			if err := errors.Join(s.Migrate(t.Context(), database.Version()), Migrate(t.Context(), s, false)); err != nil {
				t.Fatal(err)
			}
			if targets, err := s.Targets(t.Context()); err != nil || len(targets) != 1 {
				t.Errorf("a second time up: %v, %v", targets, err)
			}
			for range 2 { // what is gone is not there to be removed again
				if err := Remove(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if left := tables(t, s); strings.Count(left, " ") > 2 { // those that say which versions there are
				t.Errorf("left: %s", left)
			}
			if err := errors.Join(s.Migrate(t.Context(), database.Version()), Migrate(t.Context(), s, false)); err != nil {
				t.Fatal(err)
			}
			if again := tables(t, s); again != up {
				t.Errorf("tables %s, want %s", again, up)
			}
			if err := s.Migrate(t.Context(), database.Version()+1); err == nil {
				t.Error("a version that there is not is no error")
			}
		})
	}
}

// TestMigrateFirst brings a database of the first version, with a row in each table, up to
// date, and no row is lost.
func TestMigrateFirst(t *testing.T) {
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			if err := errors.Join(Remove(t.Context(), s), s.Migrate(t.Context(), 1)); err != nil {
				t.Fatal(err)
			}
			m, err := rivermigrate.New(driverOf(s), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Migrate(t.Context(), rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: 6}); err != nil { // River 0.34
				t.Fatal(err)
			}
			tags := `'[]'`
			if s.Postgres {
				tags = `'{}'`
			}
			run(t, s,
				`INSERT INTO target (name, api, options, every_ms, added, begun, ended, full_at, sweep) VALUES ('acme', 'https://api.example', '{}', 0, 1, 2, 3, 2, 7)`,
				`INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at, detector) VALUES ('11', 'acme', 'acme/app', 'p', 0, 0, 0, 5, 2, 'swept', 3, 'd')`,
				`INSERT INTO tip (object, repository) VALUES ('ab', 1)`,
				`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, acknowledged_by, acknowledged_until, note, record)
					VALUES ('f1', 'k', '123456789012', 'live', '', '', 4, 1, 4, 'ada', 99, 'later', '{}')`,
				`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ('f1', 1, 'p', 'git', 'b', 'a.env', 1, 1, '{}')`,
				`INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ('f1', 4, 'live', '', '123456789012')`,
				`INSERT INTO action (at, who, what, subject, result) VALUES (4, 'ada', 'ack', 'f1', 'ok')`,
				`INSERT INTO sweep (target, number, begun, ended, complete) VALUES ('acme', 7, 2, 3, 2)`,
				`INSERT INTO budget (name, until, why) VALUES ('0123456789ab', 5, 'limit')`,
				`INSERT INTO worker (name, seen) VALUES ('w', 5)`,
				`INSERT INTO river_job (kind, queue, args, metadata, tags, max_attempts, state) VALUES ('stanch', 'scan', '{"what":"scan","number":1,"sweep":7}', '{}', `+tags+`, 64, 'available')`)
			if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "stanch sweep migrate") {
				t.Errorf("the older schema: %v", err)
			}
			if err := errors.Join(s.Migrate(t.Context(), database.Version()), Migrate(t.Context(), s, false)); err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"target", "repository", "tip", "finding", "location", "verification", "triage", "sweep", "budget", "worker", "river_job"} {
				if got := text(t, s, `SELECT COUNT(*) FROM `+table); got != "1 " {
					t.Errorf("%s has %s rows", table, got)
				}
			}
			if got := text(t, s, `SELECT key_id || ' ' || status || ' ' || status_by || ' ' || comment FROM finding`); got != "k acknowledged ada later " {
				t.Errorf("the finding is %s", got)
			}
			if st, err := s.Status(t.Context()); err != nil || st.Targets[0].States[sweep.Swept] != 1 {
				t.Errorf("the status is %+v, %v", st, err)
			}
			var did sweep.Job
			q := queue(t, s)
			q.do = func(ctx context.Context, j sweep.Job, _ bool, done sweep.Done) error {
				did = j
				return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
			}
			if err := q.Run(t.Context(), nil, true); err != nil || did.Number != 1 || did.Kind != sweep.KindScan || did.Sweep != 7 {
				t.Errorf("the job that was queued is %+v, %v", did, err)
			}
		})
	}
}

// as returns the URL of a database for a new role with some rights.
func as(t *testing.T, s *sweep.Store, name, role string, grants ...string) string {
	t.Helper()
	run(t, s, append([]string{`CREATE ROLE ` + role + ` LOGIN`, `REVOKE CREATE ON SCHEMA public FROM PUBLIC`}, grants...)...)
	u, err := url.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}

// TestRoles: a role that may only read shows the status, and one that may make no tables
// does jobs. docs/operations.md has these rights.
func TestRoles(t *testing.T) {
	name := sweeptest.StartPostgres(t).URL
	s := openStore(t, name)
	reader := as(t, s, name, "reader", `GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader`)
	worker := as(t, s, name, "worker", `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO worker`, `GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO worker`)
	ro, err := OpenReadOnly(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	if _, err := ro.Status(t.Context()); err != nil {
		t.Error(err)
	}
	if err := ro.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err == nil {
		t.Error("a role that may only read has written")
	}
	for _, unable := range []struct{ url, says string }{
		{reader, "may only read it"},
		{worker + "&default_transaction_read_only=on", "as a standby"},
	} {
		if _, err := Open(t.Context(), unable.url, true); err == nil || !strings.Contains(err.Error(), unable.says) {
			t.Errorf("%s: %v", unable.says, err)
		}
	}
	w, err := Open(t.Context(), worker, true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Error(err)
	}
	put(t, queue(t, w), sweep.Job{Kind: sweep.KindVerify, Number: 1})
	q := queue(t, w)
	q.do = func(ctx context.Context, _ sweep.Job, _ bool, done sweep.Done) error {
		return w.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
	}
	if err := q.Run(t.Context(), nil, true); err != nil {
		t.Error(err)
	}
	if got := text(t, s, `SELECT state FROM river_job`); got != "completed " {
		t.Errorf("the job is %s", got)
	}
	if err := Remove(t.Context(), w); err == nil || !strings.Contains(err.Error(), `run "stanch sweep migrate --down" as the role that owns`) {
		t.Errorf("a role that may remove no tables: %v", err)
	}
	run(t, s, `UPDATE stanch_schema SET version = 1`) // that of an earlier stanch
	if _, err := Open(t.Context(), worker, true); err == nil || !strings.Contains(err.Error(), `run "stanch sweep migrate" as the role that owns`) {
		t.Errorf("a role that may make no tables: %v", err)
	}
}

// TestPassword: no error holds a password, and one that is a word of an error hides nothing.
func TestPassword(t *testing.T) {
	name := sweeptest.StartPostgres(t).URL
	with := func(password string) string { return strings.Replace(name, "stanch@", "stanch:"+password+"@", 1) }
	if _, err := OpenReadOnly(t.Context(), with("stanch")); err == nil || !strings.Contains(err.Error(), "stanch sweep add") {
		t.Errorf("a database without tables: %v", err)
	}
	away := "postgres://stanch:stanch@127.0.0.1:1/stanch?sslmode=disable"
	if _, err := Open(t.Context(), away, true); err == nil || !isAway(err) {
		t.Errorf("no server, and a user whose name is the password: %v", err)
	}
	if _, err := Open(t.Context(), with("hunter2")+"&connect_timeout=hunter2", true); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a URL that cannot be read: %v", err)
	}
}

// TestReadOnlyFile: a file is not made, not changed and, where nobody may write, read.
func TestReadOnlyFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "sweep.db")
	if _, err := OpenReadOnly(t.Context(), name); err == nil || !strings.Contains(err.Error(), "stanch sweep add") {
		t.Errorf("no file: %v", err)
	}
	s := openStore(t, name)
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	look := func() {
		t.Helper()
		ro, err := OpenReadOnly(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		defer ro.Close()
		if targets, err := ro.Targets(t.Context()); err != nil || len(targets) != 1 {
			t.Errorf("targets %v, %v", targets, err)
		}
		if err := ro.PutTarget(t.Context(), sweep.Target{Name: "other", Options: []byte("{}")}); err == nil {
			t.Error("it was written")
		}
	}
	look() // while another process writes
	s.Close()
	look()
	if err := errors.Join(os.Chmod(name, 0o400), os.Chmod(dir, 0o500)); err != nil { // root may write all the same
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) }) //nolint:gosec // a folder
	look()
}

// TestOpenWaiting: a process waits for a server that comes, with a word, and not for one
// that refuses it.
func TestOpenWaiting(t *testing.T) {
	p := sweeptest.StartPostgres(t)
	p.Stop(t, "fast")
	said := 0
	say := func(err error) {
		if said++; err == nil {
			t.Error("it does not say why")
		}
	}
	if _, err := OpenWaiting(t.Context(), p.URL, time.Second, say); err == nil {
		t.Error("there is no server")
	}
	time.AfterFunc(1500*time.Millisecond, func() { p.Start(t) })
	s, err := OpenWaiting(t.Context(), p.URL, 0, say)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if said != 1 {
		t.Errorf("said %d times", said)
	}
	if _, err := OpenWaiting(t.Context(), strings.Replace(p.URL, "/postgres?", "/none?", 1), 0, say); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("no such database: %v", err)
	}
}

// TestSessions: connections are kept. A process makes no new one for each statement.
func TestSessions(t *testing.T) {
	s := openStore(t, sweeptest.StartPostgres(t).URL)
	done := make(chan error)
	for range 8 {
		go func() {
			for range 100 {
				if err := s.Tx(t.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(t.Context(), `SELECT pg_sleep(0.001)`); return err }); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(1500 * time.Millisecond) // the statistics are written once a second
	if got := text(t, s, `SELECT sessions < 30 FROM pg_stat_database WHERE datname = current_database()`); got != "true " {
		t.Errorf("%s sessions", text(t, s, `SELECT sessions FROM pg_stat_database WHERE datname = current_database()`))
	}
}

// TestTempFolder: the folder of a killed process is removed, that of a living one is not.
func TestTempFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const name = "postgres://db.example/stanch"
	alive, remove := TempFolder(name)
	dead := filepath.Join(os.TempDir(), "stanch-worker-1")
	if err := os.MkdirAll(filepath.Join(dead, "stanch-2.git"), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := filelock.Acquire(filepath.Join(dead, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	_, second := TempFolder(name)
	if _, err := os.Stat(dead); err != nil {
		t.Error("a living process has lost its folder")
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	_, third := TempFolder(name)
	if _, err := os.Stat(dead); err == nil {
		t.Error("the folder of a dead process is left")
	}
	if _, err := os.Stat(alive); err != nil {
		t.Error("a living process has lost its folder")
	}
	remove()
	second()
	third()
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
