//go:build sweep

package riverqueue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"           // the driver "sqlite"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
)

// A Config says how jobs are run. Only Store must be set.
type Config struct {
	Store *sweep.Store
	// Scans is how many repositories are read at once, 0 for two.
	Scans int
	// Pause is the time before a failed job is tried again; it doubles with each try. 0
	// is ten seconds.
	Pause time.Duration
	// Silence is how long a worker may send no sign of life before others take over its
	// jobs, 0 for a minute.
	Silence time.Duration
	// Name names this worker in a fleet; "" makes a name from the host's.
	Name string
	Log  *slog.Logger // nil for none
	// Ended is told of the end of each job of this process: its kind, the outcome (Done and
	// the like) and how long it took. It may be nil, and may be called concurrently.
	Ended func(kind, outcome string, took time.Duration)
}

// maxTries is how often a failing job is tried. maxDeaths is how many workers in a row may
// die while they read a repository, before it is set aside. maxStarts is how often a job
// without a repository is started if its process ends meanwhile: usually the job is not to
// blame.
const (
	maxTries  = 3
	maxDeaths = sweep.MaxDeaths
	maxStarts = 64
)

// pollInterval is how often a process looks for jobs that nobody has told it of.
const pollInterval = 5 * time.Second

// stopGrace is how long jobs that were told to end may take to do so. Kubernetes kills a
// process 30 seconds after it has told it to end, by default.
const stopGrace = 20 * time.Second

// A Queue is a sweep.Queue. Make one with New.
type Queue struct {
	config       Config
	driver       riverdriver.Driver[*sql.Tx]
	client       *river.Client[*sql.Tx]
	engine       *engine.Engine
	do           func(context.Context, sweep.Job, bool, sweep.Done) error // engine.Do; tests have their own
	news         chan struct{}                                            // for patientListener
	jobs         jobs
	gate         gate
	grace        time.Duration // stopGrace; tests have their own
	clockIsWrong bool          // for beat alone
}

// New returns the queue in the database of a store. The schema must be up to date.
func New(c Config) (*Queue, error) {
	q := &Queue{config: c, driver: driverOf(c.Store), news: make(chan struct{}, 1), grace: stopGrace}
	client, err := river.NewClient(q.driver, &river.Config{Logger: quietLogger(c.Log), Test: clockFor(c.Store, true)})
	if err != nil {
		return nil, fmt.Errorf("the queue: %w", err)
	}
	q.client = client
	return q, nil
}

func driverOf(s *sweep.Store) riverdriver.Driver[*sql.Tx] {
	if s.Postgres {
		return riverdatabasesql.New(s.SQL)
	}
	return riversqlite.New(s.SQL)
}

// listeningDriver returns the driver of a process that does jobs. With PostgreSQL a
// connection of its own hears of new jobs by LISTEN; it is the only one of its pool, so
// River keeps it. Behind a PgBouncer that pools transactions it hears nothing, and the
// process polls.
func listeningDriver(ctx context.Context, s *sweep.Store, news <-chan struct{}) (riverdriver.Driver[*sql.Tx], error) {
	if !s.Postgres {
		return patientDriver{riversqlite.New(s.SQL), news}, nil
	}
	conn, err := s.SQL.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("the database: %w", err)
	}
	var url string
	err = conn.Raw(func(c any) error {
		url = c.(*stdlib.Conn).Conn().Config().ConnString()
		return nil
	})
	if err := errors.Join(err, conn.Close()); err != nil {
		return nil, fmt.Errorf("the database: %w", err)
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the URL of the database cannot be read (it is not shown)")
	}
	config.MaxConns, config.MinConns, config.MinIdleConns = 1, 0, 0
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, fmt.Errorf("listening for jobs: %w", err)
	}
	return riverdatabasesql.NewWithPgxListener(s.SQL, pool), nil
}

