package sweep

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// Limit returns until when a budget is spent, or nil if it is not. A budget has the name of
// Hub.Budget.
func (s *Store) Limit(ctx context.Context, budget string) (*Later, error) {
	var until int64
	later := &Later{}
	err := database.QueryRow(ctx, s.SQL, `SELECT until, why FROM budget WHERE name = $1`, budget)(&until, &later.Why)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	// A limit lasts an hour at most: if a longer one is stored, the clock has been set back
	// since.
	if left := database.Time(until).Sub(s.Now()); left <= 0 || left > 2*time.Hour {
		return nil, nil
	}
	later.At = database.Time(until)
	return later, nil
}

// PutLimit notes for all workers until when a budget is spent.
func (s *Store) PutLimit(ctx context.Context, budget string, l *Later) error {
	_, err := database.Exec(ctx, s.SQL, `INSERT INTO budget (name, until, why) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET until = excluded.until, why = excluded.why`,
		budget, database.Millis(l.At), l.Why)
	return err
}
