package engine

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// Commits that no ref leads to any more are known to the host alone, and asking for them is
// all that the first read of a repository asks the API for. At 5,000 requests an hour that
// would take a day and more for 100,000 repositories. So it is a job of its own, behind all
// others: a first sweep reads everything that refs lead to, and then what they left behind.
//
// Refs do not tell whether a host has to be asked: a branch that was forced back, or that
// was made and deleted, between two looks leaves no trace in them. The time of the last push
// does.

// findLost asks which commits were left behind since the last time. Each such change is a
// push: without one, there is nothing to ask.
func (w *scanJob) findLost(ctx context.Context) (err error) {
	if !w.isRepository() || w.lostLater() || !w.isNews() {
		return nil
	}
	lost, until, err := w.hub.LostCommits(ctx, w.repo.Name, w.repo.Activity)
	if err == nil {
		w.lost, w.repo.Activity = lost, until
	}
	return err
}

// isNews reports whether something has happened to the repository since it was read.
func (w *scanJob) isNews() bool { return w.repo.Told > 0 || !w.repo.Looked.Equal(w.repo.Pushed) }

// lostLater reports whether a job of its own asks for all lost commits of the repository,
// after this one.
func (w *scanJob) lostLater() bool {
	return w.isRepository() && w.hub.TellsLost() && (w.afresh || w.repo.Activity.IsZero())
}

// putLost queues that job, as part of tx.
func (w *scanJob) putLost(ctx context.Context, tx *sql.Tx) error {
	return w.Queue.Put(ctx, tx, []sweep.Job{{Kind: sweep.KindLost, Number: w.repo.Number, Sweep: w.target.Sweep, Rank: sweep.RankFork}})
}

// scanLost reads the commits that the branches of a repository have left behind, as far back
// as the host tells. It needs no lease: it adds findings, and changes nothing that a scan
// beside it reads. If the repository was not read with these rules, or was read anew
// meanwhile, another job follows.
func (e *Engine) scanLost(ctx context.Context, j sweep.Job, last bool, done sweep.Done) (err error) {
	w := &scanJob{Engine: e, job: j}
	if w.repo, err = e.Store.Repository(ctx, j.Number); err != nil {
		return err
	}
	defer w.close(ctx)
	result, err := w.readLost(ctx)
	var later *sweep.Later
	var final *sweep.Final
	switch {
	case errors.As(err, &later), ctx.Err() != nil, errors.Is(err, sweep.ErrNoTarget):
		return err
	case err != nil:
		w.Log.WarnContext(ctx, "commits that branches have left behind could not be read", "repository", w.repo.Name, "err", err)
		if last || errors.As(err, &final) {
			err = errors.Join(err, e.Store.NoteFailed(ctx, j.Number, err.Error()))
		}
		return err
	}
	return e.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := e.Store.PutFindings(ctx, tx, w.repo, result.Findings, false); err != nil {
			return err
		}
		why := ""
		if len(result.Unread) > 0 {
			why = unreadText(result.Unread)
		}
		if err := e.Store.PutActivity(ctx, tx, w.repo, w.Detector, why); err != nil {
			return err
		}
		return done(ctx, tx)
	})
}

// readLost asks for the lost commits of w.repo, fetches them and scans them.
func (w *scanJob) readLost(ctx context.Context) (sweep.Result, error) {
	if w.repo.Detector != w.Detector || !w.repo.Activity.IsZero() {
		return sweep.Result{}, nil
	}
	var err error
	if w.target, err = w.Store.Target(ctx, w.repo.Target); err != nil {
		return sweep.Result{}, err
	}
	if w.hub, err = w.Hub(w.target); err != nil {
		return sweep.Result{}, err
	}
	if w.repo.Name, err = nameAtHost(ctx, w.hub, w.repo); err != nil {
		return sweep.Result{}, err
	}
	lost, until, err := w.hub.LostCommits(ctx, w.repo.Name, time.Time{})
	if err != nil || len(lost) == 0 {
		w.repo.Activity = until
		return sweep.Result{}, err
	}
	w.lost = lost
	url, err := w.cloneURL(ctx)
	if err != nil {
		return sweep.Result{}, err
	}
	remote, err := fetch.Connect(ctx, url)
	if err != nil {
		return sweep.Result{}, w.classify(ctx, err)
	}
	w.repo.Activity = until
	if remote.OnlyWhole() {
		return sweep.Result{}, nil // it was read as a whole, with all that the server gives
	}
	if err := w.fetch(ctx, remote); err != nil {
		return sweep.Result{}, w.classify(ctx, err)
	}
	return w.scanFetched(ctx)
}
