// Package engine does the jobs of sweeps: it lists targets, fetches and scans what is new, and
// asks again about open findings. Package sweep says what it finds out and keeps it.
//
// A job may be killed at any moment and run again by another process: its last transaction
// holds its results, and fails if another job has the lease of the repository by then.
package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// An Engine does the jobs. Its fields must not change while it works; its methods may be
// called concurrently, for different jobs.
type Engine struct {
	Store *sweep.Store
	Queue sweep.Queue
	// Hub returns where the repositories of a target are.
	Hub func(sweep.Target) (sweep.Hub, error)
	// Scan searches a source, whose locations are shown below the URL page. It must not
	// retain the source.
	Scan func(ctx context.Context, src scanner.Source, page string) (sweep.Result, error)
	// Detector is the version of the rules and flags that Scan uses. If another detector
	// has read a repository in an earlier sweep, or before Began, the start of this
	// process, the repository is read again. Workers of one fleet may differ during an
	// update; within a sweep, they do not reread what the others have read.
	Detector string
	Began    time.Time
	// Verifies reports whether Scan asks AWS whether a key is live.
	Verifies bool
	// Temp is the folder for fetched repositories until they are scanned, "" for the
	// system's.
	Temp string
	// MaxFetch is the most bytes that may be fetched for one repository, 0 for any number.
	MaxFetch int64
	// MaxBlobSize is gitsource.Repository's.
	MaxBlobSize int64
	// LookEvery is how often repositories are looked at although GitHub lists no push:
	// wikis and refs of pull requests change without one.
	LookEvery time.Duration
	// Notify does jobs of KindNotify, and Collect returns the context and the Done for another
	// job, whose changes of findings are told (alert.Alerts). Both may be nil.
	Notify  func(context.Context, sweep.Job, sweep.Done) error
	Collect func(context.Context, sweep.Done) (context.Context, sweep.Done)
	Log     *slog.Logger
	// Fetched is told how long it took to fetch from a repository what is new. It may be nil,
	// and may be called concurrently.
	Fetched func(took time.Duration)
}

// timeFetch tells Fetched of a fetch that began at a time.
func (e *Engine) timeFetch(began time.Time) {
	if e.Fetched != nil {
		e.Fetched(time.Since(began))
	}
}

// Do does a job. last is set for its last try: then a repository that cannot be read is
// noted as failed. An error that is a *Later is no failure.
func (e *Engine) Do(ctx context.Context, j sweep.Job, last bool, done sweep.Done) error {
	var err error
	if e.Collect != nil {
		ctx, done = e.Collect(ctx, done)
	}
	switch j.Kind {
	case sweep.KindNotify:
		if e.Notify == nil { // another process tells the receivers
			return e.Store.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
		}
		return e.Notify(ctx, j, done)
	case sweep.KindList:
		err = e.list(ctx, j, done)
	case sweep.KindScan:
		err = e.scanRepository(ctx, j, last, done)
	case sweep.KindLost:
		err = e.scanLost(ctx, j, last, done)
	case sweep.KindVerify:
		err = e.verify(ctx, j, last, done)
	default:
		err = fmt.Errorf("%q is not a kind of job: it was put into the database by a newer stanch", j.Kind)
	}
	if errors.Is(err, sweep.ErrObsolete) || errors.Is(err, sweep.ErrNoTarget) { // there is nothing left to do
		return e.Store.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
	}
	return err
}

// GiveUp notes that a job has failed for good, with the reason.
func (e *Engine) GiveUp(ctx context.Context, j sweep.Job, why error) error {
	switch j.Kind {
	case sweep.KindNotify: // alert.Alerts puts it again, and knows what waits
		return why
	case sweep.KindList:
		return errors.Join(why, e.Store.NoteListing(ctx, e.Queue, j.Target, why.Error(), time.Time{}))
	case sweep.KindLost, sweep.KindVerify:
		return errors.Join(why, e.Store.NoteFailed(ctx, j.Number, why.Error()))
	}
	r, lease, err := e.Store.Lease(ctx, j.Number)
	if err == nil {
		err = e.Store.NoteState(ctx, e.Queue, r, lease, sweep.Failed, why.Error(), true)
	}
	return errors.Join(why, err)
}

// list lists a target. It queues the repositories to look at on each API page before it
// asks for the next one.
func (e *Engine) list(ctx context.Context, j sweep.Job, done sweep.Done) error {
	t, err := e.Store.Target(ctx, j.Target)
	if err != nil {
		return err
	}
	if !t.Ended.IsZero() { // the job may be older than the sweep: there is one at a time
		return sweep.ErrObsolete
	}
	sel, err := e.selectionFor(ctx, t, j.Full)
	if err != nil {
		return err
	}
	if err := e.listRepositories(ctx, t, sel); err != nil {
		return e.waitOrFail(ctx, t, err)
	}
	return e.Store.Tx(ctx, func(tx *sql.Tx) error { return e.endList(ctx, tx, t, sel, done) })
}

