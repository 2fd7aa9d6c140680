package sweep

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// A Selection says which unchanged repositories are looked at all the same.
type Selection struct {
	Full bool // all repositories
	All  bool // list all repositories, even after an API page without change
	// Repositories that another detector has read, in an earlier sweep or before this time,
	// are selected.
	Detector string
	Before   time.Time
}

// PutListed notes an API page of a listing of t, as part of tx. It returns jobs for the
// repositories to look at: new ones, those that were pushed to, those that failed, and
// those that sel selects; the caller puts them into the queue. changed reports whether the
// page differs from the last listing. webURL returns the page of a repository that has no
// WebURL. The error is ErrNoTarget if t was removed, and a *Later if it was added again.
func (s *Store) PutListed(ctx context.Context, tx *sql.Tx, t Target, page ListPage, webURL func(string) string, sel Selection) (due []Job, changed bool, err error) {
	if err := s.isSameTarget(ctx, tx, t); err != nil {
		return nil, false, err
	}
	if err := s.keepPage(ctx, tx, t.Name, page); err != nil {
		return nil, false, err
	}
	for _, l := range page.Listed {
		jobs, c, err := s.putListedRepository(ctx, tx, t, l, webURL, sel)
		if err != nil {
			return nil, false, err
		}
		due, changed = append(due, jobs...), changed || c
	}
	return due, changed, nil
}

func (s *Store) putListedRepository(ctx context.Context, tx *sql.Tx, t Target, l Listed, webURL func(string) string, sel Selection) (due []Job, changed bool, err error) {
	number, rank, changed, err := s.upsert(ctx, tx, t, l, cmp.Or(l.WebURL, webURL(l.Name)), sel)
	if err != nil || number == 0 {
		return nil, changed, err
	}
	due = append(due, Job{Kind: KindScan, Number: number, Sweep: t.Sweep, Rank: rank})
	if !l.HasWiki {
		return due, changed, nil
	}
	wiki := l
	// A change of a wiki is no push to its repository, so the wiki has to be looked at.
	wiki.ID, wiki.Name, wiki.HasWiki = l.ID+".wiki", l.Name+".wiki", false
	number, rank, _, err = s.upsert(ctx, tx, t, wiki, webURL(l.Name)+"/wiki", sel)
	if rank == RankPush {
		rank = RankLook
	}
	if number != 0 {
		due = append(due, Job{Kind: KindScan, Number: number, Sweep: t.Sweep, Rank: rank})
	}
	return due, changed, err
}

// upsert notes one repository. The number is 0 if it need not be looked at. changed reports
// whether the repository differs from the last complete listing. A listing of this sweep
// that was cut off does not count: it says nothing about the repositories after its end.
func (s *Store) upsert(ctx context.Context, tx *sql.Tx, t Target, l Listed, page string, sel Selection) (num int64, rank Rank, changed bool, err error) {
	l.Name = database.Redact(l.Name) // as it is stored
	now := database.Millis(s.Now())
	var looked, sweep, pushed, listed, at int64
	var due, deaths int
	var state, name, detector, acceptedBy string
	err = database.QueryRow(ctx, tx, `SELECT number, looked, sweep, pushed, listed, at, due, state, name, detector, deaths, CASE WHEN `+notAccepted("$3")+` THEN '' ELSE accepted_by END FROM repository WHERE target = $1 AND id = $2`+s.ForUpdate(), t.Name, l.ID, now)(
		&num, &looked, &sweep, &pushed, &listed, &at, &due, &state, &name, &detector, &deaths, &acceptedBy)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = database.QueryRow(ctx, tx, `INSERT INTO repository (id, target, name, page, clone, fork, archived, private, pushed, state, at, listed, looked, due)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, -1, 0)
			ON CONFLICT (target, id) DO UPDATE SET listed = excluded.listed RETURNING number`, // news may have come first
			l.ID, t.Name, l.Name, page, l.Clone, database.Bool(l.Fork), database.Bool(l.Archived), database.Bool(l.Private), database.Millis(l.Pushed), New, now, database.Millis(t.Begun))(&num)
		if err != nil {
			return 0, 0, false, err
		}
		looked, state, changed = -1, New, true
	case err != nil:
		return 0, 0, false, err
	default:
		_, err = database.Exec(ctx, tx, `UPDATE repository SET name = $2, page = $3, fork = $4, archived = $5, private = $6, pushed = $7, listed = $8, doubt = 0 WHERE number = $1`,
			num, l.Name, page, database.Bool(l.Fork), database.Bool(l.Archived), database.Bool(l.Private), database.Millis(l.Pushed), database.Millis(t.Begun))
		if err != nil {
			return 0, 0, false, err
		}
		if name != l.Name {
			if err := s.putSearchOf(ctx, tx, num); err != nil {
				return 0, 0, false, err
			}
		}
		changed = pushed != database.Millis(l.Pushed) || name != l.Name || listed == database.Millis(t.Begun) && !t.Listed
	}
	outdated := detector != sel.Detector && (sweep < t.Sweep || at < database.Millis(sel.Before))
	read := looked == database.Millis(l.Pushed) && name == l.Name && !outdated
	switch {
	case l.Skip != "":
		_, err = database.Exec(ctx, tx, `UPDATE repository SET state = $3, why = $4, at = $5, due = 0 WHERE target = $1 AND id IN ($2, $6) AND state <> $7`,
			t.Name, l.ID, Skipped, l.Skip, now, l.ID+".wiki", Gone)
		if err == nil {
			_, err = database.Exec(ctx, tx, `UPDATE repository SET state = $2, why = $3, at = $4, due = 0 WHERE number = $1`, num, Skipped, l.Skip, now)
		}
		return 0, 0, changed, err
	// Set aside: it is tried again after a push, and in a full look of a later sweep.
	case deaths >= MaxDeaths && state == Failed && due == 0 && pushed == database.Millis(l.Pushed) && (!sel.Full || sweep == t.Sweep):
		return 0, 0, changed, nil
	case state == Failed && acceptedBy != "" && pushed == database.Millis(l.Pushed) && !sel.Full && due == 0: // somebody knows
		return 0, 0, changed, nil
	// A listing that was cut off begins again: skip repositories that this sweep has looked at.
	case read && (!sel.Full || sweep == t.Sweep) && due == 0 && state != Failed && state != New && state != Skipped && state != Gone:
		return 0, 0, changed, nil
	}
	_, err = database.Exec(ctx, tx, `UPDATE repository SET due = 1, state = CASE WHEN state = $2 OR state = $3 THEN $4 ELSE state END WHERE number = $1`, num, Skipped, Gone, New)
	return num, rankOf(l, detector, looked), changed, err
}

