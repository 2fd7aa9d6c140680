package sweep

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// A migration changes the schema by one version, up or down. BLOB is BYTEA in
// PostgreSQL, SERIAL a key that counts. Times are milliseconds since 1970, 0 for never.
type migration struct{ up, down string }

var migrations = []migration{
	{`CREATE TABLE target (
		name TEXT PRIMARY KEY, api TEXT NOT NULL, options TEXT NOT NULL, every_ms BIGINT NOT NULL, asked BIGINT NOT NULL DEFAULT 0,
		added BIGINT NOT NULL, begun BIGINT NOT NULL DEFAULT 0, ended BIGINT NOT NULL DEFAULT 0, full_at BIGINT NOT NULL DEFAULT 0,
		sweep BIGINT NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', wait BIGINT NOT NULL DEFAULT 0);
	CREATE TABLE repository (
		number SERIAL, id TEXT NOT NULL, target TEXT NOT NULL, name TEXT NOT NULL, page TEXT NOT NULL, clone TEXT NOT NULL DEFAULT '',
		fork BIGINT NOT NULL, parent TEXT NOT NULL DEFAULT '', archived BIGINT NOT NULL, private BIGINT NOT NULL,
		pushed BIGINT NOT NULL, looked BIGINT NOT NULL DEFAULT 0, due BIGINT NOT NULL DEFAULT 1, listed BIGINT NOT NULL,
		state TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', at BIGINT NOT NULL, sweep BIGINT NOT NULL DEFAULT 0,
		detector TEXT NOT NULL DEFAULT '', refs BLOB, activity BIGINT NOT NULL DEFAULT 0, texts TEXT NOT NULL DEFAULT '',
		lease TEXT NOT NULL DEFAULT '', objects BIGINT NOT NULL DEFAULT 0, fetched BIGINT NOT NULL DEFAULT 0,
		UNIQUE (target, id));
	CREATE INDEX repository_name ON repository (name);
	CREATE INDEX repository_due ON repository (target) WHERE due = 1;
	CREATE TABLE tip (object BLOB NOT NULL, repository BIGINT NOT NULL REFERENCES repository ON DELETE CASCADE, PRIMARY KEY (object, repository));
	CREATE INDEX tip_repository ON tip (repository);
	CREATE TABLE finding (
		fingerprint TEXT PRIMARY KEY, key_id TEXT NOT NULL, account TEXT NOT NULL,
		state TEXT NOT NULL, reason TEXT NOT NULL, ignored TEXT NOT NULL, verified BIGINT NOT NULL,
		first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, dead_since BIGINT NOT NULL DEFAULT 0,
		acknowledged_by TEXT NOT NULL DEFAULT '', acknowledged_until BIGINT NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '',
		record TEXT NOT NULL);
	CREATE TABLE location (
		fingerprint TEXT NOT NULL REFERENCES finding ON DELETE CASCADE, repository BIGINT NOT NULL REFERENCES repository ON DELETE CASCADE,
		place TEXT NOT NULL, kind TEXT NOT NULL, blob TEXT NOT NULL, path TEXT NOT NULL, at_head BIGINT NOT NULL, first_seen BIGINT NOT NULL,
		gone_since BIGINT NOT NULL DEFAULT 0, record TEXT NOT NULL,
		PRIMARY KEY (fingerprint, repository, place));
	CREATE INDEX location_repository ON location (repository);
	CREATE TABLE verification (
		fingerprint TEXT NOT NULL REFERENCES finding ON DELETE CASCADE, at BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, account TEXT NOT NULL,
		PRIMARY KEY (fingerprint, at));
	CREATE TABLE action (at BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, result TEXT NOT NULL);
	CREATE TABLE sweep (
		target TEXT NOT NULL, number BIGINT NOT NULL, begun BIGINT NOT NULL, ended BIGINT NOT NULL DEFAULT 0, complete BIGINT NOT NULL,
		PRIMARY KEY (target, number));
	CREATE TABLE budget (name TEXT PRIMARY KEY, until BIGINT NOT NULL, why TEXT NOT NULL);
	CREATE TABLE worker (name TEXT PRIMARY KEY, seen BIGINT NOT NULL)`,
		`DROP TABLE worker; DROP TABLE budget; DROP TABLE sweep; DROP TABLE action; DROP TABLE verification; DROP TABLE location; DROP TABLE finding; DROP TABLE tip; DROP TABLE repository; DROP TABLE target`},
}

// Version is the version of the schema that this package reads and writes.
func Version() int { return len(migrations) }

// Migrate brings the schema to a version, up or down: 0 removes all. It is an error, and
// nothing is changed, if the database has a newer version than this package knows.
func (s *Store) Migrate(ctx context.Context, to int) error {
	if to < 0 || to > len(migrations) {
		return fmt.Errorf("there is no version %d of the schema: versions are 0 to %d", to, len(migrations))
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		from, err := s.schema(ctx, tx)
		if err != nil || from == to {
			return err
		}
		for ; from < to; from++ {
			if err := s.execute(ctx, tx, migrations[from].up); err != nil {
				return fmt.Errorf("migrating the database to version %d: %w", from+1, err)
			}
		}
		for ; from > to; from-- {
			if err := s.execute(ctx, tx, migrations[from-1].down); err != nil {
				return fmt.Errorf("migrating the database back to version %d: %w", from-1, err)
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM stanch_schema`); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO stanch_schema (version) VALUES ($1)`, to)
		return err
	})
}

// schema returns the version of the schema, and keeps others from changing it until tx
// ends: several workers may begin at once.
func (s *Store) schema(ctx context.Context, tx *sql.Tx) (version int, err error) {
	if s.postgres {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7382609)`); err != nil {
			return 0, err
		}
	}
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS stanch_schema (version BIGINT NOT NULL)`); err != nil {
		return 0, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM stanch_schema`).Scan(&version); err != nil {
		return 0, err
	}
	if version > len(migrations) {
		return version, fmt.Errorf("the database has version %d of the schema, and this stanch knows %d: it was used by a newer one; use that, or another database", version, len(migrations))
	}
	return version, nil
}

func (s *Store) execute(ctx context.Context, tx *sql.Tx, statements string) error {
	serial := "INTEGER PRIMARY KEY"
	if s.postgres {
		serial = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
		statements = strings.ReplaceAll(statements, "BLOB", "BYTEA")
	}
	for statement := range strings.SplitSeq(strings.ReplaceAll(statements, "SERIAL", serial), ";") {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
