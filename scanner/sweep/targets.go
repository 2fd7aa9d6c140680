package sweep

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

const targetColumns = `name, api, options, every_ms, asked, added, begun, ended, full_at, sweep, why, wait,
	COALESCE((SELECT complete FROM sweep WHERE sweep.target = target.name AND sweep.number = target.sweep), 0)`

func scanTarget(scan func(...any) error) (Target, error) {
	var t Target
	var options string
	var every, asked, added, begun, ended, full, wait, complete int64
	err := scan(&t.Name, &t.API, &options, &every, &asked, &added, &begun, &ended, &full, &t.Sweep, &t.Why, &wait, &complete)
	t.Options, t.Every = json.RawMessage(options), time.Duration(every)*time.Millisecond
	t.Asked, t.Listed = database.Time(asked), complete > 0
	t.Added, t.Begun, t.Ended, t.Full, t.Wait = database.Time(added), database.Time(begun), database.Time(ended), database.Time(full), database.Time(wait)
	return t, err
}

// Next returns when the next sweep of t begins, by the last time that one was asked for; zero if
// t has no schedule, or was not swept yet.
func (t *Target) Next() time.Time {
	last := t.Begun
	if t.Asked.After(last) {
		last = t.Asked
	}
	if t.Every == 0 || last.IsZero() {
		return time.Time{}
	}
	return last.Add(t.Every)
}

// FailsToList reports whether the last listing of t has failed, and waits for nothing.
func (t *Target) FailsToList() bool { return t.Why != "" && t.Wait.IsZero() }

// Trouble says for people since when the listing of t fails or waits, and why: "failed
// 2026-11-30 07:00:00: no route"; "" if it does neither.
func (t *Target) Trouble() string {
	switch {
	case t.Why == "":
		return ""
	case t.FailsToList():
		return "failed " + localTime(t.Asked) + ": " + printable.Text(t.Why)
	}
	return "waits until " + localTime(t.Wait) + ": " + printable.Text(t.Why)
}

// PutTarget adds a target, or changes the API, the options and the schedule of one. If the
// options change, the next sweep looks at all repositories. Names that differ in upper and
// lower case alone are one target, since GitHub's are: the name stays as it was added.
func (s *Store) PutTarget(ctx context.Context, t Target) error {
	if kept := database.Redact(t.Name); kept != t.Name {
		return fmt.Errorf("%s looks like a secret, and the database keeps none: rename the repository, or add its owner and leave the others out with a filter", kept)
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		name := t.Name
		err := database.QueryRow(ctx, tx, `SELECT name FROM target WHERE LOWER(name) = LOWER($1)
			ORDER BY CASE WHEN RTRIM(api, '/') = RTRIM($2, '/') THEN 0 ELSE 1 END, CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1`, t.Name, t.API)(&name)
		if err := ignoreError(err, sql.ErrNoRows); err != nil {
			return err
		}
		_, err = database.Exec(ctx, tx, `INSERT INTO target (name, api, options, every_ms, added) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (name) DO UPDATE SET api = excluded.api, options = excluded.options, every_ms = excluded.every_ms,
			full_at = CASE WHEN target.api = excluded.api AND target.options = excluded.options THEN target.full_at ELSE 0 END`,
			name, t.API, string(t.Options), t.Every.Milliseconds(), database.Millis(s.Now()))
		return err
	})
}

// RemoveTarget removes a target, its repositories, and findings that no other target has.
// It reports whether there was one.
func (s *Store) RemoveTarget(ctx context.Context, name string) (there bool, err error) {
	err = s.Tx(ctx, func(tx *sql.Tx) error {
		fingerprints, err := fingerprintsOf(ctx, tx, `SELECT DISTINCT l.fingerprint FROM repository r JOIN location l ON l.repository = r.number WHERE r.target = $1 ORDER BY l.fingerprint`, name)
		if err != nil {
			return err
		}
		r, err := database.Exec(ctx, tx, `DELETE FROM target WHERE name = $1`, name)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		there = n > 0
		for _, statement := range []string{`DELETE FROM sweep WHERE target = $1`, `DELETE FROM list_page WHERE target = $1`, `DELETE FROM repository WHERE target = $1`} {
			if err == nil {
				_, err = database.Exec(ctx, tx, statement, name)
			}
		}
		if err == nil {
			_, err = database.Exec(ctx, tx, `DELETE FROM finding WHERE NOT EXISTS (SELECT 1 FROM location WHERE location.fingerprint = finding.fingerprint)`)
		}
		if err == nil {
			err = s.PutSearch(ctx, tx, fingerprints) // those that another target has, too
		}
		return err
	})
	return there, err
}

