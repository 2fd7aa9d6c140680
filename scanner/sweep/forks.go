package sweep

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// ParkFork has r, a fork, wait without a job for its parent, as part of tx, and ends the lease
// of its job. parked is false if its parent need not be waited for: it was read by detector,
// or is not in the sweep. The error is ErrTaken if another job has r now, and a *Later if
// somebody changes the parent at this moment. It keeps the parent from ending until tx ends,
// or its end would miss the fork; it waits for no lock, as a listing holds those of many
// repositories.
func (s *Store) ParkFork(ctx context.Context, tx *sql.Tx, r Repository, lease, detector string) (parked bool, err error) {
	if due, err := s.parentIsDue(ctx, tx, r, detector); err != nil || !due {
		return false, err
	}
	var held string
	err = database.QueryRow(ctx, tx, `SELECT name FROM repository WHERE target = $1 AND name = $2`+s.forUpdateAtOnce(), r.Target, r.Parent)(&held)
	if errors.Is(err, sql.ErrNoRows) { // or it is not listed yet
		err = database.QueryRow(ctx, tx, `SELECT name FROM target WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM repository WHERE target = $1 AND repository.name = $2)`+s.forUpdateAtOnce(), r.Target, r.Parent)(&held)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return false, &Later{At: s.Now().Add(2 * time.Second), Why: "its parent " + r.Parent + " is being changed"}
	}
	if err != nil {
		return false, err
	}
	// It may have ended since.
	if due, err := s.parentIsDue(ctx, tx, r, detector); err != nil || !due {
		return false, err
	}
	if err := EndLease(ctx, tx, r.Number, lease); err != nil {
		return false, err
	}
	_, err = database.Exec(ctx, tx, `UPDATE repository SET state = $2, why = $3, at = $4, parent = $5, waits = 1 WHERE number = $1`,
		r.Number, Waiting, "for "+r.Parent+", which it is a fork of", database.Millis(s.Now()), r.Parent)
	return err == nil, err
}

// forUpdateAtOnce is ForUpdate, but leaves out rows that others change.
func (s *Store) forUpdateAtOnce() string {
	if s.Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// putForks queues the forks of a target that wait for parent, as part of tx: all forks whose
// parent need not be waited for, if parent is "", and of all targets, if target is "". Those
// that somebody changes at this moment are left for the next time.
func (s *Store) putForks(ctx context.Context, tx *sql.Tx, q Queue, target, parent string) error {
	where, args := `f.waits = 1`, []any{}
	if target != "" {
		where, args = where+` AND f.target = $1`, append(args, target)
	}
	if parent != "" {
		where, args = where+` AND f.parent = $2`, append(args, parent)
	} else {
		where += ` AND NOT EXISTS (SELECT 1 FROM repository p WHERE p.target = f.target AND p.name = f.parent AND p.due = 1 AND p.state NOT IN ('` + Failed + `', '` + Skipped + `'))
			AND (EXISTS (SELECT 1 FROM repository p WHERE p.target = f.target AND p.name = f.parent) OR NOT EXISTS (SELECT 1 FROM ` + listings + ` AND target.name = f.target))`
	}
	var jobs []Job
	err := database.EachRow(ctx, tx, func(scan func(...any) error) error {
		j := Job{Kind: KindScan, Rank: RankFork}
		err := scan(&j.Number, &j.Sweep)
		jobs = append(jobs, j)
		return err
	}, `UPDATE repository SET waits = 0 WHERE number IN (SELECT f.number FROM repository f WHERE `+where+s.forUpdateAtOnce()+`)
		RETURNING number, `+itsSweep, args...)
	if err != nil || len(jobs) == 0 {
		return err
	}
	return q.Put(ctx, tx, jobs)
}

// listings are the targets that are being listed. A list that could not be read holds up no
// fork.
const listings = `target JOIN sweep ON sweep.target = target.name AND sweep.number = target.sweep WHERE complete = 0 AND (why = '' OR wait > 0)`

// parentIsDue reports whether the parent of r has yet to be read by detector in this
// sweep. A parent is older than its fork and has a lower id. The ids are compared because
// names change hands, and two repositories must not wait for each other. A parent that is
// not known yet may stand further down in the list that is being read.
func (s *Store) parentIsDue(ctx context.Context, q database.Querier, r Repository, detector string) (bool, error) {
	if r.Parent == "" {
		return false, nil
	}
	var due, known, listing int
	err := database.QueryRow(ctx, q, `SELECT
		(SELECT COUNT(*) FROM repository WHERE target = $1 AND name = $2 AND due = 1 AND detector <> $3 AND state NOT IN ($4, $5)
			AND (LENGTH(id) < LENGTH($6) OR LENGTH(id) = LENGTH($6) AND id < $6)),
		(SELECT COUNT(*) FROM repository WHERE target = $1 AND name = $2),
		(SELECT COUNT(*) FROM `+listings+` AND target.name = $1)`,
		r.Target, r.Parent, detector, Failed, Skipped, r.ID)(&due, &known, &listing)
	return due > 0 || known == 0 && listing > 0, err
}
