package sweep

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/refs"
)

const repositoryColumns = `number, id, target, name, page, clone, fork, parent, archived, private, pushed, looked, state, why, at, detector, refs, activity, texts, objects, fetched, sweep, doubt, told, accepted_by, accepted_why, accepted_until, unread`

func scanRepository(scan func(...any) error) (Repository, error) {
	var r Repository
	var fork, archived, private, doubt int
	var pushed, looked, at, activity, until int64
	var packed []byte
	err := scan(&r.Number, &r.ID, &r.Target, &r.Name, &r.WebURL, &r.Clone, &fork, &r.Parent, &archived, &private, &pushed, &looked,
		&r.State, &r.Why, &at, &r.Detector, &packed, &activity, &r.Texts, &r.Objects, &r.Fetched, &r.Sweep, &doubt, &r.Told, &r.Accepted.By, &r.Accepted.Reason, &until, &r.Unread)
	if err != nil {
		return r, err
	}
	r.Fork, r.Archived, r.Private, r.Doubt = fork != 0, archived != 0, private != 0, doubt != 0
	r.Pushed, r.Looked, r.At, r.Activity = database.Time(pushed), database.Time(max(looked, 0)), database.Time(at), database.Time(activity)
	r.Accepted.Until = database.Time(until)
	r.Refs, err = refs.Unpack(packed)
	return r, err
}

// ErrObsolete says that a job has lost its subject: the sweep has ended, or the
// repository was removed.
var ErrObsolete = errors.New("there is no such job any more")

// Lease gives a repository to a job, and takes it away from any other: lease proves to the
// methods that end the job that it still has the repository. The error is ErrObsolete if the
// repository was removed.
func (s *Store) Lease(ctx context.Context, number int64) (r Repository, lease string, err error) {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	lease = hex.EncodeToString(random)
	err = s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := database.Exec(ctx, tx, `UPDATE repository SET lease = $2, waits = 0 WHERE number = $1`, number, lease); err != nil {
			return err
		}
		r, err = scanRepository(database.QueryRow(ctx, tx, `SELECT `+repositoryColumns+` FROM repository WHERE number = $1`, number))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrObsolete
	}
	return r, lease, err
}

// Repository returns the repository with a number. The error is ErrObsolete if it was removed.
func (s *Store) Repository(ctx context.Context, number int64) (Repository, error) {
	r, err := scanRepository(database.QueryRow(ctx, s.SQL, `SELECT `+repositoryColumns+` FROM repository WHERE number = $1`, number))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrObsolete
	}
	return r, err
}

// EndLease ends the lease of a job, as part of tx. The error is ErrTaken if another job has the
// repository now.
func EndLease(ctx context.Context, tx *sql.Tx, number int64, lease string) error {
	result, err := database.Exec(ctx, tx, `UPDATE repository SET lease = '' WHERE number = $1 AND lease = $2`, number, lease)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrTaken)
	}
	return nil
}

// HoldLease returns ErrTaken if another job has the repository now. Otherwise none takes it
// until tx ends.
func HoldLease(ctx context.Context, tx *sql.Tx, number int64, lease string) error {
	result, err := database.Exec(ctx, tx, `UPDATE repository SET lease = lease WHERE number = $1 AND lease = $2`, number, lease)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrTaken)
	}
	return nil
}

// HoldQuiet keeps other jobs from r, and news, until tx ends. The error is ErrTaken if
// another job has r, ErrObsolete if it was removed, and a *Later if there is news since the job
// with this lease has read r from the store: then the host is asked again.
func (s *Store) HoldQuiet(ctx context.Context, tx *sql.Tx, r Repository, lease string) error {
	var held string
	var told int64
	err := database.QueryRow(ctx, tx, `SELECT lease, told FROM repository WHERE number = $1`+s.ForUpdate(), r.Number)(&held, &told)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrObsolete
	case err != nil:
		return err
	case held != lease:
		return ErrTaken
	case told > r.Told:
		return &Later{At: s.Now(), Why: "there is news of it"}
	}
	return nil
}

// PutDue notes that a repository is not done yet, as part of tx.
func (s *Store) PutDue(ctx context.Context, tx *sql.Tx, number int64) error {
	_, err := database.Exec(ctx, tx, `UPDATE repository SET due = 1 WHERE number = $1`, number)
	return err
}

// itsSweep is the number of the last sweep of the target of a repository.
const itsSweep = `COALESCE((SELECT t.sweep FROM target t WHERE t.name = repository.target), repository.sweep)`

