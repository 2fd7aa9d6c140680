//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// jobArgs are a job as River keeps it. River keeps one of several jobs whose unique
// fields are equal.
type jobArgs struct {
	What   string `json:"what" river:"unique"`
	Target string `json:"target,omitempty" river:"unique"`
	Number int64  `json:"number,omitempty" river:"unique"`
	// Again marks the job that follows an equal one, which was running when it was put.
	Again bool  `json:"again,omitempty" river:"unique"`
	Sweep int64 `json:"sweep"`
	Full  bool  `json:"full,omitempty"`
}

// Kind implements river.JobArgs.
func (jobArgs) Kind() string { return "stanch" }

// queueOf returns the queue of River for a kind of jobs. Ranks order the jobs of one queue.
func queueOf(kind string) string {
	if kind == sweep.KindLost {
		return sweep.KindScan
	}
	return kind
}

// Put implements sweep.Queue. A job that waits gets the rank of an equal one if that is more
// urgent. Put wakes the workers of all processes when tx is committed. It may be called
// concurrently, with another tx.
func (q *Queue) Put(ctx context.Context, tx *sql.Tx, jobs []sweep.Job) error {
	var params []river.InsertManyParams
	seen := map[jobArgs]int{}
	for _, j := range jobs {
		if j.Again {
			if there, err := q.follows(ctx, tx, j); err != nil {
				return err
			} else if there {
				continue
			}
		}
		same := jobArgs{What: j.Kind, Target: j.Target, Number: j.Number}
		if i, ok := seen[same]; ok { // SQLite and PostgreSQL refuse equal jobs in one statement
			params[i].InsertOpts.Priority = min(params[i].InsertOpts.Priority, priority(j.Rank))
			continue
		}
		seen[same] = len(params)
		args := jobArgs{What: j.Kind, Target: database.Storable(j.Target), Number: j.Number, Again: j.Again, Sweep: j.Sweep, Full: j.Full}
		params = append(params, insertParams(args, priority(j.Rank)))
	}
	if len(params) == 0 {
		return nil
	}
	results, err := q.client.InsertManyTx(ctx, tx, params)
	if err != nil {
		return fmt.Errorf("putting jobs into the queue: %w", err)
	}
	var again []river.InsertManyParams
	queues := map[string]bool{}
	for i, r := range results {
		args := params[i].Args.(jobArgs)
		queues[queueOf(args.What)] = true
		switch wanted := params[i].InsertOpts.Priority; {
		case !r.UniqueSkippedAsDuplicate:
		case r.Job.State == rivertype.JobStateRunning:
			if mayMissNews(args.What, wanted) {
				args.Again = true
				again = append(again, insertParams(args, wanted))
			}
		case r.Job.Priority > wanted:
			if err := q.raise(ctx, tx, r.Job.ID, wanted); err != nil {
				return err
			}
		}
	}
	if len(again) > 0 {
		if _, err := q.client.InsertManyTx(ctx, tx, again); err != nil {
			return fmt.Errorf("putting jobs into the queue: %w", err)
		}
	}
	return q.wake(ctx, tx, queues)
}

// follows reports whether the scan that j is to follow has a follower already, as part of the
// transaction that has ended it: a push that came while it ran has put one. That gets the rank
// of j if it is more urgent.
func (q *Queue) follows(ctx context.Context, tx *sql.Tx, j sweep.Job) (bool, error) {
	var id int64
	var prio int
	err := database.QueryRow(ctx, tx, `SELECT id, priority FROM river_job WHERE queue = '`+sweep.KindScan+`' AND state NOT IN ('completed', 'cancelled', 'discarded')
		AND args ->> 'what' = $1 AND args ->> 'number' = $2 ORDER BY priority, id LIMIT 1`, j.Kind, q.textOf(j.Number))(&id, &prio)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err == nil && prio > priority(j.Rank):
		err = q.raise(ctx, tx, id, priority(j.Rank))
	}
	return true, err
}

// textOf returns a number as the operator ->> yields it: PostgreSQL yields a text.
func (q *Queue) textOf(n int64) any {
	if q.config.Store.Postgres {
		return strconv.FormatInt(n, 10)
	}
	return n
}

// priority returns the priority in River of a rank: 1 comes first, 4 last.
func priority(r sweep.Rank) int { return int(r) + 1 }

// mayMissNews reports whether a job that is put while an equal one runs has to run after
// that: the running one may have read the refs before the push, or the alerts before the
// new one.
func mayMissNews(kind string, prio int) bool {
	return kind == sweep.KindNotify || kind == sweep.KindScan && prio == priority(sweep.RankPush)
}

// twinRuns reports whether a job that is equal but for Again has begun before this one and
// still runs: one takes the repository away from the other, and that one from it.
func (q *Queue) twinRuns(ctx context.Context, job *river.Job[jobArgs]) (bool, error) {
	field := ""
	switch job.Args.What {
	case sweep.KindScan:
		field = "number"
	case sweep.KindNotify:
		field = "target"
	default:
		return false, nil
	}
	var n int
	err := database.QueryRow(ctx, q.config.Store.SQL, `SELECT COUNT(*) FROM river_job AS own, river_job AS other
		WHERE own.id = $1 AND other.state = 'running' AND other.queue = own.queue AND other.id <> own.id
		AND other.args ->> '`+field+`' = own.args ->> '`+field+`'
		AND (other.attempted_at < own.attempted_at OR other.attempted_at = own.attempted_at AND other.id < own.id)`, job.ID)(&n)
	return n > 0, err
}

func insertParams(args jobArgs, prio int) river.InsertManyParams {
	return river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{
		Queue: queueOf(args.What), MaxAttempts: maxStarts, Priority: prio,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}}
}

// raise gives a waiting job a more urgent priority.
func (q *Queue) raise(ctx context.Context, tx *sql.Tx, id int64, prio int) error {
	if _, err := database.Exec(ctx, tx, `UPDATE river_job SET priority = $2 WHERE id = $1 AND priority > $2 AND state <> 'running'`, id, prio); err != nil {
		return fmt.Errorf("raising the rank of a job: %w", err)
	}
	return nil
}

// wake makes workers look for jobs in some queues, once tx is committed. River itself tells
// them only once in each FetchCooldown, and a job of a second transaction within that time
// would wait for the next poll. The topic and the payload are those of River's producer.
func (q *Queue) wake(ctx context.Context, tx *sql.Tx, queues map[string]bool) error {
	var payload []string
	for kind := range queues {
		payload = append(payload, fmt.Sprintf(`{"queue": %q}`, kind))
	}
	if len(payload) == 0 {
		return nil
	}
	select {
	case q.news <- struct{}{}:
	default: // it is told already
	}
	if err := q.driver.UnwrapExecutor(tx).NotifyMany(ctx, &riverdriver.NotifyManyParams{Topic: "river_insert", Payload: payload}); err != nil {
		return fmt.Errorf("waking the workers: %w", err)
	}
	return nil
}

// wakeAfter wakes the workers for jobs of a kind after a while. River makes jobs that wait
// for less than its scheduler's five seconds available at once, and tells nobody when their
// time has come.
func (q *Queue) wakeAfter(ctx context.Context, kind string, pause time.Duration) {
	if pause > 6*time.Second {
		return
	}
	time.AfterFunc(pause+10*time.Millisecond, func() {
		err := q.config.Store.Tx(context.WithoutCancel(ctx), func(tx *sql.Tx) error { return q.wake(ctx, tx, map[string]bool{kind: true}) })
		if err != nil {
			q.log().Debug("the workers were not woken: they look by themselves", "err", err)
		}
	})
}
