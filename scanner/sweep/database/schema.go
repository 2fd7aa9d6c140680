package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// A migration changes the schema by one version, up or down. BLOB is BYTEA in
// PostgreSQL, SERIAL a key that counts. COLLATE "C" is for PostgreSQL alone, WITHOUT ROWID for
// SQLite. Times are milliseconds since 1970, 0 for never.
type migration struct{ up, down string }

// migrations lead from each version to the next one. A version that was released never
// changes.
var migrations = []migration{first, engine, triage, alerts, memory, webhook, counts, absence, listPages, lastDue, search}

// Version is the version of the schema that this package reads and writes.
func Version() int { return len(migrations) }

// Migrate brings the schema to a version, up or down: 0 removes all. It is an error, and
// nothing is changed, if the database has a newer version than this package knows. A
// database that has the version is only read, so a role that may make no tables will do.
func (d *DB) Migrate(ctx context.Context, to int) error {
	if to < 0 || to > len(migrations) {
		return fmt.Errorf("there is no version %d of the schema: versions are 0 to %d", to, len(migrations))
	}
	if from, err := d.schema(ctx, d.SQL); err != nil || from == to && from > 0 {
		return err
	}
	return d.Tx(ctx, func(tx *sql.Tx) error {
		from, err := d.lockSchema(ctx, tx)
		if err != nil || from == to {
			return err
		}
		for ; from < to; from++ {
			if err := d.execute(ctx, tx, migrations[from].up); err != nil {
				return fmt.Errorf("migrating the database to version %d: %w", from+1, err)
			}
		}
		for ; from > to; from-- {
			if err := d.execute(ctx, tx, migrations[from-1].down); err != nil {
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

// Check returns an error unless the database has the version of the schema that this package
// knows. It only reads.
func (d *DB) Check(ctx context.Context) error {
	switch version, err := d.schema(ctx, d.SQL); {
	case err != nil:
		return err
	case version == 0:
		return errors.New("it has no tables of stanch: \"stanch sweep add\" makes them")
	case version < len(migrations):
		return fmt.Errorf("it has version %d of the schema, and this stanch reads version %d: bring it up to date with \"stanch sweep migrate\", once no earlier stanch uses it", version, len(migrations))
	}
	return nil
}

// Installed returns the version of the schema that the database has, 0 if it has none. An error
// says that the version is newer than this package knows.
func (d *DB) Installed(ctx context.Context) (version int, err error) { return d.schema(ctx, d.SQL) }

// schema returns the version of the schema, 0 if there is none. An error says that the
// version is newer than this package knows.
func (d *DB) schema(ctx context.Context, q Querier) (version int, err error) {
	known := `SELECT COUNT(*) FROM sqlite_master WHERE name = 'stanch_schema'`
	if d.Postgres {
		known = `SELECT COUNT(to_regclass('stanch_schema'))`
	}
	var n int
	if err := q.QueryRowContext(ctx, known).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	if err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM stanch_schema`).Scan(&version); err != nil {
		return 0, err
	}
	if version > len(migrations) {
		return version, fmt.Errorf("the database has version %d of the schema, and this stanch knows %d: it was used by a newer one; use that, or another database", version, len(migrations))
	}
	return version, nil
}

// lockSchema returns the version of the schema, and keeps others from changing it until tx
// ends: several workers may begin at once.
func (d *DB) lockSchema(ctx context.Context, tx *sql.Tx) (version int, err error) {
	if d.Postgres {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7382609)`); err != nil {
			return 0, err
		}
	}
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS stanch_schema (version BIGINT NOT NULL)`); err != nil {
		return 0, err
	}
	return d.schema(ctx, tx)
}

// dialect returns statements in the words of the database, see migration.
func (d *DB) dialect(statements string) string {
	if d.Postgres {
		return strings.NewReplacer("BLOB", "BYTEA", "SERIAL", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", " WITHOUT ROWID", "").Replace(statements)
	}
	return strings.NewReplacer("SERIAL", "INTEGER PRIMARY KEY", ` COLLATE "C"`, "").Replace(statements)
}

func (d *DB) execute(ctx context.Context, tx *sql.Tx, statements string) error {
	for statement := range strings.SplitSeq(d.dialect(statements), ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
