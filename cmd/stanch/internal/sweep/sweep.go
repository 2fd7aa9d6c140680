//go:build sweep

package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/githubflags"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/notifyflags"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/github/login"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/alert"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
	"github.com/stanch-dev/stanch/scanner/sweep/githubhub"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/search"
)

// New returns the command that sweeps.
func New(s *cli.Streams) *cobra.Command {
	f := &databaseFlags{}
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Sweep organizations again and again, reading only what is new",
		Long: `Keep organizations, users and repositories of GitHub under watch. A sweep remembers
which objects it has read, and does not read them again: for an organization that has
not changed it makes a request or two.

The database is a file of SQLite, or PostgreSQL for a fleet: STANCH_DATABASE_URL or
--database-url. No secret is stored in it, and no name that looks like one
(https://github.com/stanch-dev/stanch/blob/main/docs/sweep.md).`,
		Example: `  stanch sweep add acme --every 1h                 # an organization
  stanch sweep run --notify slack:env:SLACK_URL    # sweep it now, report, and tell Slack of live keys
  stanch sweep serve --notify slack:env:SLACK_URL  # sweep it each hour; a page
  stanch sweep status                              # how far sweeps are, and what Slack was told
  stanch sweep report -o leaks.html                # the findings of all sweeps`,
		Args: cli.NoCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&f.url, "database-url", "", "use the database at `URL`: postgres://... or a file of SQLite (with a password: set STANCH_DATABASE_URL)")
	cmd.AddCommand(newSweepAdd(s, f), newSweepList(s, f), newSweepRemove(s, f), newSweepRun(s, f), newSweepServe(s, f), newSweepWork(s, f),
		newSweepStatus(s, f), newSweepReport(s, f), newSweepAck(s, f), newSweepUnack(s, f), newSweepClose(s, f), newSweepAssign(s, f), newSweepHistory(s, f),
		newSweepAccept(s, f), newSweepUnaccept(s, f), newSweepNotify(s, f), newSweepMigrate(s, f))
	return cmd
}

// engineFlags are the flags of commands that do the jobs of a sweep.
type engineFlags struct {
	scanflags.Flags
	login     login.Login
	notify    notifyflags.Flags
	digest    time.Duration
	observe   observation
	asking    asking
	reporting string // the command that shows all findings
	scans     int
	maxFetch  int64 // MiB
	lookEvery time.Duration
	temp      string        // "" for the system's
	pause     time.Duration // hidden flags, for tests
	silence   time.Duration
}

// addReport adds the flags of a command that reports when its jobs are done.
func (f *engineFlags) addReport(cmd *cobra.Command) {
	f.Output.Add(cmd)
	f.AddSweepFailOn(cmd)
	f.add(cmd)
}

// add adds the flags of a command that writes no report.
func (f *engineFlags) add(cmd *cobra.Command) {
	f.FailOn = cmp.Or(f.FailOn, string(scanrun.FailOnNever))
	f.AddScan(cmd, true)
	flags := cmd.Flags()
	githubflags.AddToken(flags, &f.login)
	flags.IntVar(&f.scans, "scans", 2, "read `N` repositories at once")
	flags.Int64Var(&f.maxFetch, "max-fetch", 20<<10, "fail repositories of which more than `N` MiB have to be fetched at once (0: no limit)")
	flags.DurationVar(&f.pause, "retry-after", 10*time.Second, "wait so long before the first retry")
	_ = flags.MarkHidden("retry-after")
	flags.DurationVar(&f.silence, "dead-after", time.Minute, "take over from workers that were silent for so long")
	_ = flags.MarkHidden("dead-after")
	f.notify.Add(cmd)
	flags.DurationVar(&f.digest, "digest", 24*time.Hour, "tell the receivers each `PERIOD` of new findings that are not known to be live (0: never)")
	cli.Needs(cmd, []string{"digest"}, "notify")
	flags.DurationVar(&f.lookEvery, "look-every", 24*time.Hour, "look each `PERIOD` at repositories without a push: their wikis and pull requests may change")
}

// engine returns the engine that the flags ask for.
func (f *engineFlags) engine(j *scanflags.Job, store *sweep.Store, q *riverqueue.Queue, log *slog.Logger) (*engine.Engine, error) {
	if f.scans < 1 {
		return nil, fmt.Errorf("--scans %d: must be 1 or more", f.scans)
	}
	build, err := search.Build(j.Streams.Version)
	if err != nil {
		return nil, cli.Failed(err)
	}
	detector, err := f.detector(build, j.Config)
	if err != nil {
		return nil, err
	}
	as := f.login
	as.Version = j.Streams.Version
	as.Refused = func(flags string, err error) {
		log.Error("GitHub refuses a token, the others are used; replace it, it is tried again each ten minutes", "token", flags, "err", err)
	}
	if f.observe.metrics != nil {
		as.Left = f.observe.metrics.RequestsLeft
	}
	return &engine.Engine{
		Store: store, Queue: q, Hub: githubhub.New(as, f.MaxSize<<20, store, store.Now), Scan: f.searcher(j, store).Scan,
		Detector: detector, Began: store.Now(),
		Verifies: f.Verifies(), Temp: f.temp, MaxFetch: f.maxFetch << 20, MaxBlobSize: f.MaxSize << 20,
		LookEvery: f.lookEvery, Log: log,
	}, nil
}