// NoteState notes the state of a repository that is not done, waiting or failed, and ends the
// lease of its job. last says that it is not tried again in this sweep: then q gets the forks
// that wait for it. The error is ErrTaken if another job has r now.
func (s *Store) NoteState(ctx context.Context, q Queue, r Repository, lease, state, why string, last bool) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		if err := EndLease(ctx, tx, r.Number, lease); err != nil {
			return err
		}
		if _, err := database.Exec(ctx, tx, `UPDATE repository SET state = $2, why = $3, at = $4, due = $5, parent = $6,
			sweep = CASE WHEN $2 = '`+Failed+`' THEN `+itsSweep+` ELSE sweep END WHERE number = $1`,
			r.Number, state, why, database.Millis(s.Now()), database.Bool(!last), r.Parent); err != nil {
			return err
		}
		if last {
			if err := s.putForks(ctx, tx, q, r.Target, r.Name); err != nil {
				return err
			}
		}
		return s.endIfDone(ctx, tx, r.Target)
	})
}

// NoteFailed notes the failure of a repository that no scan works on. One that a scan has found
// to be gone meanwhile stays gone.
func (s *Store) NoteFailed(ctx context.Context, number int64, why string) error {
	_, err := database.Exec(ctx, s.SQL, `UPDATE repository SET state = $2, why = $3, at = $4, sweep = `+itsSweep+` WHERE number = $1 AND due = 0 AND state <> $5`, number, Failed, why, database.Millis(s.Now()), Gone)
	return err
}

// NoteGone notes that r and its wiki are gone, as part of tx.
func (s *Store) NoteGone(ctx context.Context, tx *sql.Tx, r Repository, why string) error {
	for _, id := range []string{r.ID, r.ID + ".wiki"} {
		if err := s.markGone(ctx, tx, r.Target, id, why); err != nil {
			return err
		}
	}
	return nil
}

// NoteDone is called as part of the transaction that ends the job of a repository of a target,
// after all else: q gets the forks that wait for the repository, and the sweep ends if no
// repository is left.
func (s *Store) NoteDone(ctx context.Context, tx *sql.Tx, q Queue, target, name string) error {
	if err := s.putForks(ctx, tx, q, target, name); err != nil {
		return err
	}
	return s.endIfDone(ctx, tx, target)
}

// markGone notes that a repository is gone, as part of tx.
func (s *Store) markGone(ctx context.Context, tx *sql.Tx, target, id, why string) error {
	_, err := database.Exec(ctx, tx, `UPDATE repository SET state = $3, why = $4, at = CASE WHEN state = $3 THEN at ELSE $5 END, due = 0, doubt = 0, told = 0
		WHERE target = $1 AND id = $2`, target, id, Gone, why, database.Millis(s.Now()))
	return err
}

// PutRepository stores r after a scan, as part of tx. again reports whether there was news
// while the scan ran: then r is still due, and needs another job once this one has ended.
func (s *Store) PutRepository(ctx context.Context, tx *sql.Tx, r Repository, sweep int64) (again bool, err error) {
	packed, err := refs.Pack(r.Refs)
	if err != nil {
		return false, err
	}
	var pushed, told int64
	if err := database.QueryRow(ctx, tx, `SELECT pushed, told FROM repository WHERE number = $1`+s.ForUpdate(), r.Number)(&pushed, &told); err != nil {
		return false, err
	}
	again = pushed != database.Millis(r.Pushed) || told > r.Told
	if _, err := database.Exec(ctx, tx, `UPDATE repository SET state = $2, why = $3, at = $4, detector = $5, refs = $6, parent = $7,
		activity = $8, objects = $9, fetched = $10, looked = $11, sweep = $12, texts = $13, due = $14, told = told - $15,
		unread = $16, doubt = CASE WHEN clone = '' THEN doubt ELSE 0 END, accepted_by = CASE WHEN $2 IN ('`+Failed+`', '`+Incomplete+`') AND (state <> $2 OR why = $3) THEN accepted_by ELSE '' END WHERE number = $1`,
		r.Number, r.State, r.Why, database.Millis(s.Now()), r.Detector, packed, r.Parent,
		database.Millis(r.Activity), r.Objects, r.Fetched, database.Millis(r.Pushed), sweep, r.Texts, database.Bool(again), r.Told, r.Unread); err != nil {
		return false, err
	}
	return again, s.putTips(ctx, tx, r)
}

