package sweep

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// longestLimit is longer than any limit lasts, which is an hour at most: if a longer one is
// stored, the clock has been set back since.
const longestLimit = 2 * time.Hour

// Limit returns for how long a budget is spent, 0 if it is not, and why. A budget is a number
// of requests that a host answers, by a name that all workers have for it.
func (s *Store) Limit(ctx context.Context, budget string) (left time.Duration, why string, err error) {
	var ms int64
	err = database.QueryRow(ctx, s.SQL, `SELECT until - `+s.sharedNow()+`, why FROM budget WHERE name = $1`, budget)(&ms, &why)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, "", nil
	case err != nil:
		return 0, "", err
	}
	if left = time.Duration(ms) * time.Millisecond; left <= 0 || left > longestLimit {
		return 0, "", nil
	}
	return left, why, nil
}

// PutLimit notes for all workers for how long a budget is spent, and why. A limit that lasts
// longer stays: a token may be over two at once.
func (s *Store) PutLimit(ctx context.Context, budget string, left time.Duration, why string) error {
	now := s.sharedNow()
	_, err := database.Exec(ctx, s.SQL, `INSERT INTO budget (name, until, why) VALUES ($1, $2 + `+now+`, $3) ON CONFLICT (name) DO UPDATE SET until = excluded.until, why = excluded.why
		WHERE budget.until < excluded.until OR budget.until > $4 + `+now, budget, left.Milliseconds(), why, longestLimit.Milliseconds())
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
