package engine

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// lookUp asks the host about a repository that is in doubt: a listing did not have it, or
// the host has told of a change. ended reports that the job is done: the repository is gone,
// or left out.
func (w *scanJob) lookUp(ctx context.Context, done sweep.Done) (ended bool, err error) {
	if !w.repo.Doubt || !w.isRepository() { // a gist is in doubt until its clone answers
		return false, nil
	}
	listed, err := w.hub.Repository(ctx, w.target.Name, w.repo.Name, w.repo.ID)
	if errors.Is(err, sweep.ErrNotThere) {
		return true, w.endGone(ctx, err.Error(), done)
	}
	if err != nil {
		return false, err
	}
	err = w.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := w.Store.HoldQuiet(ctx, tx, w.repo, w.lease); err != nil {
			return err
		}
		jobs, err := w.Store.PutLookedUp(ctx, tx, w.target, listed, w.hub.WebURL, sweep.Selection{Detector: w.Detector, Before: w.Began})
		if err != nil {
			return err
		}
		if ended = listed.Skip != ""; !ended {
			jobs = slices.DeleteFunc(jobs, func(j sweep.Job) bool { return j.Number == w.repo.Number })
			if len(jobs) == 0 {
				return nil
			}
			return w.Queue.Put(ctx, tx, jobs)
		}
		if err := sweep.EndLease(ctx, tx, w.repo.Number, w.lease); err != nil {
			return err
		}
		if err := w.Store.NoteDone(ctx, tx, w.Queue, w.target.Name, w.repo.Name); err != nil {
			return err
		}
		return done(ctx, tx)
	})
	if err != nil || ended {
		return ended, err
	}
	w.repo, err = w.Store.Repository(ctx, w.repo.Number)
	return false, err
}

// endGone notes that the repository is gone, and ends the job.
func (w *scanJob) endGone(ctx context.Context, why string, done sweep.Done) error {
	return w.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := w.Store.HoldQuiet(ctx, tx, w.repo, w.lease); err != nil {
			return err
		}
		if err := sweep.EndLease(ctx, tx, w.repo.Number, w.lease); err != nil {
			return err
		}
		if err := w.Store.NoteGone(ctx, tx, w.repo, why); err != nil {
			return err
		}
		if err := w.Store.NoteDone(ctx, tx, w.Queue, w.target.Name, w.repo.Name); err != nil {
			return err
		}
		return done(ctx, tx)
	})
}
