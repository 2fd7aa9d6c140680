//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
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
type backoff time.Duration

// NextRetry implements river.ClientRetryPolicy.
func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	pause := time.Duration(b) << min(len(job.Errors), 10)
	return time.Now().Add(pause + rand.N(pause/4+1))
}

type worker struct {
	river.WorkerDefaults[jobArgs]
	q *Queue
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[jobArgs]) error {
	w.q.jobs.begin(job.ID)
	defer w.q.jobs.end(job.ID)
	a := job.Args
	last := len(job.Errors)+1 >= maxTries
	if job.Attempt >= maxStarts {
		return river.JobCancel(storableError(w.q.engine.GiveUp(ctx, w.job(a), fmt.Errorf("it was started %d times, and each time the process ended", job.Attempt))))
	}
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
		return w.snooze(ctx, a.What, time.Until(later.At))
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

// jobs holds the ids of the jobs that a worker is doing, and when it ended recent ones.
type jobs struct {
	mu sync.Mutex
	at map[int64]time.Time // zero while it is done
}

func (j *jobs) begin(id int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.at == nil {
		j.at = map[int64]time.Time{}
	}
	j.at[id] = time.Time{}
}

func (j *jobs) end(id int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.at[id] = time.Now()
	for other, at := range j.at {
		if !at.IsZero() && time.Since(at) > time.Hour {
			delete(j.at, other)
		}
	}
}

// ended reports whether a job was ended longer ago than d.
func (j *jobs) ended(id int64, d time.Duration) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	at, ok := j.at[id]
	return ok && !at.IsZero() && time.Since(at) > d
}
