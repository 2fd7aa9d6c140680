//go:build sweep

package riverqueue

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/joblog"
)

// The outcomes of jobs, as Config.Ended is told.
const (
	Done    = "done"
	Later   = "later"   // put off, until GitHub or a parent lets it go on
	Failed  = "failed"  // it may be tried again
	Stopped = "stopped" // the process ends, and another one goes on
)

// An observed worker tells the log and Config.Ended of each job.
type observed struct{ worker }

// Work implements river.Worker.
func (o *observed) Work(ctx context.Context, job *river.Job[jobArgs]) error {
	a := job.Args
	attributes := []slog.Attr{slog.Int64("job", job.ID), slog.String("kind", a.What), slog.Int("attempt", job.Attempt)}
	if a.Target != "" {
		attributes = append(attributes, slog.String("target", database.Original(a.Target)))
	}
	if a.Number != 0 {
		attributes = append(attributes, slog.Int64("number", a.Number))
	}
	began := time.Now()
	err := o.worker.Work(joblog.With(ctx, attributes...), job)
	took, outcome := time.Since(began), Done
	var snoozed *river.JobSnoozeError
	switch {
	case ctx.Err() != nil && err != nil:
		outcome = Stopped
	case errors.As(err, &snoozed):
		outcome = Later
	case err != nil:
		outcome = Failed
	}
	o.q.log().DebugContext(joblog.With(ctx, attributes...), "a job has ended", "outcome", outcome, "seconds", took.Seconds())
	if o.q.config.Ended != nil {
		o.q.config.Ended(a.What, outcome, took)
	}
	return err
}

// Jobs counts the jobs in the queue of a store that are not done.
func Jobs(ctx context.Context, s *sweep.Store) (list []sweep.JobStatus, err error) {
	wait := `COALESCE(MAX(CASE WHEN state = 'available' THEN unixepoch('subsec') - unixepoch(scheduled_at, 'subsec') END), 0)`
	if s.Postgres {
		wait = `COALESCE(MAX(CASE WHEN state = 'available' THEN extract(epoch FROM now() - scheduled_at) END), 0)`
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var j sweep.JobStatus
		var seconds float64
		err := scan(&j.Kind, &j.State, &j.Count, &seconds)
		j.Wait = time.Duration(max(0, seconds) * float64(time.Second))
		list = append(list, j)
		return err
	}, `SELECT queue, CAST(state AS TEXT), COUNT(*), CAST(`+wait+` AS REAL) FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') GROUP BY queue, state`)
	return list, err
}
