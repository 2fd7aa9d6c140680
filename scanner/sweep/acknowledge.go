package sweep

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// ErrNoFinding says that the store has no finding with the fingerprint; ErrNotAcknowledged,
// that nobody has acknowledged the finding.
var (
	ErrNoFinding       = errors.New("there is no finding")
	ErrNotAcknowledged = errors.New("nobody has acknowledged it")
)

// Acknowledge notes an acknowledgement of a finding by a person. It ends at until, or never
// if that is zero. who is the name of the person, and must not be "".
func (s *Store) Acknowledge(ctx context.Context, fingerprint, who, note string, until time.Time) error {
	if who == "" { // the store would take that for none
		return errors.New("an acknowledgement needs a name")
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := acknowledgedBy(ctx, tx, fingerprint); err != nil {
			return err
		}
		if _, err := database.Exec(ctx, tx, `UPDATE finding SET acknowledged_by = $2, note = $3, acknowledged_until = $4 WHERE fingerprint = $1`, fingerprint, who, note, database.Millis(until)); err != nil {
			return err
		}
		return s.logAction(ctx, tx, who, "acknowledge", fingerprint, note)
	})
}

// Unacknowledge removes an acknowledgement. who is the person who does so, or "".
func (s *Store) Unacknowledge(ctx context.Context, fingerprint, who string) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		by, err := acknowledgedBy(ctx, tx, fingerprint)
		if err == nil && by == "" {
			err = ErrNotAcknowledged
		}
		if err != nil {
			return err
		}
		if _, err := database.Exec(ctx, tx, `UPDATE finding SET acknowledged_by = '', note = '', acknowledged_until = 0 WHERE fingerprint = $1`, fingerprint); err != nil {
			return err
		}
		return s.logAction(ctx, tx, who, "unacknowledge", fingerprint, "")
	})
}

// acknowledgedBy returns the name of the person who has acknowledged a finding, "" for
// nobody.
func acknowledgedBy(ctx context.Context, tx *sql.Tx, fingerprint string) (by string, err error) {
	err = database.QueryRow(ctx, tx, `SELECT acknowledged_by FROM finding WHERE fingerprint = $1`, fingerprint)(&by)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoFinding
	}
	return by, err
}

// logAction notes an action of a person on a finding.
func (s *Store) logAction(ctx context.Context, tx *sql.Tx, who, what, fingerprint, result string) error {
	_, err := database.Exec(ctx, tx, `INSERT INTO action (at, who, what, subject, result) VALUES ($1, $2, $3, $4, $5)`, database.Millis(s.Now()), who, what, fingerprint, result)
	return err
}
