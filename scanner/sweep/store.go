package sweep

import (
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// A Store keeps targets, repositories and findings in a database. Its methods may be called
// concurrently, by several processes; each is a transaction of its own, unless it is given one.
type Store struct {
	*database.DB
	// Observers are told of changes of findings. They must not change once the store is used.
	Observers []Observer
}

// NewStore returns the store in db. Call Migrate before other methods. Store.Read is db.
func NewStore(db *sql.DB, postgres bool) *Store {
	return &Store{DB: &database.DB{SQL: db, Read: db, Postgres: postgres, Now: time.Now}}
}

// Close closes the database. Transactions that were not committed do not count.
func (s *Store) Close() {
	_ = s.Read.Close() // first: the last connection to a file of SQLite empties its log
	_ = s.SQL.Close()
}

func ignoreError(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}
