// Package database opens no database itself: it has the schema of sweeps, the form in which
// text and times are kept, and the three functions through which all packages of a sweep
// run statements, so that SQLite and PostgreSQL give the same answers.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A DB is the database of sweeps. Its methods may be called concurrently. Its fields must
// not change once others use it.
type DB struct {
	SQL *sql.DB
	// Read answers queries that are no part of a transaction, and that nobody changes rows by.
	// It is SQL, but SQLite has connections of its own for them, since SQL has one: no query,
	// however long, holds up the writer or another query. A query sees all transactions that
	// were committed before it began.
	Read     *sql.DB
	Postgres bool // else it is SQLite
	// Now is the clock of all times in the database: that of the server of PostgreSQL, or of
	// the machine that has the file. Tests have their own.
	Now   func() time.Time
	Clock *Clock // that of the server; nil with SQLite
}

// IsPostgres reports whether the URL of a database is a URL of PostgreSQL.
func IsPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// DefaultFile returns the name of the file of SQLite that a user has who names no database.
func DefaultFile() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME") // specifications.freedesktop.org/basedir-spec
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("where the database is: %w (use --database-url)", err)
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "stanch", "sweep.db"), nil
}

// SQLiteDSN returns the data source name of a file of SQLite. It makes the file if there
// is none, readable by this user alone. Other processes may read and write it at the same
// time.
func SQLiteDSN(file string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("making the folder of the database: %w", err)
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("opening the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	return sqliteURI(file, "_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(NORMAL)&_txlock=immediate")
}

// SQLiteReadOnlyDSN returns the data source name by which a file of SQLite is only read. It
// makes no file. A file without a write-ahead log in a folder that cannot be written is
// taken for one that nobody writes to, since SQLite could not make the files by which it
// would hear of that (sqlite.org/wal.html, "Read-Only Databases").
func SQLiteReadOnlyDSN(file string) (string, error) {
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("opening the database: %w (\"stanch sweep add\" makes one)", err)
	}
	query := readOnly
	if _, err := os.Stat(file + "-wal"); errors.Is(err, os.ErrNotExist) {
		probe, err := os.CreateTemp(filepath.Dir(file), ".stanch-*")
		if err != nil {
			return sqliteURI(file, query+"&immutable=1")
		}
		if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
			return "", fmt.Errorf("opening the database: %w", err)
		}
	}
	return sqliteURI(file, query)
}

// SQLiteReadersDSN returns the data source name by which a process that has opened a file of
// SQLite by SQLiteDSN reads it at the same time.
func SQLiteReadersDSN(file string) (string, error) { return sqliteURI(file, readOnly) }

const readOnly = "mode=ro&_pragma=busy_timeout(30000)&_pragma=query_only(1)"

func sqliteURI(file, query string) (string, error) {
	if strings.ContainsAny(file, "?#%") {
		return "", fmt.Errorf("the name of the database, %s, must not hold ?, # or %%", file)
	}
	return "file:" + filepath.ToSlash(file) + "?" + query, nil
}

// Tx runs f in a transaction, which is committed unless f returns an error.
func (d *DB) Tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.SQL.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("the database: %w", err)
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreError(tx.Rollback(), sql.ErrTxDone))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("the database: %w", err)
	}
	return nil
}

// ForUpdate returns the clause that makes a query wait for transactions that change its
// rows, and keeps others from changing them until this one ends. SQLite needs none: it
// has one writer.
func (d *DB) ForUpdate() string {
	if d.Postgres {
		return " FOR UPDATE"
	}
	return ""
}

func ignoreError(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// Millis returns a time as the database keeps it: milliseconds since 1970, 0 for never.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time returns the time that Millis was given, in UTC.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Bool returns a truth value as the database keeps it.
func Bool(b bool) int {
	if b {
		return 1
	}
	return 0
}
