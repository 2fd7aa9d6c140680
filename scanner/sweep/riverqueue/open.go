//go:build sweep

package riverqueue

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// Open opens a database: postgres://… or the name of a file of SQLite, which is made if
// there is none. With migrate its schema is brought up to date. Errors do not hold the
// password of a URL.
func Open(ctx context.Context, name string, migrate bool) (*sweep.Store, error) {
	return open(ctx, name, database.SQLiteDSN, func(s *sweep.Store) error {
		if err := openReaders(s, name); err != nil || !migrate {
			return err
		}
		if err := s.Migrate(ctx, database.Version()); err != nil {
			return withAdvice(err, "bring the tables up to date", "stanch sweep migrate")
		}
		if err := Migrate(ctx, s, false); err != nil {
			return withAdvice(err, "bring the tables up to date", "stanch sweep migrate")
		}
		return checkRights(ctx, s)
	})
}

// withAdvice returns err with a command for the owner of the tables if the role may not do that.
func withAdvice(err error, that, command string) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42501" { // insufficient_privilege
		return fmt.Errorf("%w: this role may not %s: run %q as the role that owns the database (docs/operations.md)", err, that, command)
	}
	return err
}

// checkRights returns an error if stanch can only read the database: each command would fail
// later, one with a half of its work done.
func checkRights(ctx context.Context, s *sweep.Store) error {
	if !s.Postgres {
		return nil
	}
	var standby, writes bool
	err := s.SQL.QueryRowContext(ctx, `SELECT current_setting('transaction_read_only') = 'on',
		has_table_privilege('target', 'INSERT, UPDATE') OR has_table_privilege('finding', 'INSERT, UPDATE')`).Scan(&standby, &writes)
	switch {
	case err != nil:
		return fmt.Errorf("asking for the rights of the role: %w", err)
	case standby:
		return errors.New("it can only be read, as a standby: \"stanch sweep status\", \"list\" and \"report\" work here")
	case !writes:
		return errors.New("this role may only read it: \"stanch sweep status\", \"list\" and \"report\" work; docs/operations.md has the rights that the others need")
	}
	return nil
}

// OpenReadOnly opens a database that has the schema of this version, and never changes it: a
// role that may only SELECT, a standby and a file that cannot be written will do. Errors are
// as those of Open.
func OpenReadOnly(ctx context.Context, name string) (*sweep.Store, error) {
	return open(ctx, name, database.SQLiteReadOnlyDSN, func(s *sweep.Store) error { return s.Check(ctx) })
}

// connections is how many connections a process has to PostgreSQL at most. All of them are
// kept: a sweep of 1,000 repositories opened 650 when two were. They are renewed after a
// while, so that a process finds its way to a server that has taken over.
const (
	connections     = 16
	connectionsLast = 30 * time.Minute
)

func open(ctx context.Context, name string, sqliteDSN func(string) (string, error), prepare func(*sweep.Store) error) (*sweep.Store, error) {
	driver, dsn, err := "pgx", name, error(nil)
	if !database.IsPostgres(name) {
		driver = "sqlite"
		if dsn, err = sqliteDSN(name); err != nil {
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
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		db.SetConnMaxLifetime(connectionsLast)
	}
	s := sweep.NewStore(db, driver == "pgx")
	err = scrub(db.PingContext(ctx), name)
	if err == nil && s.Postgres {
		err = errors.Join(checkEncoding(ctx, db), s.UseServerClock(ctx))
	}
	if err == nil {
		err = prepare(s)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("the database %s: %w", redacted(name), err)
	}
	return s, nil
}

// readers is how many queries a process makes to a file of SQLite at once.
const readers = 4

// openReaders has s read a file of SQLite by connections of their own, which SQLite lets read
// while another one writes (sqlite.org/wal.html, "Concurrency").
func openReaders(s *sweep.Store, file string) error {
	if s.Postgres {
		return nil
	}
	dsn, err := database.SQLiteReadersDSN(file)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	s.Read = db
	return nil
}

// OpenWaiting is Open for processes that wait for a server of PostgreSQL that is not there
// yet, for patience at most, 0 for ever. It calls say with the reason before it waits for
// the first time. A wrong password or certificate, or no such database, is an error at once.
func OpenWaiting(ctx context.Context, name string, patience time.Duration, say func(error)) (*sweep.Store, error) {
	began := time.Now()
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		s, err := Open(ctx, name, true)
		if err == nil || !isAway(err) || ctx.Err() != nil || patience > 0 && time.Since(began)+pause > patience {
			return s, err
		}
		if pause == time.Second {
			say(err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// isAway reports whether err says that a server of PostgreSQL cannot be reached, is
// starting or is stopping (class 57), or has no connection left (53300), by the codes of its
// documentation, appendix A.
func isAway(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return strings.HasPrefix(refused.Code, "57P") || refused.Code == "53300"
	}
	var connecting *pgconn.ConnectError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &connecting) && !errors.As(err, &certificate)
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

// scrub returns err, the answer to a first connection, or an error without its text if that
// quotes the URL. A later error does not quote it, and may well hold a word that happens to be
// the password, as "stanch sweep migrate" does if that is stanch.
func scrub(err error, name string) error {
	var connecting *pgconn.ConnectError // which has the host, the user and the database alone
	if err == nil || errors.As(err, &connecting) {
		return err
	}
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
