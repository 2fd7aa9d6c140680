//go:build sweep

package riverqueue

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// watch tells the other workers that this one lives, takes over jobs of dead ones, and
// begins sweeps that are due, until ctx ends or, with once, no job is left. With once it
// also ends if it cannot write to the database for too long: the disk may be full.
func (q *Queue) watch(ctx context.Context, once bool) error {
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	var t trouble
	// The sign of life is apart from the rest: to begin the sweeps of many targets may take
	// longer than a worker may be silent.
	often := min(q.silence()/6, 5*time.Second)
	loops := []struct {
		each time.Duration
		do   func(context.Context) error
	}{{often, q.beat}, {often, q.rescue}, {often, func(ctx context.Context) error { return q.config.Store.BeginDue(ctx, q) }}, {time.Hour, q.tidy}}
	for i, loop := range loops {
		beside.Go(func() {
			for ctx.Err() == nil {
				pause, err := loop.each, loop.do(ctx)
				if t.note(i, err) && ctx.Err() == nil {
					q.log().Warn("the database has failed", "err", err)
				}
				if err != nil { // an hour would count as an hour of trouble
					pause = often
				}
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
		})
	}
	return q.waitForEnd(ctx, once, &t)
}

// waitForEnd returns when ctx ends or, with once, when no job is left.
func (q *Queue) waitForEnd(ctx context.Context, once bool, t *trouble) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for asked := (time.Time{}); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		// While a job of this process runs, there is one left.
		if !once || q.jobs.anyRuns() && time.Since(asked) < time.Second {
			continue
		}
		asked = time.Now()
		if left, err := q.anyLeft(ctx); err == nil && !left {
			return nil
		}
		if since, err := t.failing(); err != nil && time.Since(since) > q.silence() {
			return fmt.Errorf("the database keeps failing: %w", err)
		}
	}
}

// trouble holds since when loops have failed.
type trouble struct {
	mu    sync.Mutex
	since map[int]time.Time
	err   error // the last one
}

// note notes the outcome of a loop's turn, and reports whether it has begun to fail.
func (t *trouble) note(loop int, err error) (news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, failing := t.since[loop]
	switch {
	case err == nil:
		delete(t.since, loop)
	case !failing:
		if t.since == nil {
			t.since = map[int]time.Time{}
		}
		t.since[loop] = time.Now()
	}
	if err != nil {
		t.err = err
	}
	return err != nil && !failing
}

// failing returns since when a loop has failed, and the last error; nil if none fails.
func (t *trouble) failing() (since time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, at := range t.since {
		if err == nil || at.Before(since) {
			since, err = at, t.err
		}
	}
	return since, err
}

// The states of jobs that are not done, as a list in SQL.
const unfinished = `('available', 'pending', 'retryable', 'running', 'scheduled')`

// Open returns how many jobs are not done. It counts them: with 100,000 jobs PostgreSQL
// needs 50 ms.
func (q *Queue) Open(ctx context.Context) (n int, err error) {
	err = database.QueryRow(ctx, q.config.Store.SQL, `SELECT COUNT(*) FROM river_job WHERE state IN `+unfinished)(&n)
	return n, err
}

// anyLeft reports whether there is a job that is not done. An index answers.
func (q *Queue) anyLeft(ctx context.Context) (bool, error) {
	var n int
	err := database.QueryRow(ctx, q.config.Store.SQL, `SELECT COUNT(*) FROM (SELECT 1 FROM river_job WHERE state IN `+unfinished+` LIMIT 1) AS one`)(&n)
	return n > 0, err
}
