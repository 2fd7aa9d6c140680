// Package alert tells receivers about findings of a sweep: at once of each key that is live or
// live no more, and of all other new findings in a digest.
//
//	a finding is stored → a row of news for each receiver, in that transaction (Observe)
//	  → a job for each receiver, in that transaction (Collect) → one delivery of all its news
//
// Receivers are known to the database by their names alone. A process that has a receiver's
// URL registers the name, again and again; every process writes news for it until no process has
// it any more, and those that have the URL deliver. A delivery has an id and its rows before it is sent. If its process is
// killed before it has written down that the receiver took it, the next one sends the same rows
// under the same id.
package alert

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Receiver is a system that gets alerts.
type Receiver interface {
	// Name names the receiver in the database, in status and in logs. It holds no secret, and
	// stays the same as long as the receiver does.
	Name() string
	// Send sends an alert. It returns nil once the receiver has taken it. An error holds no
	// secret. One with a method RetryAfter() time.Duration says when to send it again; one
	// with Refused() bool, if that is true, that the receiver does not want this alert.
	Send(ctx context.Context, a *finding.Alert) error
}

// How long things take, unless Alerts says otherwise.
const (
	gap      = 2 * time.Second    // between two deliveries to a receiver, so that the second has all that came meanwhile
	firstGap = 5 * time.Minute    // the same while the first sweep of a target runs, for what that one finds
	recheck  = 5 * time.Second    // how often is asked whether that sweep is over
	minPause = 5 * time.Second    // before a failed delivery is tried again; it doubles
	maxPause = 15 * time.Minute   // the longest pause, unless the receiver asks for a longer one
	maxAsked = 24 * time.Hour     // the longest that it may ask for
	giveUp   = 7 * 24 * time.Hour // news that is older is lost, if the receiver fails again and again
	keep     = 30 * 24 * time.Hour
	failures = 10 // after so many in a row, news may be lost: if it is old, or the receiver does not want it
	// maxFindings is the most findings of one alert. A digest counts the others.
	maxFindings = 500
)

// Alerts tells receivers. Its fields must not change once it is used. Its methods may be
// called concurrently.
type Alerts struct {
	Store *sweep.Store
	Queue sweep.Queue
	// Receivers are those that this process can reach.
	Receivers []Receiver
	// Digest is how often findings that are not known to be live are told, 0 for never.
	Digest time.Duration
	// Page is the URL where people see the findings, or "".
	Page string
	// Lease is how long a process that was killed keeps others from sending to its receivers;
	// 0 is a minute. A Send gets half of that time, and 20 seconds at most.
	Lease time.Duration
	// Patience is how long a receiver is tried again before its news is left to the next
	// process; 0 is without end.
	Patience time.Duration
	// Pause is the time before a failed delivery is tried again, 0 for 5 seconds. It doubles
	// with each try, up to 15 minutes.
	Pause time.Duration
	Log   *slog.Logger

	holder string    // of leases
	tidied time.Time // for Start and Watch alone
	mu     sync.Mutex
	fails  map[string]time.Time // receivers that fail, and since when
	left   map[string]string    // receivers whose news was left to the next process, and why
}

// event says what c is news of, and whether it is told at once; "" if nobody is told.
func event(c sweep.Change) (name string, urgent bool) {
	dead := func(s verifier.State) bool { return s == verifier.Invalid || s == verifier.Expired }
	switch {
	case c.Before == c.After:
		return "", false
	case c.After == verifier.Live && dead(c.Before):
		return finding.EventLiveAgain, true
	case c.After == verifier.Live:
		return finding.EventLive, true
	case c.Before == verifier.Live && dead(c.After):
		return finding.EventOff, true
	case c.Before == "":
		return finding.EventNew, false
	case c.After.MayBeLive():
		return finding.EventChanged, false
	}
	return "", false // it was not known to be live, and is dead
}

