// Package triage reads and changes the work of people on the findings of sweeps: the status
// of each finding, its owner, a comment, and a history of who changed them. It lists
// findings in parts, filtered and sorted, and counts them.
//
// A status never hides a live key: reports count it whatever its status, and Reopen opens a
// closed finding again when its key comes alive.
package triage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Status says how far people are with a finding.
type Status string

// The statuses. A finding is open until somebody gives it another one. The last three close
// a finding.
const (
	Open         Status = "open"
	Acknowledged Status = "acknowledged" // somebody knows of it, and cannot shut it off yet
	FalseAlarm   Status = "false-alarm"  // it is no leak
	ShutOff      Status = "shut-off"     // somebody has shut the key off
	Fixed        Status = "fixed"        // it is shut off, and all that used it has a new key
)

// Statuses returns all statuses, the open one first.
func Statuses() []Status { return []Status{Open, Acknowledged, FalseAlarm, ShutOff, Fixed} }

// ParseStatus returns the status of a name. The error lists the names.
func ParseStatus(name string) (Status, error) {
	names := make([]string, 0, len(Statuses()))
	for _, s := range Statuses() {
		if string(s) == name {
			return s, nil
		}
		names = append(names, string(s))
	}
	return "", fmt.Errorf("%q is no status: use one of %s", name, strings.Join(names, ", "))
}

// The limits of text, in bytes.
const (
	MaxOwner   = 200
	MaxComment = 4000
)

// MaxFindings is how many findings one Edit may change.
const MaxFindings = 10_000

// A Store reads and changes findings in the database of a sweep. Its methods may be called
// concurrently, and each is a transaction of its own.
type Store struct {
	*sweep.Store
	// HoldsSecret reports whether text holds a secret. Such text is refused. It may be
	// called concurrently, and must not retain text.
	HoldsSecret func(text []byte) bool
}

// An Author is the person who changes findings, and the way: "cli", "page" or "api".
type Author struct{ Name, Via string }

// An Item is a finding to change. If Version is not nil, it is the version of the finding
// that the author has seen, and the change fails if the finding has another one by now.
type Item struct {
	Fingerprint string
	Version     *int64
}

// An Edit says which fields of findings to change: those that are not nil.
type Edit struct {
	Status         *Status
	Owner, Comment *string
	// Until is the last moment of the status; zero is for good. A new status without
	// Until is for good, and an open finding has none.
	Until *time.Time
}

// ErrNoFinding says that the store has no finding with a fingerprint.
var ErrNoFinding = errors.New("there is no finding with the fingerprint")

// An InvalidError says why an Edit cannot be made.
type InvalidError struct{ Field, Why string }

func (e *InvalidError) Error() string { return e.Field + ": " + e.Why }

// A ConflictError names the findings that somebody else, or a sweep, has changed since the
// author looked. Nothing was changed.
type ConflictError struct{ Fingerprints []string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("changed since you looked at it: %s; look again, and repeat the change", list(e.Fingerprints))
}

// list returns some of names for a message.
func list(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// check returns an InvalidError if e, by an author, must not be stored.
func (s *Store) check(e *Edit, by Author) error {
	if strings.TrimSpace(by.Name) == "" {
		return &InvalidError{"author", "a change needs the name of a person"}
	}
	for _, text := range []struct {
		field string
		value *string
		most  int
	}{{"author", &by.Name, MaxOwner}, {"owner", e.Owner, MaxOwner}, {"comment", e.Comment, MaxComment}} {
		switch {
		case text.value == nil:
		case len(*text.value) > text.most:
			return &InvalidError{text.field, fmt.Sprintf("it has %d bytes, and may have %d", len(*text.value), text.most)}
		case s.holdsSecret(*text.value):
			return &InvalidError{text.field, "it holds a secret, or text that looks like one; the database keeps none, so leave it out"}
		}
	}
	switch {
	case e.Status != nil && *e.Status == Open && e.Until != nil && !e.Until.IsZero():
		return &InvalidError{"until", "an open finding has no last day"}
	case e.Until != nil && !e.Until.IsZero() && e.Until.Before(s.Now()):
		return &InvalidError{"until", "that day is over"}
	case e.Until != nil && e.Until.Year() > 9999:
		return &InvalidError{"until", "the year has more than four digits"}
	}
	return nil
}

// holdsSecret reports whether text holds a secret of a known form, or text that the database
// would redact.
func (s *Store) holdsSecret(text string) bool {
	return database.Redact(text) != text || s.HoldsSecret != nil && s.HoldsSecret([]byte(text))
}

// LastMoment returns the last moment of a day, such as "2027-01-31", in UTC: the Until of
// a status that ends with that day.
func LastMoment(day string) (time.Time, error) {
	begin, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a day such as 2027-01-31", day)
	}
	return begin.AddDate(0, 0, 1).Add(-time.Millisecond), nil // the store knows nothing shorter
}

// Reopen is a sweep.Observer. It opens a finding again that was closed, and whose key is
// live now, and an acknowledged one whose key had been off. It counts each change of a state
// as a version, so that a person who has seen the old state cannot change the status by
// mistake.
func Reopen(ctx context.Context, tx *sql.Tx, c sweep.Change) error {
	if c.Before == "" {
		return nil // nobody has seen it yet
	}
	if _, err := database.Exec(ctx, tx, `UPDATE finding SET version = version + 1 WHERE fingerprint = $1`, c.Fingerprint); err != nil {
		return fmt.Errorf("counting the versions of a finding: %w", err)
	}
	if c.After != verifier.Live {
		return nil
	}
	r, err := database.Exec(ctx, tx, `UPDATE finding SET status = 'open', status_by = '', status_until = 0
		WHERE fingerprint = $1 AND (status IN ('false-alarm', 'shut-off', 'fixed') OR status = 'acknowledged' AND $2 = 1)`,
		c.Fingerprint, database.Bool(c.Before == verifier.Invalid || c.Before == verifier.Expired))
	if err != nil {
		return fmt.Errorf("opening a finding again: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return note(ctx, tx, []string{c.Fingerprint}, c.At, Author{Via: "sweep"}, "reopened: live again")
}
