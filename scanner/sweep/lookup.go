package sweep

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// lookUp asks the host about a repository that is in doubt: a listing did not have it, or
// the host has told of a change. ended reports that the job is done: the repository is gone,
// or left out.
func (w *scanJob) lookUp(ctx context.Context, done Done) (ended bool, err error) {
	if !w.repo.Doubt || !w.isRepository() { // a gist is in doubt until its clone answers
		return false, nil
	}
	listed, err := w.hub.Repository(ctx, w.target.Name, w.repo.Name, w.repo.ID)
	if errors.Is(err, ErrNotThere) {
		return true, w.endGone(ctx, err.Error(), done)
	}
	if err != nil {
		return false, err
	}
	err = w.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := w.holdLease(ctx, tx); err != nil {
			return err
		}
		jobs, err := w.Store.putLookedUp(ctx, tx, w.target, listed, w.hub.WebURL, selection{detector: w.Detector, before: w.Began})
		if err != nil {
			return err
		}
		if ended = listed.Skip != ""; !ended {
			jobs = slices.DeleteFunc(jobs, func(j Job) bool { return j.Number == w.repo.Number })
			if len(jobs) == 0 {
				return nil
			}
			return w.Queue.Put(ctx, tx, jobs)
		}
		if err := endLease(ctx, tx, w.repo.Number, w.lease); err != nil {
			return err
		}
		if err := w.Store.putForks(ctx, tx, w.Queue, w.target.Name, w.repo.Name); err != nil {
			return err
		}
		if err := w.Store.endIfDone(ctx, tx, w.target.Name); err != nil {
			return err
		}
		return done(ctx, tx)
	})
	if err != nil || ended {
		return ended, err
	}
	w.repo, err = w.Store.repository(ctx, w.repo.Number)
	return false, err
}

// putLookedUp notes a repository as its host has shown it by itself, as part of tx. It
// returns jobs for the repository and for its wiki, which is gone if the repository has none
// any more.
func (s *Store) putLookedUp(ctx context.Context, tx *sql.Tx, t Target, l Listed, webURL func(string) string, sel selection) ([]Job, error) {
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

// endGone notes that the repository is gone, and ends the job.
func (w *scanJob) endGone(ctx context.Context, why string, done Done) error {
	return w.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := w.holdLease(ctx, tx); err != nil {
			return err
		}
		if err := endLease(ctx, tx, w.repo.Number, w.lease); err != nil {
			return err
		}
		for _, id := range []string{w.repo.ID, w.repo.ID + ".wiki"} {
			if err := w.Store.markGone(ctx, tx, w.target.Name, id, why); err != nil {
				return err
			}
		}
		if err := w.Store.putForks(ctx, tx, w.Queue, w.target.Name, w.repo.Name); err != nil {
			return err
		}
		if err := w.Store.endIfDone(ctx, tx, w.target.Name); err != nil {
			return err
		}
		return done(ctx, tx)
	})
}

// markGone notes that a repository is gone, as part of tx.
func (s *Store) markGone(ctx context.Context, tx *sql.Tx, target, id, why string) error {
	_, err := database.Exec(ctx, tx, `UPDATE repository SET state = $3, why = $4, at = CASE WHEN state = $3 THEN at ELSE $5 END, due = 0, doubt = 0, told = 0
		WHERE target = $1 AND id = $2`, target, id, Gone, why, database.Millis(s.Now()))
	return err
}

// holdLease keeps other jobs from the repository, and news, until tx ends. The error is
// ErrTaken if another job has it, and a *Later if there is news since this job began: then
// the host is asked again.
func (w *scanJob) holdLease(ctx context.Context, tx *sql.Tx) error {
	var lease string
	var told int64
	err := database.QueryRow(ctx, tx, `SELECT lease, told FROM repository WHERE number = $1`+w.Store.ForUpdate(), w.repo.Number)(&lease, &told)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errObsolete
	case err != nil:
		return err
	case lease != w.lease:
		return ErrTaken
	case told > w.repo.Told:
		return &Later{At: w.Store.Now(), Why: "there is news of it"}
	}
	return nil
}
