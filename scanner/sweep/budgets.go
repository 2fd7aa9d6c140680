package sweep

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// Limit returns until when a budget is spent, by the clock of this process, or nil if it is
// not. A budget has the name of Hub.Budget.
func (s *Store) Limit(ctx context.Context, budget string) (*Later, error) {
	var ms int64
	later := &Later{}
	err := database.QueryRow(ctx, s.SQL, `SELECT until - `+s.sharedNow()+`, why FROM budget WHERE name = $1`, budget)(&ms, &later.Why)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	// A limit lasts an hour at most: if a longer one is stored, the clock has been set back
	// since.
	left := time.Duration(ms) * time.Millisecond
	if left <= 0 || left > 2*time.Hour {
		return nil, nil
	}
	later.At = s.Now().Add(left)
	return later, nil
}

// PutLimit notes for all workers until when a budget is spent. Their clocks may differ: l.At,
// by the clock of this process, says how long it lasts.
func (s *Store) PutLimit(ctx context.Context, budget string, l *Later) error {
	_, err := database.Exec(ctx, s.SQL, `INSERT INTO budget (name, until, why) VALUES ($1, $2 + `+s.sharedNow()+`, $3) ON CONFLICT (name) DO UPDATE SET until = excluded.until, why = excluded.why`,
		budget, l.At.Sub(s.Now()).Milliseconds(), l.Why)
	return err
}

// sharedNow is the time in milliseconds by a clock that all workers share: that of the server,
// or of the one machine that has the file.
func (s *Store) sharedNow() string {
	if s.Postgres {
		return `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`
	}
	return strconv.FormatInt(database.Millis(s.Now()), 10)
}