// Observe writes news of a change for each receiver that is not gone. It is a sweep.Observer.
func (a *Alerts) Observe(ctx context.Context, tx *sql.Tx, c sweep.Change) error {
	name, urgent := event(c)
	if name == "" {
		return nil
	}
	receivers, gone, err := addressees(ctx, tx, urgent)
	put := func(receiver string, ended int64, lost bool) {
		if err == nil {
			_, err = database.Exec(ctx, tx, `INSERT INTO news (receiver, fingerprint, urgent, event, was, at, ended, lost) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				receiver, c.Fingerprint, database.Bool(urgent), name, string(c.Before), database.Millis(c.At), ended, database.Bool(lost))
		}
	}
	for _, receiver := range receivers {
		put(receiver, 0, false)
	}
	for _, receiver := range gone { // so that status counts it
		put(receiver, database.Millis(a.Store.Now()), true)
	}
	if err != nil {
		return fmt.Errorf("noting whom to tell: %w", err)
	}
	if told, ok := ctx.Value(collectorKey{}).(*collector); ok && urgent {
		told.add(receivers)
	}
	return nil
}

type collectorKey struct{}

// A collector holds the receivers for which a job has written news.
type collector struct {
	mu    sync.Mutex
	names map[string]bool
}

func (c *collector) add(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.names[name] = true
	}
}

func (c *collector) sorted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.names))
}

// Collect returns the context and the Done to do a job with: the transaction that ends the job
// puts a job into the queue for each receiver that it has news for. It does so last, and in
// the order of names, so that two transactions do not wait for each other.
func (a *Alerts) Collect(ctx context.Context, done sweep.Done) (context.Context, sweep.Done) {
	c := &collector{names: map[string]bool{}}
	return context.WithValue(ctx, collectorKey{}, c), func(ctx context.Context, tx *sql.Tx) error {
		if names := c.sorted(); len(names) > 0 {
			if err := a.put(ctx, tx, names); err != nil {
				return err
			}
		}
		return done(ctx, tx)
	}
}

func (a *Alerts) put(ctx context.Context, tx *sql.Tx, names []string) error {
	jobs := make([]sweep.Job, len(names))
	for i, name := range names {
		jobs[i] = sweep.Job{Kind: sweep.KindNotify, Target: name}
	}
	return a.Queue.Put(ctx, tx, jobs)
}

// Do tells the receiver of a job all the news that it has to be told by now.
func (a *Alerts) Do(ctx context.Context, j sweep.Job, done sweep.Done) error {
	err := a.deliverAll(ctx, j.Target, false)
	var later *sweep.Later
	if err != nil && (!errors.As(err, &later) || !a.leave(j.Target, later)) {
		return err
	}
	return a.Store.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
}

// leave reports whether the news of a receiver is left to the next process, since this one
// has tried for long enough.
func (a *Alerts) leave(name string, later *sweep.Later) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	since, fails := a.fails[name]
	if !fails {
		since = a.Store.Now()
	}
	if a.Patience == 0 || later.At.Sub(since) < a.Patience {
		return false
	}
	a.left[name] = later.Why
	return true
}

func (a *Alerts) noteFails(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, fails := a.fails[name]; !fails {
		a.fails[name] = a.Store.Now()
	}
}

func (a *Alerts) noteWorks(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.fails, name)
}

// Left returns the receivers whose news this process has left to the next one, with the reason.
func (a *Alerts) Left() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.left)
}

func (a *Alerts) find(name string) Receiver {
	for _, r := range a.Receivers {
		if r.Name() == name {
			return r
		}
	}
	return nil
}

// Watch puts jobs into the queue for receivers of this process that have news to be told,
// each few seconds until ctx ends: for digests, for news of processes that do not know the
// receiver, and for jobs that were given up.
func (a *Alerts) Watch(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		if err := a.watchOnce(ctx); err != nil && ctx.Err() == nil {
			a.log().Warn("alerts wait for the database", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *Alerts) watchOnce(ctx context.Context) error {
	if since := a.Store.Now().Sub(a.tidied); since >= tidyEvery || since < 0 {
		if _, err := a.tidy(ctx); err != nil {
			return err
		}
	}
	for _, r := range a.Receivers {
		a.mu.Lock()
		_, left := a.left[r.Name()]
		a.mu.Unlock()
		if left {
			continue
		}
		st, err := a.waiting(ctx, r.Name())
		if err != nil {
			return err
		}
		if !st.due(a.Store.Now(), false) {
			continue
		}
		if err := a.Store.Tx(ctx, func(tx *sql.Tx) error { return a.put(ctx, tx, []string{r.Name()}) }); err != nil {
			return err
		}
	}
	return nil
}

// Finish sends the digests that are due, for a process that ends when its jobs are done. The
// error names receivers that could not be told; their news waits for the next process.
func (a *Alerts) Finish(ctx context.Context) error {
	var errs []error
	for _, r := range a.Receivers {
		if err := a.finish(ctx, r.Name()); err != nil {
			errs = append(errs, fmt.Errorf("alerts for %s wait for the next sweep: %w", r.Name(), err))
		}
	}
	return errors.Join(errs...)
}

func (a *Alerts) finish(ctx context.Context, name string) error {
	for {
		if why, left := a.Left()[name]; left {
			return errors.New(why)
		}
		err := a.deliverAll(ctx, name, true)
		var later *sweep.Later
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &later):
			return err
		case a.leave(name, later):
			continue
		}
		select {
		case <-time.After(max(0, later.At.Sub(a.Store.Now()))):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *Alerts) log() *slog.Logger { return cmp.Or(a.Log, slog.New(slog.DiscardHandler)) }
