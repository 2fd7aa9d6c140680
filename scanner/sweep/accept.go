package sweep

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// An Acceptance says that a person knows that a repository cannot be read, or a part of it.
// Reports name it, and do not count it as unread.
type Acceptance struct {
	By, Reason string
	Until      time.Time // zero for good
}

// ErrNotUnread says that no repository of a name failed or is incomplete; ErrNotAccepted, that
// nobody has accepted it.
var (
	ErrNotUnread   = errors.New("there is no repository of that name that could not be read")
	ErrNotAccepted = errors.New("nobody has accepted that it cannot be read")
)

// IsAccepted reports whether a person has accepted, for now, that r cannot be read.
func (r *Repository) IsAccepted(now time.Time) bool {
	return r.Accepted.By != "" && (r.Accepted.Until.IsZero() || r.Accepted.Until.After(now)) && (r.State == Failed || r.State == Incomplete)
}

// String says who has accepted it, until when and why.
func (a Acceptance) String() string {
	text := "accepted by " + a.By
	if !a.Until.IsZero() {
		text += " until " + a.Until.UTC().Format(time.DateOnly)
	}
	return text + ": " + a.Reason
}

// Accept notes, for the repositories of all targets with a name, that a person knows that they
// cannot be read: owner/name in any case. They are tried again at each full look, and after a
// push. The acceptance ends by itself when the repository can be read, or when other parts
// of it cannot. The error is ErrNotUnread if there is no such repository that failed or is
// incomplete.
func (s *Store) Accept(ctx context.Context, name string, a Acceptance) error {
	if a.By == "" || a.Reason == "" {
		return errors.New("an acceptance needs the name of a person, and a reason")
	}
	if database.Redact(a.By) != a.By || database.Redact(a.Reason) != a.Reason {
		return errors.New("the name of the person or the reason looks like a secret, and the database keeps none: leave it out")
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		result, err := database.Exec(ctx, tx, `UPDATE repository SET accepted_by = $2, accepted_why = $3, accepted_until = $4 WHERE LOWER(name) = LOWER($1) AND state IN ($5, $6)`,
			name, a.By, a.Reason, database.Millis(a.Until), Failed, Incomplete)
		if err != nil {
			return err
		}
		return oneOrMore(result, ErrNotUnread)
	})
}

// Unaccept takes back what Accept has noted.
func (s *Store) Unaccept(ctx context.Context, name string) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		result, err := database.Exec(ctx, tx, `UPDATE repository SET accepted_by = '', accepted_why = '', accepted_until = 0 WHERE LOWER(name) = LOWER($1) AND accepted_by <> ''`, name)
		if err != nil {
			return err
		}
		return oneOrMore(result, ErrNotAccepted)
	})
}

// oneOrMore returns none if a statement has changed no row.
func oneOrMore(result sql.Result, none error) error {
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("the database: %w", err)
	}
	if n == 0 {
		return none
	}
	return nil
}

// notAccepted is true for a repository of which nobody has accepted that it cannot be read,
// at a time that is its parameter.
func notAccepted(parameter string) string {
	return `(accepted_by = '' OR accepted_until <> 0 AND accepted_until <= ` + parameter + `)`
}