// putSearchOf has lists find the findings of a repository by its present name, as part of tx.
func (s *Store) putSearchOf(ctx context.Context, tx *sql.Tx, number int64) error {
	fingerprints, err := fingerprintsOf(ctx, tx, `SELECT DISTINCT fingerprint FROM location WHERE repository = $1 ORDER BY fingerprint`, number)
	if err != nil {
		return err
	}
	return s.PutSearch(ctx, tx, fingerprints)
}

// fingerprintsOf returns the fingerprints that a query selects.
func fingerprintsOf(ctx context.Context, tx *sql.Tx, query string, args ...any) (list []string, err error) {
	err = database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var fingerprint string
		err := scan(&fingerprint)
		list = append(list, fingerprint)
		return err
	}, query, args...)
	return list, err
}

// rankOf returns the rank of the scan of a repository that detector, "" for none, has read
// when its last push was the one at looked.
func rankOf(l Listed, detector string, looked int64) Rank {
	switch {
	case detector != "" && looked != database.Millis(l.Pushed):
		return RankPush
	case l.Fork:
		return RankFork
	case detector == "":
		return RankNew
	}
	return RankLook
}

// PutLookedUp notes a repository as its host has shown it by itself, as part of tx. It
// returns jobs for the repository and for its wiki, which is gone if the repository has none
// any more; the caller puts them into the queue.
func (s *Store) PutLookedUp(ctx context.Context, tx *sql.Tx, t Target, l Listed, webURL func(string) string, sel Selection) ([]Job, error) {
	jobs, _, err := s.putListedRepository(ctx, tx, t, l, webURL, sel)
	if err != nil {
		return nil, err
	}
	if _, err := database.Exec(ctx, tx, `UPDATE repository SET doubt = 0, told = CASE WHEN state = $3 THEN 0 ELSE told END WHERE target = $1 AND id = $2`, t.Name, l.ID, Skipped); err != nil {
		return nil, err
	}
	if l.HasWiki || l.Skip != "" {
		return jobs, nil
	}
	return jobs, s.markGone(ctx, tx, t.Name, l.ID+".wiki", "the repository has no wiki any more")
}

// HasOutdated reports whether t has a repository that is not due yet and that sel selects
// because another detector has read it. Repositories that failed are due in each sweep.
func (s *Store) HasOutdated(ctx context.Context, t Target, sel Selection) (bool, error) {
	var n int
	err := database.QueryRow(ctx, s.SQL, `SELECT COUNT(*) FROM repository WHERE target = $1 AND due = 0 AND detector <> $2 AND (sweep < $3 OR at < $4) AND state NOT IN ($5, $6, $7)`,
		t.Name, sel.Detector, t.Sweep, database.Millis(sel.Before), Failed, Gone, Skipped)(&n)
	return n > 0, err
}

// putFailed returns jobs for the repositories that an earlier sweep could not read, on
// whichever API page they are, as part of tx. Each sweep tries them again; those that a
// person has accepted, each full look; and those that are set aside, no sweep.
func (s *Store) putFailed(ctx context.Context, tx *sql.Tx, t Target, sel Selection) (due []Job, err error) {
	err = database.EachRow(ctx, tx, appendJob(&due, t),
		`UPDATE repository SET due = 1 WHERE target = $1 AND state = $2 AND due = 0 AND sweep < $3 AND ($4 = 1 OR `+notAccepted("$5")+`) AND deaths < $6 RETURNING number, fork`,
		t.Name, Failed, t.Sweep, database.Bool(sel.Full), database.Millis(s.Now()), MaxDeaths)
	return due, err
}