// A Loss counts the rows that go with a target.
type Loss struct{ Repositories, Findings, Live, Triaged int }

// String describes l: "12 repositories and 5 findings (2 live, 3 with a status, an owner or
// a comment)".
func (l Loss) String() string {
	said := printable.Plural(l.Repositories, "repository") + " and " + printable.Plural(l.Findings, "finding")
	var parts []string
	if l.Live > 0 {
		parts = append(parts, printable.Thousands(l.Live)+" live")
	}
	if l.Triaged > 0 {
		parts = append(parts, printable.Thousands(l.Triaged)+" with a status, an owner or a comment")
	}
	if len(parts) > 0 {
		said += " (" + strings.Join(parts, ", ") + ")"
	}
	return said
}

// Loss counts the rows that RemoveTarget removes with a target; with "", all rows.
func (s *Store) Loss(ctx context.Context, target string) (l Loss, err error) {
	err = database.QueryRow(ctx, s.SQL, `SELECT COUNT(*) FROM repository WHERE $1 = '' OR target = $1`, target)(&l.Repositories)
	if err != nil {
		return l, err
	}
	return l, database.QueryRow(ctx, s.SQL, `SELECT COUNT(*), COUNT(CASE WHEN state = $2 THEN 1 END), COUNT(CASE WHEN status <> 'open' OR owner <> '' OR comment <> '' THEN 1 END)
		FROM finding WHERE $1 = '' OR EXISTS (SELECT 1 FROM location l JOIN repository r ON r.number = l.repository WHERE l.fingerprint = finding.fingerprint AND r.target = $1)
			AND NOT EXISTS (SELECT 1 FROM location l JOIN repository r ON r.number = l.repository WHERE l.fingerprint = finding.fingerprint AND r.target <> $1)`,
		target, string(verifier.Live))(&l.Findings, &l.Live, &l.Triaged)
}

// Targets returns all targets, by name.
func (s *Store) Targets(ctx context.Context) (targets []Target, err error) {
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		t, err := scanTarget(scan)
		targets = append(targets, t)
		return err
	}, `SELECT `+targetColumns+` FROM target ORDER BY name`)
	return targets, err
}

// ErrNoTarget says that the store has no target of a name.
var ErrNoTarget = errors.New(`there is no such target (see "stanch sweep list")`)

// Target returns the target with a name. The error is ErrNoTarget if there is none.
func (s *Store) Target(ctx context.Context, name string) (Target, error) {
	t, err := scanTarget(database.QueryRow(ctx, s.Read, `SELECT `+targetColumns+` FROM target WHERE name = $1`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return t, fmt.Errorf("%s: %w", name, ErrNoTarget)
	}
	return t, err
}

// isSameTarget returns a *Later if a target was removed and added again since a listing of t
// began: then the job lists the new one, which shares its name. The error is ErrNoTarget if
// it was removed.
func (s *Store) isSameTarget(ctx context.Context, tx *sql.Tx, t Target) error {
	now, err := scanTarget(database.QueryRow(ctx, tx, `SELECT `+targetColumns+` FROM target WHERE name = $1`, t.Name))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", t.Name, ErrNoTarget)
	case err != nil:
		return err
	case !now.Added.Equal(t.Added) || now.Sweep != t.Sweep:
		return &Later{At: s.Now(), Why: "the target was removed and added again"}
	}
	return nil
}

// holdTarget is isSameTarget, and keeps the target as it is until tx ends. It returns a
// *Later, too, unless full, if somebody has asked for a full look since.
func (s *Store) holdTarget(ctx context.Context, tx *sql.Tx, t Target, full bool) error {
	if err := s.lockTarget(ctx, tx, t.Name); err != nil {
		return err
	}
	if err := s.isSameTarget(ctx, tx, t); err != nil || full {
		return err
	}
	var at int64
	if err := database.QueryRow(ctx, tx, `SELECT full_at FROM target WHERE name = $1`, t.Name)(&at); err != nil {
		return err
	}
	if at != database.Millis(t.Full) {
		return &Later{At: s.Now(), Why: "all repositories are to be looked at"}
	}
	return nil
}

// lockTarget keeps others from changing a target until tx ends.
func (s *Store) lockTarget(ctx context.Context, tx *sql.Tx, name string) error {
	var n int64
	return ignoreError(database.QueryRow(ctx, tx, `SELECT sweep FROM target WHERE name = $1`+s.ForUpdate(), name)(&n), sql.ErrNoRows)
}

