//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// backoff is the pause before the second try. Each further pause is twice as long, and up
// to a quarter more, so that jobs that failed together do not come back together.
type backoff struct {
	pause time.Duration
	now   func() time.Time
}

// NextRetry implements river.ClientRetryPolicy.
func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	pause := b.pause << min(len(job.Errors), 10)
	return b.now().Add(pause + rand.N(pause/4+1))
}

type worker struct {
	river.WorkerDefaults[jobArgs]
	q *Queue
}

// Work implements river.Worker. A repository that a worker has died of is read alone.
func (w *worker) Work(ctx context.Context, job *river.Job[jobArgs]) error {
	a := job.Args
	died := job.Attempt - 1 - len(job.Errors) // of this job
	if !readsRepository(a.What) {
		if died >= maxStarts-1 && a.What != sweep.KindNotify {
			return w.giveUp(ctx, a, fmt.Errorf("it was started %d times, and each time the process ended", died))
		}
		return w.do(ctx, job)
	}
	deaths, err := w.q.deaths(ctx, a.Number)
	if err != nil {
		return storableError(err)
	}
	if died > 0 && deaths >= maxDeaths {
		return w.giveUp(ctx, a, fmt.Errorf("set aside: %d workers in a row died while they read it, for want of memory or by a fault of stanch. It is tried again when it is pushed to, each --look-every, and by run --full", deaths))
	}
	if !w.q.gate.enter(deaths > 0) {
		return w.snooze(ctx, a.What, time.Second)
	}
	defer w.q.gate.leave()
	if deaths > 0 {
		if err := w.q.setAlone(ctx, job.ID); err != nil {
			return storableError(err)
		}
		defer func() { _ = w.q.setAlone(ctx, 0) }()
	}
	err = w.do(ctx, job)
	// A verification reads a few files, and says nothing about the rest.
	if later := (*sweep.Later)(nil); deaths > 0 && a.What == sweep.KindScan && ctx.Err() == nil && !errors.As(err, &later) {
		w.q.survived(ctx, a.Number)
	}
	return err
}

// giveUp ends a job that is not done any more.
func (w *worker) giveUp(ctx context.Context, a jobArgs, why error) error {
	return river.JobCancel(storableError(w.q.engine.GiveUp(ctx, w.job(a), why)))
}

// do does a job, and returns how River shall go on with it.
func (w *worker) do(ctx context.Context, job *river.Job[jobArgs]) error {
	a := job.Args
	w.q.jobs.begin(job.ID, a.What, a.Number)
	defer w.q.jobs.end(job.ID)
	last := len(job.Errors)+1 >= maxTries
	if twin, err := w.q.twinRuns(ctx, job); err == nil && twin {
		return w.snooze(ctx, a.What, time.Second)
	}
	err := w.q.do(ctx, w.job(a), last, func(ctx context.Context, tx *sql.Tx) error {
		return w.complete(ctx, tx, job)
	})
	var later *sweep.Later
	var final *sweep.Final
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // the process ends; another one goes on, now
		return w.snooze(ctx, a.What, 0)
	case errors.As(err, &later):
		return w.snooze(ctx, a.What, later.At.Sub(w.q.config.Store.Now()))
	case errors.Is(err, sweep.ErrTaken):
		return w.waitForOther(ctx, job)
	case last, errors.As(err, &final):
		return river.JobCancel(storableError(err))
	}
	w.q.wakeAfter(ctx, a.What, w.q.pause())
	return storableError(err)
}

// snooze returns the error by which River runs a job again after a pause.
func (w *worker) snooze(ctx context.Context, kind string, pause time.Duration) error {
	pause = max(0, pause)
	w.q.wakeAfter(ctx, kind, pause)
	return river.JobSnooze(pause)
}

// storableError returns err as River can store it: River keeps the text as JSON in the
// row of the job, and errors quote servers.
func storableError(err error) error { return errors.New(database.Storable(err.Error())) }

func (w *worker) job(a jobArgs) sweep.Job {
	return sweep.Job{Kind: a.What, Target: database.Original(a.Target), Number: a.Number, Sweep: a.Sweep, Full: a.Full}
}

func (w *worker) complete(ctx context.Context, tx *sql.Tx, job *river.Job[jobArgs]) error {
	var err error
	if w.q.config.Store.Postgres {
		_, err = river.JobCompleteTx[*riverdatabasesql.Driver](ctx, tx, job)
	} else {
		_, err = river.JobCompleteTx[*riversqlite.Driver](ctx, tx, job)
	}
	return err
}

// waitForOther leaves a job to another worker, which took it while this one was thought to
// be dead. It waits until that one has ended: River would take the end of this job for the
// end of the other.
func (w *worker) waitForOther(ctx context.Context, job *river.Job[jobArgs]) error {
	for {
		row, err := w.q.client.JobGet(ctx, job.ID)
		switch {
		case errors.Is(err, rivertype.ErrNotFound), err == nil && row.FinalizedAt != nil:
			return nil
		case err == nil && (row.State != rivertype.JobStateRunning || row.Attempt == job.Attempt):
			return w.snooze(ctx, job.Args.What, 0) // nobody does it
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