// quietLogger returns a logger for River, which logs as errors the ordinary ends of a
// job.
func quietLogger(log *slog.Logger) *slog.Logger {
	if log == nil || !log.Enabled(context.Background(), slog.LevelDebug) {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// Migrate brings the tables of River up to date, or removes them with all jobs. Tables that
// are up to date are only read.
func Migrate(ctx context.Context, s *sweep.Store, down bool) error {
	m, err := rivermigrate.New(driverOf(s), &rivermigrate.Config{Logger: quietLogger(nil)})
	if err != nil {
		return fmt.Errorf("migrating the queue: %w", err)
	}
	direction, options := rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{}
	if down {
		direction, options.TargetVersion = rivermigrate.DirectionDown, -1
		there, err := m.ExistingVersions(ctx)
		if err != nil || len(there) == 0 {
			return err
		}
		// The older schema keeps a job of a kind for ever, so rows of two sweeps do not fit it.
		if _, err := database.Exec(ctx, s.SQL, `DELETE FROM river_job`); err != nil {
			return fmt.Errorf("removing the jobs: %w", err)
		}
	}
	if _, err := m.Migrate(ctx, direction, options); err != nil {
		return fmt.Errorf("migrating the queue: %w", err)
	}
	return nil
}

// Remove removes the tables of the queue, and then those of the store: these only if the
// former are gone.
func Remove(ctx context.Context, s *sweep.Store) error {
	err := Migrate(ctx, s, true)
	if err == nil {
		err = s.Migrate(ctx, 0)
	}
	return withAdvice(err, "remove the tables", "stanch sweep migrate --down")
}

// Run does jobs with e until ctx ends, or, with once, until there are none, jobs that
// wait included. It returns when all jobs that it began have ended.
func (q *Queue) Run(ctx context.Context, e *engine.Engine, once bool) error {
	if q.engine = e; q.do == nil {
		q.do = e.Do
	}
	q.config.Name = cmp.Or(q.config.Name, workerName())
	workers := river.NewWorkers()
	river.AddWorker(workers, &observed{worker{q: q}})
	driver, err := listeningDriver(ctx, q.config.Store, q.news)
	if err != nil {
		return err
	}
	client, err := river.NewClient(driver, &river.Config{
		ID:     q.config.Name,
		Logger: quietLogger(q.config.Log),
		Queues: map[string]river.QueueConfig{
			sweep.KindList:   {MaxWorkers: 1},
			sweep.KindScan:   {MaxWorkers: cmp.Or(q.config.Scans, 2)},
			sweep.KindVerify: {MaxWorkers: 2},
			sweep.KindNotify: {MaxWorkers: 32}, // more than there are receivers, so that a slow one holds up no other one
		},
		Workers: workers, MaxAttempts: maxStarts, JobTimeout: -1, RetryPolicy: backoff{q.pause(), q.config.Store.Now},
		// The default of a tenth of a second would be the time between two small
		// repositories. Put wakes the workers; they look by themselves in case that is lost.
		FetchCooldown: 10 * time.Millisecond, FetchPollInterval: pollInterval,
		// A clone may take hours. rescue finds dead workers by their silence.
		RescueStuckJobsAfter: 30 * 24 * time.Hour,
		Test:                 clockFor(q.config.Store, false),
	})
	if err != nil {
		return fmt.Errorf("the queue: %w", err)
	}
	if err := errors.Join(q.beat(ctx), q.rescue(ctx)); err != nil {
		return err
	}
	// Not with ctx: a process that is asked to end must still write down its results.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting the queue: %w", err)
	}
	err = q.watch(ctx, once)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.grace)
	defer cancel()
	stop := client.Stop
	if ctx.Err() != nil {
		stop = client.StopAndCancel
	}
	err = errors.Join(err, stop(stopping))
	q.leave(context.WithoutCancel(ctx))
	return err
}

func workerName() string {
	host, _ := os.Hostname()
	return database.Storable(fmt.Sprintf("%s-%d-%d", cmp.Or(host, "worker"), os.Getpid(), time.Now().UnixNano()%1e6))
}

func (q *Queue) log() *slog.Logger {
	if q.config.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return q.config.Log
}

// pause is the pause before the second try of a job.
func (q *Queue) pause() time.Duration { return cmp.Or(q.config.Pause, 10*time.Second) }

// silence is how long a worker may send no sign of life. It sends six or more in that
// time: a pause of the machine is no death.
func (q *Queue) silence() time.Duration { return cmp.Or(q.config.Silence, time.Minute) }
