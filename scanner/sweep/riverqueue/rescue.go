//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// now is the clock of the database, in milliseconds since 1970: the clocks of the workers
// may differ.
func (q *Queue) now() string {
	if q.config.Store.Postgres {
		return `(extract(epoch FROM now()) * 1000)::bigint`
	}
	return `CAST(unixepoch('subsec') * 1000 AS INTEGER)`
}

// owner is the worker that a row of river_job was given to last.
func (q *Queue) owner() string {
	if q.config.Store.Postgres {
		return `attempted_by[array_upper(attempted_by, 1)]`
	}
	return `json_extract(attempted_by, '$[#-1]')`
}

// beat notes that this worker lives, and its longest job. It reads the clock of the database.
func (q *Queue) beat(ctx context.Context) error {
	s := q.config.Store
	kind, number, began := q.jobs.longest()
	since := s.Now().Add(-time.Since(began))
	if kind == "" {
		since = time.Time{}
	}
	here, at := time.Now(), int64(0)
	if err := database.QueryRow(ctx, s.SQL, `INSERT INTO worker (name, seen, doing, number, since) VALUES ($1, `+q.now()+`, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, doing = excluded.doing, number = excluded.number, since = excluded.since RETURNING `+q.now(),
		q.config.Name, kind, number, database.Millis(since))(&at); err != nil {
		return fmt.Errorf("telling other workers that this one lives: %w", err)
	}
	if s.Clock != nil {
		s.Clock.Set(at, here)
		q.warnOfClock(s.Clock.Wrong())
	}
	if kind != "" && q.jobs.isStuck() {
		q.log().Warn("a job runs for long: see \"stanch sweep status\"", "kind", kind, "repository", number, "since", since)
	}
	return nil
}

// maxWrong is by how much the clock of a machine may be wrong: AWS refuses requests whose time
// is off by 15 minutes.
const maxWrong = 10 * time.Minute

// warnOfClock says, once until it is right again, that the clock of this machine is wrong.
func (q *Queue) warnOfClock(wrong time.Duration) {
	was := q.clockIsWrong
	q.clockIsWrong = wrong.Abs() > maxWrong
	if q.clockIsWrong && !was {
		q.log().Warn("the clock of this machine differs from that of the database: AWS may refuse to say whether keys are live; set it right", "ahead", wrong.Round(time.Second).String())
	}
}

// forget takes workers off the list that have been silent for ten minutes: with SQLite, all
// others.
func (q *Queue) forget(ctx context.Context, tx *sql.Tx) error {
	silent := max(10*time.Minute, 2*q.silence())
	if !q.config.Store.Postgres {
		silent = 0
	}
	_, err := database.Exec(ctx, tx, `DELETE FROM worker WHERE seen < `+q.now()+` - $1 AND name <> $2`, silent.Milliseconds(), q.config.Name)
	return err
}

// leave takes this worker off the list. Jobs that have not ended, although they were told to,
// are given to others: the results of this process for them do not count any more.
func (q *Queue) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := q.config.Store.Tx(ctx, func(tx *sql.Tx) error {
		kinds := map[string]bool{}
		err := database.EachRow(ctx, tx, func(scan func(...any) error) error {
			var kind string
			err := scan(&kind)
			kinds[kind] = true
			return err
		}, `UPDATE river_job SET state = 'available' WHERE state = 'running' AND `+q.owner()+` = $1 RETURNING queue`, q.config.Name)
		if err != nil {
			return err
		}
		if _, err := database.Exec(ctx, tx, `DELETE FROM worker WHERE name = $1`, q.config.Name); err != nil {
			return err
		}
		return q.wake(ctx, tx, kinds)
	})
	if err != nil {
		q.log().Debug("this worker stays in the list until it was silent for a while", "err", err)
	}
}

// A lostJob is a job whose worker has died.
type lostJob struct {
	id     int64
	kind   string
	number int64 // of its repository
}

// rescue makes the jobs of dead workers available, and those that this one has ended
// without being able to write that down. With SQLite all other workers are dead: a lock
// keeps them away.
func (q *Queue) rescue(ctx context.Context) error {
	kinds := map[string]bool{}
	err := q.config.Store.Tx(ctx, func(tx *sql.Tx) error {
		lost, err := q.lostJobs(ctx, tx)
		if err != nil {
			return err
		}
		if err := q.blame(ctx, tx, lost); err != nil {
			return err
		}
		for _, jobs := range lost {
			for _, j := range jobs {
				kinds[j.kind] = true
				if _, err := database.Exec(ctx, tx, `UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'running'`, j.id); err != nil {
					return err
				}
			}
		}
		if err := q.forget(ctx, tx); err != nil { // not before: blame has read them
			return err
		}
		return q.wake(ctx, tx, kinds)
	})
	if err != nil {
		return fmt.Errorf("taking over the jobs of dead workers: %w", err)
	}
	return q.rescueOwn(ctx)
}