// Begin begins a sweep of a target now, unless one is under way: then that goes on.
// Repositories that the last sweep did not come to keep their jobs either way.
func (s *Store) Begin(ctx context.Context, q Queue, name string, full bool) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		r, err := database.Exec(ctx, tx, `UPDATE target SET begun = $2, sweep = sweep + 1, ended = 0 WHERE name = $1 AND (sweep = 0 OR ended > 0)`, name, database.Millis(s.Now()))
		if err != nil {
			return err
		}
		var sweep int64
		if err := database.QueryRow(ctx, tx, `SELECT sweep FROM target WHERE name = $1`, name)(&sweep); err != nil {
			return fmt.Errorf("%s: %w", name, ErrNoTarget)
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			if _, err := database.Exec(ctx, tx, `INSERT INTO sweep (target, number, begun, complete) VALUES ($1, $2, $3, 0)`, name, sweep, database.Millis(s.Now())); err != nil {
				return err
			}
		}
		// A job that is already in the queue may cover less.
		if _, err := database.Exec(ctx, tx, `UPDATE target SET asked = $2, full_at = CASE WHEN $3 = 1 THEN 0 ELSE full_at END WHERE name = $1`, name, database.Millis(s.Now()), database.Bool(full)); err != nil {
			return err
		}
		return q.Put(ctx, tx, []Job{{Kind: KindList, Target: name, Sweep: sweep, Full: full}})
	})
}

// maxBegun is how many sweeps one call of BeginDue begins, so that it does not take long.
const maxBegun = 500

// BeginDue begins sweeps of targets with a schedule for which it is time, 500 at most. A
// clock that was set back delays no target by more than its interval. It also queues forks
// whose parent has ended unseen, as by a change of its name. It may be called concurrently,
// by several processes.
func (s *Store) BeginDue(ctx context.Context, q Queue) error {
	var due []string
	// By the last time that it was asked for, not begun: a sweep that takes longer goes on.
	err := database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		due = append(due, name)
		return err
	}, fmt.Sprintf(`SELECT name FROM target WHERE every_ms > 0 AND asked + every_ms <= $1
		UNION ALL SELECT name FROM target WHERE every_ms > 0 AND asked > $1 LIMIT %d`, maxBegun), database.Millis(s.Now()))
	if err != nil {
		return err
	}
	for _, name := range due {
		if err := s.Begin(ctx, q, name, false); err != nil && !errors.Is(err, ErrNoTarget) { // it may have been removed since
			return err
		}
	}
	return s.Tx(ctx, func(tx *sql.Tx) error { return s.putForks(ctx, tx, q, "", "") })
}

// endIfDone ends the sweep of a target if it has been listed and no repository is left.
func (s *Store) endIfDone(ctx context.Context, tx *sql.Tx, target string) error {
	if later, err := s.endsLater(ctx, tx, target); err != nil || later {
		return err
	}
	now := database.Millis(s.Now())
	// The last jobs end one after the other: if two ended at once, each would see the other as
	// still left.
	if err := s.lockTarget(ctx, tx, target); err != nil {
		return err
	}
	_, err := database.Exec(ctx, tx, `UPDATE target SET ended = $2 WHERE name = $1 AND ended = 0
		AND EXISTS (SELECT 1 FROM sweep WHERE sweep.target = $1 AND sweep.number = target.sweep AND complete > 0)
		AND NOT EXISTS (SELECT 1 FROM repository WHERE repository.target = $1 AND due = 1)`, target, now)
	if err == nil {
		_, err = database.Exec(ctx, tx, `UPDATE sweep SET ended = $2 WHERE target = $1 AND ended = 0
			AND EXISTS (SELECT 1 FROM target WHERE name = $1 AND target.sweep = sweep.number AND target.ended > 0)`, target, now)
	}
	return err
}

// endsLater reports whether another job of the target will end after tx, and call endIfDone
// then. Each job changes the row of its repository before it calls that, so a lock on the row of
// one that is due makes its job wait until tx ends, and see the outcome. Without this, all jobs
// of a target would wait for each other at their ends. The repository with the highest number is
// the last of a first sweep: mostly, its job has not begun, and nobody waits. Forks that wait
// have no job, and putForks leaves out rows that are locked.
func (s *Store) endsLater(ctx context.Context, tx *sql.Tx, target string) (bool, error) {
	if !s.Postgres { // SQLite has one writer, which waits for nobody
		return false, nil
	}
	var number int64
	err := database.QueryRow(ctx, tx, `SELECT number FROM repository WHERE target = $1 AND due = 1 AND waits = 0
		ORDER BY number DESC LIMIT 1 FOR SHARE SKIP LOCKED`, target)(&number)
	return err == nil, ignoreError(err, sql.ErrNoRows)
}
