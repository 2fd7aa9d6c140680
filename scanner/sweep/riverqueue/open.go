//go:build sweep

package riverqueue

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// Open opens a database: postgres://… or the name of a file of SQLite, which is made if
// there is none. With migrate its schema is brought up to date; else one that is not is
// an error. Errors do not hold the password of a URL.
func Open(ctx context.Context, name string, migrate bool) (*sweep.Store, error) {
	driver, dsn, err := "pgx", name, error(nil)
	if !database.IsPostgres(name) {
		driver = "sqlite"
		if dsn, err = database.SQLiteDSN(name); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", redacted(name), err)
	}
	if driver == "sqlite" {
		db.SetMaxOpenConns(1) // there is one writer; River asks for this
	} else {
		db.SetMaxOpenConns(16)
	}
	s := sweep.NewStore(db, driver == "pgx")
	if err = db.PingContext(ctx); err == nil && s.Postgres {
		err = checkEncoding(ctx, db)
	}
	if err == nil && migrate {
		if err = s.Migrate(ctx, database.Version()); err == nil {
			err = Migrate(ctx, s, false)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the database %s: %w", redacted(name), scrub(err, name)), db.Close())
	}
	return s, nil
}

// checkEncoding refuses a database of PostgreSQL that holds one alphabet only, since it
// could not store a path in another alphabet.
func checkEncoding(ctx context.Context, db *sql.DB) error {
	var encoding string
	if err := db.QueryRowContext(ctx, `SHOW server_encoding`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" && encoding != "SQL_ASCII" { // the latter takes all bytes
		return fmt.Errorf("it has the encoding %s, which cannot hold all text: make one WITH ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	return nil
}

// redacted returns the name of a database for messages.
func redacted(name string) string {
	if !database.IsPostgres(name) {
		return name
	}
	u, err := url.Parse(name)
	if err != nil {
		return "postgres://…"
	}
	u.User, u.RawQuery = nil, "" // which may hold the password, too
	return u.String()
}

// scrub returns err, or an error without its text if that quotes the URL.
func scrub(err error, name string) error {
	if u, parseErr := url.Parse(name); parseErr == nil && u.User != nil {
		if password, _ := u.User.Password(); password != "" && strings.Contains(err.Error(), password) {
			return errors.New("it cannot be opened (the cause quotes its URL, and is not shown)")
		}
	}
	return err
}

// ErrLocked says that another process works with a file of SQLite.
var ErrLocked = errors.New("another stanch sweeps with this database; use PostgreSQL for more than one (--database-url)")

// Lock keeps other processes from working with a file of SQLite until it is closed, or
// this process ends, however it does. They may still read it, and add targets. It is a
// database itself, since SQLite locks files on every system.
func Lock(ctx context.Context, file string) (io.Closer, error) {
	dsn, err := database.SQLiteDSN(file + ".lock")
	if err != nil {
		return nil, err
	}
	dsn, _, _ = strings.Cut(dsn, "?")
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetConnMaxIdleTime(0)
	db.SetConnMaxLifetime(0)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		if strings.Contains(err.Error(), "SQLITE_BUSY") {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", file, err), db.Close())
	}
	return db, nil
}

// TempFolder makes a folder for repositories that the holder of the Lock of a database
// fetches. It removes those that an earlier holder left when it was killed. It returns ""
// if it cannot.
func TempFolder(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(abs))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("stanch-sweep-%x", sum[:8]))
	// Mkdir, not MkdirAll: it must not use a folder of that name that somebody else has
	// made.
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return ""
	}
	return dir
}
