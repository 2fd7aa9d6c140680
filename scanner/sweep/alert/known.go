package alert

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A receiver is gone once stanch has worked without it on more than goneAfter days. No news is
// kept for it then. Days on which no process ran do not count, so neither machines that were off
// nor a clock that jumped make a receiver gone; and it is long enough for a sweep once a week.
const goneAfter = 14

// tidyEvery is how often a process says that it can reach its receivers.
const tidyEvery = time.Minute

// Start makes the receivers known to the database. Call it once, before jobs are done. late are
// those that were not known before, or were gone: they are told of news from now on, and not of
// the live keys that are known already. live counts these keys.
func (a *Alerts) Start(ctx context.Context) (late []string, live int, err error) {
	a.holder, a.fails, a.left = rand.Text(), map[string]time.Time{}, map[string]string{}
	seen := map[string]bool{}
	for _, r := range a.Receivers {
		if seen[r.Name()] {
			return nil, 0, fmt.Errorf("two receivers have the name %s: give their URLs in variables of different names, as in webhook:env:NAME", r.Name())
		}
		seen[r.Name()] = true
	}
	if late, err = a.tidy(ctx); err != nil || len(late) == 0 {
		return nil, 0, err
	}
	err = database.QueryRow(ctx, a.Store.SQL, `SELECT COUNT(*) FROM finding WHERE state = $1 AND ignored = ''`, string(verifier.Live))(&live)
	return late, live, err
}

// tidy notes that this process can reach its receivers, and which days others were without a
// process, and removes news that nobody will be told. It returns the receivers that are late.
func (a *Alerts) tidy(ctx context.Context) (late []string, err error) {
	now := a.Store.Now()
	for _, r := range a.Receivers {
		isLate, err := a.register(ctx, r.Name(), now)
		if err != nil {
			return nil, fmt.Errorf("the receivers of alerts: %w", err)
		}
		if isLate {
			late = append(late, r.Name())
		}
	}
	// Each day counts once, whichever process notes it: a clock that is ahead notes a later day,
	// and until then no other day counts.
	_, err = database.Exec(ctx, a.Store.SQL, `UPDATE receiver SET without = without + 1, day = $1 WHERE day < $1`, dayOf(now))
	if err == nil {
		err = a.clean(ctx, now)
	}
	if err != nil {
		return nil, fmt.Errorf("the receivers of alerts: %w", err)
	}
	a.tidied = now
	return late, nil
}

// register notes that a process can reach a receiver. It reports whether the receiver was not
// known, or gone: to one caller, if several register it at once.
func (a *Alerts) register(ctx context.Context, name string, now time.Time) (late bool, err error) {
	for _, one := range []struct {
		statement string
		args      []any
		isLate    bool // if it changes a row
	}{
		{`INSERT INTO receiver (name, added, seen, digest_ms, day) VALUES ($1, $2, $2, $3, $4) ON CONFLICT (name) DO NOTHING`, []any{name, database.Millis(now), a.Digest.Milliseconds(), dayOf(now)}, true},
		{`UPDATE receiver SET without = 0 WHERE name = $1 AND without > $2`, []any{name, goneAfter}, true},
		{`UPDATE receiver SET seen = $2, digest_ms = $3, day = $4, without = 0 WHERE name = $1`, []any{name, database.Millis(now), a.Digest.Milliseconds(), dayOf(now)}, false},
	} {
		r, err := database.Exec(ctx, a.Store.SQL, one.statement, one.args...)
		if err != nil {
			return false, err
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		late = late || one.isLate && n > 0
	}
	return late, nil
}

// dayOf returns the day of a time in UTC, in days since 1970.
func dayOf(t time.Time) int64 { return database.Millis(t) / (24 * time.Hour).Milliseconds() }

// clean removes news that has ended long ago, or that waits for a digest which nobody sends any
// more, and gives up the news of receivers that are gone.
func (a *Alerts) clean(ctx context.Context, now time.Time) error {
	old := database.Millis(now.Add(-keep))
	_, err := database.Exec(ctx, a.Store.SQL, `DELETE FROM news WHERE ended > 0 AND ended < $1`, old)
	_, digestErr := database.Exec(ctx, a.Store.SQL, `DELETE FROM news WHERE ended = 0 AND urgent = 0 AND delivery = '' AND at < $1
		AND receiver IN (SELECT name FROM receiver WHERE digest_ms = 0)`, old)
	_, goneErr := database.Exec(ctx, a.Store.SQL, `UPDATE news SET ended = $1, lost = 1 WHERE ended = 0
		AND receiver IN (SELECT name FROM receiver WHERE without > $2)`, database.Millis(now), goneAfter)
	return errors.Join(err, digestErr, goneErr)
}

// addressees returns the receivers of news of a change, and those of them that are gone.
func addressees(ctx context.Context, tx *sql.Tx, urgent bool) (present, gone []string, err error) {
	err = database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var name string
		var digest int64
		var without int
		err := scan(&name, &digest, &without)
		switch {
		case !urgent && digest == 0:
		case without > goneAfter:
			gone = append(gone, name)
		default:
			present = append(present, name)
		}
		return err
	}, `SELECT name, digest_ms, without FROM receiver ORDER BY name`)
	return present, gone, err
}

// Forget removes a receiver, and its news that waits. It reports whether there was one. A
// process that still has it makes it known again.
func Forget(ctx context.Context, s *sweep.Store, name string) (there bool, err error) {
	res, err := database.Exec(ctx, s.SQL, `DELETE FROM receiver WHERE name = $1`, name)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
