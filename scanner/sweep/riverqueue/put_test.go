//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// databases are the functions that open an empty database of each kind.
func databases() map[string]func(*testing.T) *sweep.Store {
	return map[string]func(*testing.T) *sweep.Store{
		"sqlite":     func(t *testing.T) *sweep.Store { t.Helper(); return openStore(t) },
		"postgresql": func(t *testing.T) *sweep.Store { t.Helper(); return openStore(t, sweeptest.StartPostgres(t).URL) },
	}
}

// queue returns the queue of a store.
func queue(t *testing.T, s *sweep.Store) *Queue {
	t.Helper()
	q, err := New(Config{Store: s, Pause: time.Millisecond, Silence: time.Second, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// put puts jobs into the queue, in a transaction of their own.
func put(t *testing.T, q *Queue, jobs ...sweep.Job) {
	t.Helper()
	if err := q.config.Store.Tx(t.Context(), func(tx *sql.Tx) error { return q.Put(t.Context(), tx, jobs) }); err != nil {
		t.Fatal(err)
	}
}

// text returns the rows of a query of one column, in one text.
func text(t *testing.T, s *sweep.Store, query string) (all string) {
	t.Helper()
	err := database.EachRow(t.Context(), s.SQL, func(scan func(...any) error) error {
		var one string
		err := scan(&one)
		all += one + " "
		return err
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPutRaises: a job that waits at the rank of the daily look gets the rank of a push,
// and no job gets a lower rank than it has.
func TestPutRaises(t *testing.T) {
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			q := queue(t, s)
			scan := func(r sweep.Rank) sweep.Job { return sweep.Job{Kind: sweep.KindScan, Number: 1, Rank: r} }
			put(t, q, scan(sweep.RankLook), sweep.Job{Kind: sweep.KindScan, Number: 2, Rank: sweep.RankFork})
			put(t, q, scan(sweep.RankFork), scan(sweep.RankPush), scan(sweep.RankLook))
			if got := text(t, s, `SELECT priority FROM river_job ORDER BY id`); got != "1 4 " {
				t.Errorf("priorities %s", got)
			}
			put(t, q, scan(sweep.RankLook))
			if got := text(t, s, `SELECT priority FROM river_job ORDER BY id`); got != "1 4 " {
				t.Errorf("priorities %s", got)
			}
		})
	}
}

// TestPutWhileRunning: a push to a repository that is being read is read after that, once,
// by one job at a time; a second listing of it is no such job.
func TestPutWhileRunning(t *testing.T) {
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			q := queue(t, s)
			job := sweep.Job{Kind: sweep.KindNotify, Target: "team"}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			runs, goOn := make(chan int), make(chan struct{})
			q.do = func(ctx context.Context, _ sweep.Job, _ bool, done sweep.Done) error {
				runs <- 1
				<-goOn
				return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
			}
			ended := make(chan error)
			go func() { ended <- q.Run(ctx, nil, true) }()
			put(t, q, job)
			<-runs
			put(t, q, job)
			put(t, q, job)
			select {
			case <-runs:
				t.Fatal("two jobs for one receiver at once")
			case <-time.After(1500 * time.Millisecond):
			}
			goOn <- struct{}{}
			<-runs
			goOn <- struct{}{}
			select {
			case <-runs:
				t.Error("a third job")
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestSlowReceivers: receivers that hang hold up no other one.
func TestSlowReceivers(t *testing.T) {
	s := openStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	q, told := queue(t, s), make(chan bool)
	q.do = func(ctx context.Context, j sweep.Job, _ bool, _ sweep.Done) error {
		if j.Target == "good" {
			close(told)
		}
		<-ctx.Done()
		return ctx.Err()
	}
	var jobs []sweep.Job
	for i := range 10 {
		jobs = append(jobs, sweep.Job{Kind: sweep.KindNotify, Target: fmt.Sprint("bad ", i)})
	}
	put(t, q, jobs...)
	put(t, q, sweep.Job{Kind: sweep.KindNotify, Target: "good"})
	ended := make(chan error)
	go func() { ended <- q.Run(ctx, nil, false) }()
	select {
	case <-told:
	case <-time.After(10 * time.Second):
		t.Error("a receiver waits for others that hang")
	}
	cancel()
	<-ended
}

// TestPutFollows: a push to a repository that is being read is read once more, although both
// the push and the end of the scan put a job for it, and so is a push during that job.
func TestPutFollows(t *testing.T) {
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			q := queue(t, s)
			job := sweep.Job{Kind: sweep.KindScan, Number: 1, Rank: sweep.RankPush}
			const pushes = 2
			runs := 0
			q.do = func(ctx context.Context, _ sweep.Job, _ bool, done sweep.Done) error {
				runs++
				pushed := runs <= pushes
				if pushed {
					put(t, q, job)
				}
				return s.Tx(ctx, func(tx *sql.Tx) error {
					if err := done(ctx, tx); err != nil || !pushed {
						return err
					}
					follow := job // as the engine does
					follow.Again = true
					return q.Put(ctx, tx, []sweep.Job{follow})
				})
			}
			put(t, q, job)
			if err := q.Run(t.Context(), nil, true); err != nil {
				t.Error(err)
			}
			if runs != 1+pushes {
				t.Errorf("%d pushes, and it is read %d times", pushes, runs)
			}
		})
	}
}

// TestPutWakes: a process hears at once of a job that another one puts into the queue.
func TestPutWakes(t *testing.T) {
	for name, openAny := range databases() {
		t.Run(name, func(t *testing.T) {
			s := openAny(t)
			ctx, cancel := context.WithCancel(t.Context())
			q, other := queue(t, s), queue(t, s)
			began := make(chan time.Time, 1)
			q.do = func(ctx context.Context, _ sweep.Job, _ bool, done sweep.Done) error {
				began <- time.Now()
				return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
			}
			ended := make(chan error)
			go func() { ended <- q.Run(ctx, nil, false) }()
			var worst time.Duration
			for i := range 5 {
				at := time.Now()
				put(t, other, sweep.Job{Kind: sweep.KindScan, Number: int64(i)})
				worst = max(worst, (<-began).Sub(at))
			}
			if worst > pollInterval/2 {
				t.Errorf("a job began after %s", worst)
			}
			cancel()
			<-ended
		})
	}
}