// lostJobs returns the jobs of dead workers by the name of the worker.
func (q *Queue) lostJobs(ctx context.Context, tx *sql.Tx) (map[string][]lostJob, error) {
	lost := map[string][]lostJob{}
	alive, args, skip := `SELECT CAST($1 AS TEXT)`, []any{q.config.Name}, ""
	if q.config.Store.Postgres {
		// The workers that look at the same time take turns: each death counts once.
		alive, args, skip = `SELECT name FROM worker WHERE seen > `+q.now()+` - $1`, []any{q.silence().Milliseconds()}, ` FOR UPDATE SKIP LOCKED`
	}
	err := database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var j lostJob
		var worker string
		err := scan(&j.id, &j.kind, &j.number, &worker)
		lost[worker] = append(lost[worker], j)
		return err
	}, `SELECT id, queue, CAST(COALESCE(args ->> 'number', '0') AS BIGINT), `+q.owner()+` FROM river_job
		WHERE state = 'running' AND `+q.owner()+` NOT IN (`+alive+`)`+skip, args...)
	return lost, err
}

// blame counts the death of a worker for the repository that it may have died of. Two
// workers that die at once died of something else: their machine, or an update. Each
// of several jobs that a worker did is under suspicion once, and is then done alone; only a
// worker that dies while it does one alone counts from then on. A worker that is told to
// end gives its jobs back, which is no death.
func (q *Queue) blame(ctx context.Context, tx *sql.Tx, lost map[string][]lostJob) error {
	if len(lost) != 1 {
		return nil
	}
	for worker, jobs := range lost {
		var alone int64
		err := database.EachRow(ctx, tx, func(scan func(...any) error) error { return scan(&alone) }, `SELECT alone FROM worker WHERE name = $1`, worker)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			statement := `UPDATE repository SET deaths = 1 WHERE number = $1 AND deaths = 0`
			if j.id == alone {
				statement = `UPDATE repository SET deaths = deaths + 1 WHERE number = $1`
			} else if alone != 0 {
				continue
			}
			if j.number == 0 {
				continue
			}
			if _, err := database.Exec(ctx, tx, statement, j.number); err != nil {
				return err
			}
		}
	}
	return nil
}

// rescueOwn makes jobs available that this worker has ended without being able to write
// that down: River tries only for a while.
func (q *Queue) rescueOwn(ctx context.Context) error {
	db := q.config.Store.SQL
	running := map[int64]bool{}
	err := database.EachRow(ctx, db, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		running[id] = true
		return err
	}, `SELECT id FROM river_job WHERE state = 'running' AND `+q.owner()+` = $1`, q.config.Name)
	if err != nil {
		return err
	}
	for _, id := range q.jobs.lost(running, q.silence()) {
		if _, err := database.Exec(ctx, db, `UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'running'`, id); err != nil {
			return err
		}
	}
	return nil
}

// deaths returns how many workers in a row died while they read a repository.
func (q *Queue) deaths(ctx context.Context, number int64) (n int, err error) {
	if number == 0 {
		return 0, nil
	}
	err = database.EachRow(ctx, q.config.Store.SQL, func(scan func(...any) error) error { return scan(&n) }, `SELECT deaths FROM repository WHERE number = $1`, number)
	return n, err
}

// survived forgets the deaths: a worker has come to the end of the repository, and lives.
func (q *Queue) survived(ctx context.Context, number int64) {
	if _, err := database.Exec(context.WithoutCancel(ctx), q.config.Store.SQL, `UPDATE repository SET deaths = 0 WHERE number = $1`, number); err != nil {
		q.log().Debug("a repository stays under suspicion", "err", err)
	}
}

// setAlone notes the job that this worker does alone, 0 for none.
func (q *Queue) setAlone(ctx context.Context, id int64) error {
	_, err := database.Exec(context.WithoutCancel(ctx), q.config.Store.SQL, `UPDATE worker SET alone = $2 WHERE name = $1`, q.config.Name, id)
	return err
}

// readsRepository reports whether a kind of job reads a repository.
func readsRepository(kind string) bool { return kind == sweep.KindScan || kind == sweep.KindVerify }