// endList ends the listing of t, and its job. Repositories that failed or were not listed are
// looked at.
func (e *Engine) endList(ctx context.Context, tx *sql.Tx, t sweep.Target, sel sweep.Selection, done sweep.Done) error {
	if err := e.Store.EndListing(ctx, tx, e.Queue, t, sel); err != nil {
		return err
	}
	if err := e.putVerify(ctx, tx, t); err != nil {
		return err
	}
	return done(ctx, tx)
}

// selectionFor returns the selection for the next listing of t. If another detector has
// read a part of it, all repositories are listed. That costs little compared with reading
// again, and shows which repositories are gone.
func (e *Engine) selectionFor(ctx context.Context, t sweep.Target, full bool) (sel sweep.Selection, err error) {
	sel = sweep.Selection{Detector: e.Detector, Before: e.Began}
	sel.Full = full || e.Store.Now().Sub(t.Full) >= e.LookEvery || t.Full.After(e.Store.Now())
	if sel.All = sel.Full; !sel.All {
		sel.All, err = e.Store.HasOutdated(ctx, t, sel)
	}
	return sel, err
}

// listRepositories queues the repositories that sel selects and those that have changed.
func (e *Engine) listRepositories(ctx context.Context, t sweep.Target, sel sweep.Selection) error {
	hub, err := e.Hub(t)
	if err != nil {
		return err
	}
	known := func(ctx context.Context, url string) ([]byte, error) { return e.Store.KnownPage(ctx, t.Name, url) }
	if !sel.All {
		return hub.Repositories(ctx, t.Name, known, func(page sweep.ListPage) (bool, error) { return e.putListed(ctx, t, hub, page, sel) })
	}
	listed, err := e.listAll(ctx, t, hub, known, sel)
	if err == nil {
		err = hub.Gists(ctx, t.Name, known, func(page sweep.ListPage) error {
			listed += len(page.Listed)
			_, err := e.putListed(ctx, t, hub, page, sel)
			return err
		})
	}
	// With a token that has lost its rights, GitHub lists nothing, and no error.
	if err == nil && listed == 0 {
		err = errors.New("GitHub lists no repository: check the permissions of the token")
	}
	return err
}

// maxListings is how often a list that changes meanwhile is read.
const maxListings = 3

// listAll queues all repositories, and returns how many there are. GitHub numbers the pages
// of a list that changes: if a repository is removed, the first of each later page moves to
// a page that was read already; if one is pushed to, it moves to the first page. So as
// many repositories have to be seen as there were when the list began, or it is read again.
// A list sorted by id shifts as well if a repository is removed, and has the latest push on
// no certain page.
func (e *Engine) listAll(ctx context.Context, t sweep.Target, hub sweep.Hub, known sweep.KnownPage, sel sweep.Selection) (int, error) {
	want, err := hub.Count(ctx, t.Name)
	if err != nil {
		return 0, err
	}
	seen := map[string]bool{}
	for round := range maxListings {
		before, pages := len(seen), 0
		err := hub.Repositories(ctx, t.Name, known, func(page sweep.ListPage) (bool, error) {
			pages++
			page.Listed = slices.DeleteFunc(page.Listed, func(l sweep.Listed) bool { return seen[l.ID] })
			for _, l := range page.Listed {
				seen[l.ID] = true
			}
			more, err := e.putListed(ctx, t, hub, page, sel)
			return more && (round == 0 || want < 0 || len(seen) < want), err
		})
		switch {
		case err != nil:
			return len(seen), err
		case pages < 2, want >= 0 && len(seen) >= want, want < 0 && round > 0 && len(seen) == before:
			return len(seen), nil
		}
	}
	return len(seen), nil
}

// waitOrFail notes why a listing has not come to its end.
func (e *Engine) waitOrFail(ctx context.Context, t sweep.Target, err error) error {
	why, until := err.Error(), time.Time{}
	var later *sweep.Later
	if errors.As(err, &later) {
		why, until = later.Why, later.At
	}
	return errors.Join(err, e.Store.NoteListing(context.WithoutCancel(ctx), e.Queue, t.Name, why, until))
}

func (e *Engine) putListed(ctx context.Context, t sweep.Target, hub sweep.Hub, page sweep.ListPage, sel sweep.Selection) (more bool, err error) {
	err = e.Store.Tx(ctx, func(tx *sql.Tx) error {
		due, changed, err := e.Store.PutListed(ctx, tx, t, page, hub.WebURL, sel)
		if err != nil {
			return err
		}
		// The list begins with the latest push: after an API page without change there is
		// none.
		more = sel.All || changed
		if len(due) == 0 {
			return nil
		}
		return e.Queue.Put(ctx, tx, due)
	})
	return more, err
}

// putVerify queues jobs that verify again the findings which were open when the sweep
// began.
func (e *Engine) putVerify(ctx context.Context, tx *sql.Tx, t sweep.Target) error {
	if !e.Verifies {
		return nil
	}
	numbers, err := e.Store.RepositoriesToVerify(ctx, tx, t.Name, t.Begun)
	if err != nil || len(numbers) == 0 {
		return err
	}
	jobs := make([]sweep.Job, len(numbers))
	for i, n := range numbers {
		jobs[i] = sweep.Job{Kind: sweep.KindVerify, Number: n, Sweep: t.Sweep}
	}
	return e.Queue.Put(ctx, tx, jobs)
}
