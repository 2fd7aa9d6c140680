//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// goesOn holds that a restored database has the jobs and the rows of the one that was saved,
// and that a sweep goes on with it.
func goesOn(t *testing.T, name string) {
	t.Helper()
	s := openStore(t, name)
	if got := text(t, s, `SELECT COUNT(*) FROM repository`); got != "3 " {
		t.Errorf("%s repositories", got)
	}
	q, did := queue(t, s), 0
	q.do = func(ctx context.Context, _ sweep.Job, _ bool, done sweep.Done) error {
		did++
		return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
	}
	q.config.Scans = 1
	if err := q.Run(t.Context(), nil, true); err != nil || did != 3 {
		t.Errorf("%d jobs were done: %v", did, err)
	}
	put(t, q, sweep.Job{Kind: sweep.KindScan, Number: 1}) // sequences go on as well
	if left, err := q.Open(t.Context()); err != nil || left != 1 {
		t.Errorf("%d jobs, %v", left, err)
	}
}

// TestBackupFile saves a file of SQLite while a process has it open, by the statement that
// docs/operations.md names.
func TestBackupFile(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, filepath.Join(dir, "sweep.db"))
	repositories(t, s, 3)
	saved := filepath.Join(dir, "copy.db")
	run(t, s, `VACUUM INTO '`+saved+`'`)
	goesOn(t, saved)
}

// TestBackupPostgres saves a database with pg_dump and restores it with pg_restore, as
// docs/operations.md says, into a new server that has none of the roles.
func TestBackupPostgres(t *testing.T) {
	p, other := sweeptest.StartPostgres(t), sweeptest.StartPostgres(t)
	s := openStore(t, p.URL)
	run(t, s, `CREATE ROLE worker`, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO worker`)
	repositories(t, s, 3)
	saved := filepath.Join(t.TempDir(), "stanch.dump")
	for _, argv := range [][]string{{"pg_dump", "--format=custom", "--file=" + saved, p.URL}, {"pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--dbname=" + other.URL, saved}} {
		program := argv[0]
		if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program); len(found) > 0 {
			program = found[len(found)-1]
		}
		if out, err := exec.CommandContext(t.Context(), program, argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", argv[0], err, out)
		}
	}
	goesOn(t, other.URL)
}