// searcher returns the searcher that the flags ask for.
func (f *engineFlags) searcher(j *scanflags.Job, store *sweep.Store) *search.Searcher {
	s := &search.Searcher{Version: j.Streams.Version, Now: store.Now, Options: func() scanrun.Options { return f.observe.timed(j.OptionsWith(j.STS.Fresh())) }}
	if f.Verifies() {
		s.Verified = f.asking.scan
	}
	if f.Owner.Assess { // an Assessor is for one goroutine
		s.Wrap = j.Assessed
	}
	return s
}

// detector returns the name of the detector that the flags ask for.
func (f *engineFlags) detector(build string, c *project.Config) (string, error) {
	canaries, err := cli.ReadList("--canary-accounts", f.STS.CanaryAccounts)
	if err != nil {
		return "", err
	}
	d := search.Detector{
		Build: build, Project: c, MinConfidence: f.Confidence, MaxSize: f.MaxSize, Inventory: len(f.Inventory) > 0,
		Verifies: f.Verifies(), Assesses: f.Owner.Assess, Accounts: f.STS.Accounts, Partitions: f.STS.Partitions, Canaries: canaries,
	}
	return d.Name(), nil
}

// A lifecycle has the functions that a command calls around the jobs. Each function may be nil.
type lifecycle struct {
	once   bool // end when no job is left
	begin  func(*sweep.Store, *riverqueue.Queue) error
	beside func(context.Context, *scanflags.Job, *sweep.Store, *slog.Logger) error // until ctx ends
	after  func(*scanflags.Job, *sweep.Store) error                                // if it was interrupted, too
}

// run does jobs until ctx ends, or until there are none.
func (f *engineFlags) run(ctx context.Context, s *cli.Streams, db *databaseFlags, e lifecycle) error {
	f.WithoutLFS, f.reporting = true, db.command("stanch sweep report")
	j, err := f.Prepare(s)
	if err != nil {
		return err
	}
	defer j.Out.Discard()
	store, name, err := db.openWaiting(ctx, s, e.once)
	if err != nil {
		return err
	}
	defer store.Close()
	if !store.Postgres {
		lock, err := riverqueue.Lock(ctx, name)
		if err != nil {
			return cli.Failed(err)
		}
		defer lock.Close()
	}
	var removeTemp func()
	f.temp, removeTemp = riverqueue.TempFolder(name)
	defer removeTemp()
	if err := j.OpenOwner(ctx); err != nil {
		return err
	}
	untold, err := f.work(ctx, j, store, e)
	j.SaySent()
	if e.after == nil || err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.Join(err, e.after(j, store), untold)
}

// alerts returns what tells the receivers of --notify, and those of other processes.
func (f *engineFlags) alerts(ctx context.Context, j *scanflags.Job, store *sweep.Store, q *riverqueue.Queue, once bool, log *slog.Logger) (*alert.Alerts, error) {
	receivers, err := f.notify.Open(ctx, j.Streams, notifyflags.Identity{AWS: &f.Owner, GitHub: f.login})
	if err != nil {
		return nil, err
	}
	a := &alert.Alerts{Store: store, Queue: q, Digest: f.digest, Page: f.notify.Page, Lease: f.silence, Pause: f.pause, Log: log}
	for _, r := range receivers {
		a.Receivers = append(a.Receivers, r)
	}
	if once {
		a.Patience = time.Minute
	}
	late, live, err := a.Start(ctx)
	if err != nil {
		return nil, cli.Failed(err)
	}
	if live > 0 {
		for _, name := range late {
			fmt.Fprintf(j.Streams.Loud().Stderr, "stanch: %s is told of what happens from now on, not of %s known before: see %s\n",
				printable.Text(name), printable.Plural(live, "live key"), f.reporting)
		}
	}
	store.Observers = append(store.Observers, a.Observe)
	return a, nil
}

// work does jobs, and calls the functions of e around them. untold names the receivers that
// could not be told.
func (f *engineFlags) work(ctx context.Context, j *scanflags.Job, store *sweep.Store, e lifecycle) (untold, err error) {
	log, err := f.observe.logTo(j.Streams.Loud().Stderr, f.level(e.once))
	if err != nil {
		return nil, err
	}
	q, err := riverqueue.New(riverqueue.Config{Store: store, Scans: f.scans, Pause: f.pause, Silence: f.silence, Log: log, Ended: f.observe.ended})
	if err != nil {
		return nil, cli.Failed(err)
	}
	engine, err := f.engine(j, store, q, log)
	if err != nil {
		return nil, err
	}
	alerts, err := f.alerts(ctx, j, store, q, e.once, log)
	if err != nil {
		return nil, err
	}
	engine.Notify, engine.Collect = alerts.Do, alerts.Collect
	f.observe.watch(engine, log)
	if e.begin != nil {
		if err := e.begin(store, q); err != nil {
			return nil, err
		}
	}
	group, within := errgroup.WithContext(ctx)
	over, end := context.WithCancel(within)
	defer end()
	group.Go(func() error {
		defer end()
		err := q.Run(within, engine, e.once)
		if err != nil && within.Err() == nil {
			err = cli.Unfinished(err)
		}
		return err
	})
	if e.beside != nil {
		group.Go(func() error { return e.beside(over, j, store, log) })
	}
	group.Go(func() error { return alerts.Watch(over) })
	err = group.Wait()
	if !e.once && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil, cli.ErrStopped
	}
	if err != nil || !e.once {
		return nil, err
	}
	if err := alerts.Finish(ctx); err != nil {
		return cli.Unfinished(err), nil
	}
	return nil, nil
}

func (f *engineFlags) level(once bool) slog.Level {
	switch {
	case f.Debug:
		return slog.LevelDebug
	case once: // the report says it
		return slog.LevelError
	}
	return slog.LevelInfo
}