// appendJob returns a function that appends to jobs the look at a repository: a row of its
// number and whether it is a fork.
func appendJob(jobs *[]Job, t Target) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		j := Job{Kind: KindScan, Sweep: t.Sweep, Rank: RankLook}
		var fork int
		err := scan(&j.Number, &fork)
		if fork != 0 {
			j.Rank = RankFork
		}
		*jobs = append(*jobs, j)
		return err
	}
}

// NoteListing notes why the listing of a target does not go on, and until when. Without such
// a time, q gets the forks whose parent was not listed: they wait no longer.
func (s *Store) NoteListing(ctx context.Context, q Queue, target, why string, until time.Time) error {
	return s.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := database.Exec(ctx, tx, `UPDATE target SET why = $2, wait = $3 WHERE name = $1`, target, why, database.Millis(until)); err != nil {
			return err
		}
		return s.putForks(ctx, tx, q, target, "")
	})
}

// EndListing notes the end of a listing of t, as part of tx, and keeps t as it is until tx
// ends. It puts the repositories into q that failed in an earlier sweep, those that were not
// listed, and forks that need not wait for their parent any more. The sweep ends if no
// repository is left. The error is ErrNoTarget if t was removed, and a *Later if it was added
// again, or if somebody has asked for a full look since.
func (s *Store) EndListing(ctx context.Context, tx *sql.Tx, q Queue, t Target, sel Selection) error {
	if err := s.holdTarget(ctx, tx, t, sel.Full); err != nil {
		return err
	}
	failed, err := s.putFailed(ctx, tx, t, sel)
	if err != nil {
		return err
	}
	missing, err := s.noteListed(ctx, tx, t, sel)
	if err != nil {
		return err
	}
	if err := s.putForks(ctx, tx, q, t.Name, ""); err != nil {
		return err
	}
	if jobs := append(missing, failed...); len(jobs) > 0 {
		return q.Put(ctx, tx, jobs)
	}
	return nil
}

// noteListed notes the end of a listing, as part of tx. If all were listed, it returns jobs
// that take a second look at repositories that were not on the list: GitHub numbers the
// pages of a list that changes, so a repository that exists may be on none.
func (s *Store) noteListed(ctx context.Context, tx *sql.Tx, t Target, sel Selection) (missing []Job, err error) {
	if sel.All {
		if missing, err = s.putMissing(ctx, tx, t, sel); err != nil {
			return nil, err
		}
	}
	if _, err := database.Exec(ctx, tx, `UPDATE target SET why = '', wait = 0, full_at = CASE WHEN $2 = 1 THEN $3 ELSE full_at END WHERE name = $1`,
		t.Name, database.Bool(sel.Full), database.Millis(s.Now())); err != nil {
		return nil, err
	}
	if _, err := database.Exec(ctx, tx, `UPDATE sweep SET complete = $3 WHERE target = $1 AND number = $2`, t.Name, t.Sweep, 1+database.Bool(sel.Full)); err != nil {
		return nil, err
	}
	return missing, s.endIfDone(ctx, tx, t.Name)
}

// putMissing marks as gone what cannot have been missed by a listing, and returns jobs that
// look up the other repositories that it did not have.
func (s *Store) putMissing(ctx context.Context, tx *sql.Tx, t Target, sel Selection) (jobs []Job, err error) {
	begun, now := database.Millis(t.Begun), database.Millis(s.Now())
	// A wiki is listed with its repository; a listing that is not full may skip both.
	if sel.Full {
		if _, err := database.Exec(ctx, tx, `UPDATE repository SET state = $3, why = 'the repository has no wiki any more', at = $4, due = 0 WHERE target = $1 AND listed <> $2 AND state NOT IN ($3, $5) AND id LIKE '%.wiki'
			AND EXISTS (SELECT 1 FROM repository r WHERE r.target = $1 AND r.listed = $2 AND r.id = SUBSTR(repository.id, 1, LENGTH(repository.id) - 5))`,
			t.Name, begun, Gone, now, Skipped); err != nil {
			return nil, err
		}
	}
	// If no gist is listed, there is none, or the target leaves them out.
	if _, err := database.Exec(ctx, tx, `UPDATE repository SET state = $3, why = 'GitHub does not list it any more', at = $4, due = 0, doubt = 0 WHERE target = $1 AND state <> $3 AND clone <> ''
		AND NOT EXISTS (SELECT 1 FROM repository r WHERE r.target = $1 AND r.clone <> '' AND r.listed = $2)`, t.Name, begun, Gone, now); err != nil {
		return nil, err
	}
	err = database.EachRow(ctx, tx, appendJob(&jobs, t), `UPDATE repository SET due = 1, doubt = 1
		WHERE target = $1 AND listed <> $2 AND state <> $3 AND id NOT LIKE '%.wiki' RETURNING number, fork`, t.Name, begun, Gone)
	return jobs, err
}