// PutActivity notes until when the activity of r was read, as part of tx, unless the
// repository was read with other rules meanwhile. why says that some of it could not be read.
func (s *Store) PutActivity(ctx context.Context, tx *sql.Tx, r Repository, detector, why string) error {
	_, err := database.Exec(ctx, tx, `UPDATE repository SET activity = $2, unread = CASE WHEN $4 = '' OR unread <> '' THEN unread ELSE $4 END, state = CASE WHEN $4 = '' OR state = $5 THEN state ELSE $6 END, why = CASE WHEN $4 = '' OR state = $5 THEN why ELSE $4 END
		WHERE number = $1 AND detector = $3 AND activity = 0`, r.Number, database.Millis(r.Activity), detector, why, Failed, Incomplete)
	return err
}

// maxTips is how many tips of a repository are stored to find relatives by. The tip of a
// fork is hardly ever beyond.
const maxTips = 200

// putTips keeps the tips of the branches and tags of r.
func (s *Store) putTips(ctx context.Context, tx *sql.Tx, r Repository) error {
	if _, err := database.Exec(ctx, tx, `DELETE FROM tip WHERE repository = $1`, r.Number); err != nil {
		return err
	}
	for _, id := range refs.Tips(r.Refs, maxTips) {
		object, err := hex.DecodeString(id)
		if err != nil {
			return fmt.Errorf("the id of a ref: %w", err)
		}
		if _, err := database.Exec(ctx, tx, `INSERT INTO tip (object, repository) VALUES ($1, $2)`, object, r.Number); err != nil {
			return err
		}
	}
	return nil
}

// Relatives returns up to three repositories of the same target that detector has read:
// the parent of r, or else those that share a tip with tips. Other targets do not count:
// each has its own report, and may be removed.
func (s *Store) Relatives(ctx context.Context, r Repository, tips map[string]string, detector string) (list []Repository, err error) {
	seen := map[int64]bool{r.Number: true}
	add := func(scan func(...any) error) error {
		relative, err := scanRepository(scan)
		if err == nil && !seen[relative.Number] && len(list) < 3 {
			seen[relative.Number] = true
			list = append(list, relative)
		}
		return err
	}
	if r.Parent != "" {
		if err := database.EachRow(ctx, s.SQL, add, `SELECT `+repositoryColumns+` FROM repository WHERE name = $1 AND detector = $2 AND target = $3`, r.Parent, detector, r.Target); err != nil {
			return nil, err
		}
	}
	ids := refs.Tips(tips, maxTips)
	if len(list) > 0 || len(ids) == 0 {
		return list, nil
	}
	var marks strings.Builder
	args := []any{detector, r.Target}
	for _, id := range ids {
		object, err := hex.DecodeString(id)
		if err != nil {
			return nil, fmt.Errorf("the id of a ref: %w", err)
		}
		args = append(args, object)
		fmt.Fprintf(&marks, ",$%d", len(args))
	}
	// CROSS JOIN makes SQLite begin with the few tips: it would go through all repositories of
	// the target, for each scan.
	err = database.EachRow(ctx, s.SQL, add, `SELECT `+repositoryColumns+` FROM (SELECT DISTINCT repository AS relative FROM tip WHERE object IN (`+marks.String()[1:]+`)) AS related
		CROSS JOIN repository WHERE number = relative AND detector = $1 AND target = $2 ORDER BY number LIMIT 4`, args...)
	return list, err
}

// HasFileLocations reports whether a repository has findings in files.
func (s *Store) HasFileLocations(ctx context.Context, number int64) (bool, error) {
	var n int
	err := database.QueryRow(ctx, s.SQL, `SELECT COUNT(*) FROM (SELECT 1 FROM location WHERE repository = $1 AND path <> '' AND blob <> '' LIMIT 1) AS one`, number)(&n)
	return n > 0, err
}

// Repositories calls each for the repositories of a target, by name; of all targets if
// it is "".
func (s *Store) Repositories(ctx context.Context, target string, each func(Repository) error) error {
	return database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		r, err := scanRepository(scan)
		if err != nil {
			return err
		}
		return each(r)
	}, `SELECT number, id, target, name, page, clone, fork, parent, archived, private, pushed, looked, state, why, at, detector, NULL, activity, texts, objects, fetched, sweep, doubt, told,
		accepted_by, accepted_why, accepted_until, unread FROM repository WHERE $1 = '' OR target = $1 ORDER BY target, name`, target)
}
