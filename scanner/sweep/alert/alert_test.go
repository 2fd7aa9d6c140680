//go:build sweep

package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
)

// A desk is a database with alerts, a clock that the test sets, and a queue in memory.
type desk struct {
	*Alerts
	t     *testing.T
	clock *time.Time // of its store
	jobs  []sweep.Job
	at    map[string]verifier.State
}

func (d *desk) Put(_ context.Context, _ *sql.Tx, jobs []sweep.Job) error {
	d.jobs = append(d.jobs, jobs...)
	return nil
}

// A box is a receiver that keeps what it takes.
type box struct {
	name string
	got  []*finding.Alert
	fail func(*finding.Alert) error
}

func (b *box) Name() string { return b.name }

func (b *box) Send(_ context.Context, a *finding.Alert) error {
	if b.fail != nil {
		if err := b.fail(a); err != nil {
			return err
		}
	}
	b.got = append(b.got, a)
	return nil
}

// news says what the box has got: "news: live f1, live f2; digest: new f3".
func (b *box) news() string {
	var lines []string
	for _, a := range b.got {
		var parts []string
		for _, f := range a.Findings {
			parts = append(parts, f.Event+" "+f.Fingerprint)
		}
		lines = append(lines, a.Kind+": "+strings.Join(parts, ", "))
	}
	return strings.Join(lines, "; ")
}

func onEachDatabase(t *testing.T, test func(*desk)) {
	t.Helper()
	sweeptest.OnEachDatabase(t, map[string]func(*testing.T, *sweeptest.Store){"desk": func(t *testing.T, s *sweeptest.Store) {
		t.Helper()
		test(newDesk(t, s))
	}})
}

func newDesk(t *testing.T, s *sweeptest.Store) *desk {
	t.Helper()
	d := &desk{t: t, clock: &s.Clock, at: map[string]verifier.State{}}
	d.Alerts = &Alerts{Store: s.Store, Queue: d, Digest: 24 * time.Hour, Page: "https://stanch.example.com"}
	for _, statement := range []string{
		`INSERT INTO target (name, api, options, every_ms, added, sweep, ended) VALUES ('acme', '', '{}', 0, 1, 2, 1), ('first', '', '{}', 0, 1, 1, 0)`,
		`INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES
			('1', 'acme', 'acme/app', 'https://github.com/acme/app', 0, 0, 0, 1, 1, 'swept', 1), ('2', 'first', 'first/app', 'https://github.com/first/app', 0, 0, 0, 1, 1, 'swept', 1)`,
	} {
		d.exec(statement)
	}
	return d
}

func (d *desk) exec(statement string, args ...any) {
	d.t.Helper()
	if _, err := database.Exec(d.t.Context(), d.Store.SQL, statement, args...); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) start(receivers ...Receiver) {
	d.t.Helper()
	d.Receivers = receivers
	if _, _, err := d.Start(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// is stores that a finding of repository 1 or 2 is in a state, as a job of a sweep does.
func (d *desk) is(repository int, fingerprint string, state verifier.State) {
	d.t.Helper()
	before := d.at[fingerprint]
	d.at[fingerprint] = state
	ctx, done := d.Collect(d.t.Context(), func(context.Context, *sql.Tx) error { return nil })
	err := d.Store.Tx(ctx, func(tx *sql.Tx) error {
		f := finding.Finding{Digest: &finding.Digest{Fingerprint: fingerprint}, Verdict: verifier.Verdict{State: state, Identity: verifier.Identity{Account: "111122223333", Kind: "user", Name: "deploy"}}}
		f.Match.Rule, f.Match.Credential.ID = &detectors.Rule{ID: "rule", Title: "key"}, "ID-"+fingerprint
		record, err := database.MarshalRecord(&f)
		if err != nil {
			return err
		}
		for _, s := range []struct {
			statement string
			args      []any
		}{
			{`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record) VALUES ($1, $1, '', $2, '', '', 1, $3, 1, $4)
				ON CONFLICT (fingerprint) DO UPDATE SET state = excluded.state, record = excluded.record`, []any{fingerprint, string(state), database.Millis(*d.clock), string(record)}},
			{`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record)
				SELECT $1, number, 'x', 'blob', '', 'f', 1, 1, '{"kind":"blob","path":"f","line":3,"commit":"c0ffee"}' FROM repository WHERE id = $2 ON CONFLICT DO NOTHING`, []any{fingerprint, fmt.Sprint(repository)}},
		} {
			if _, err := database.Exec(ctx, tx, s.statement, s.args...); err != nil {
				return err
			}
		}
		if err := d.Observe(ctx, tx, sweep.Change{Fingerprint: fingerprint, Before: before, After: state, At: *d.clock}); err != nil {
			return err
		}
		return done(ctx, tx)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// work does the job of a receiver, and returns how long it wants to wait then.
func (d *desk) work(name string) (wait time.Duration) {
	d.t.Helper()
	err := d.Do(d.t.Context(), sweep.Job{Kind: sweep.KindNotify, Target: name}, func(context.Context, *sql.Tx) error { return nil })
	var later *sweep.Later
	if errors.As(err, &later) {
		return later.At.Sub(*d.clock)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return 0
}

func (d *desk) want(step string, b *box, news string) {
	d.t.Helper()
	if got := b.news(); got != news {
		d.t.Errorf("%s: got %q, want %q", step, got, news)
	}
}

func TestEvent(t *testing.T) {
	for _, tt := range []struct {
		before, after verifier.State
		event         string
		urgent        bool
	}{
		{"", verifier.Live, finding.EventLive, true},
		{"", verifier.Unknown, finding.EventNew, false},
		{"", verifier.IDActive, finding.EventNew, false},
		{"", verifier.Invalid, finding.EventNew, false},
		{verifier.Unknown, verifier.Live, finding.EventLive, true},
		{verifier.IDActive, verifier.Live, finding.EventLive, true},
		{verifier.Invalid, verifier.Live, finding.EventLiveAgain, true},
		{verifier.Expired, verifier.Live, finding.EventLiveAgain, true},
		{verifier.Live, verifier.Invalid, finding.EventOff, true},
		{verifier.Live, verifier.Expired, finding.EventOff, true},
		{verifier.Live, verifier.IDActive, finding.EventChanged, false},
		{verifier.Unknown, verifier.IDActive, finding.EventChanged, false},
		{verifier.Unknown, verifier.Invalid, "", false},
	} {
		if event, urgent := event(sweep.Change{Before: tt.before, After: tt.after}); event != tt.event || urgent != tt.urgent {
			t.Errorf("%q → %q: %q, %v, want %q, %v", tt.before, tt.after, event, urgent, tt.event, tt.urgent)
		}
	}
}

// TestBundles holds that the first key is told at once, and those that come soon after it
// together; and those of a first sweep in a few messages.
func TestBundles(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		b := &box{name: "b"}
		d.start(b)
		d.is(1, "f1", verifier.Live)
		if len(d.jobs) != 1 || d.jobs[0] != (sweep.Job{Kind: sweep.KindNotify, Target: "b"}) {
			d.t.Errorf("jobs: %+v", d.jobs)
		}
		d.work("b")
		d.want("at once", b, "news: live f1")
		*d.clock = d.clock.Add(time.Second)
		d.is(1, "f2", verifier.Live)
		if wait := d.work("b"); wait != time.Second {
			d.t.Errorf("it waits %s", wait)
		}
		d.is(1, "f3", verifier.Live)
		d.is(1, "f2", verifier.Invalid)
		*d.clock = d.clock.Add(time.Second)
		d.work("b")
		d.want("together, in order", b, "news: live f1; news: live f2, live f3, off f2")
		*d.clock = d.clock.Add(gap)
		d.is(2, "f4", verifier.Live) // a first sweep
		*d.clock = d.clock.Add(gap)
		if wait := d.work("b"); wait != recheck {
			d.t.Errorf("it waits %s", wait)
		}
		d.is(2, "f5", verifier.Live)
		*d.clock = d.clock.Add(time.Minute)
		d.work("b")
		d.want("not yet", b, "news: live f1; news: live f2, live f3, off f2")
		d.exec(`UPDATE target SET ended = 1 WHERE name = 'first'`)
		d.work("b")
		d.want("the first sweep has ended", b, "news: live f1; news: live f2, live f3, off f2; news: live f4, live f5")
		if a := b.got[0]; a.Page != d.Page || a.Findings[0].URL != "https://github.com/acme/app/blob/c0ffee/f#L3" || a.Findings[0].Where != "f:3" {
			d.t.Errorf("%+v", a)
		}
	})
}

// TestDigest holds that a digest comes once a period, has no finding that is acknowledged,
// ignored or was told at once, and says how things are now.
func TestDigest(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		b := &box{name: "b"}
		d.start(b)
		for _, f := range []string{"f1", "f2", "f3", "f4", "f5"} {
			d.is(1, f, verifier.Unknown)
		}
		if len(d.jobs) > 0 {
			d.t.Errorf("jobs: %+v", d.jobs)
		}
		d.is(1, "f2", verifier.IDActive)
		d.is(1, "f3", verifier.Live)
		d.exec(`UPDATE finding SET status = 'acknowledged', status_by = 'ada' WHERE fingerprint = 'f4'`)
		d.exec(`UPDATE finding SET ignored = 'a rule' WHERE fingerprint = 'f5'`)
		d.work("b")
		d.want("at once", b, "news: live f3")
		*d.clock = d.clock.Add(23 * time.Hour)
		if err := d.watchOnce(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
		d.work("b")
		d.want("not yet", b, "news: live f3")
		*d.clock = d.clock.Add(time.Hour)
		d.jobs = nil
		if err := d.watchOnce(d.t.Context()); err != nil || len(d.jobs) != 1 {
			d.t.Errorf("%v, jobs: %+v", err, d.jobs)
		}
		d.work("b")
		d.want("the digest", b, "news: live f3; digest: new f1, new f2")
		d.is(1, "f6", verifier.Unknown)
		d.work("b")
		if err := d.Finish(d.t.Context()); err != nil {
			d.t.Error(err)
		}
		d.want("one a day", b, "news: live f3; digest: new f1, new f2")
		*d.clock = d.clock.Add(22 * time.Hour) // a sweep each day does not come to the second
		if err := d.Finish(d.t.Context()); err != nil {
			d.t.Error(err)
		}
		d.want("at the end of a run", b, "news: live f3; digest: new f1, new f2; digest: new f6")
	})
}

type refusal struct {
	after   time.Duration
	refused bool
}

func (r refusal) Error() string             { return "no" }
func (r refusal) RetryAfter() time.Duration { return r.after }
func (r refusal) Refused() bool             { return r.refused }

// TestFailures holds that a receiver that fails holds up itself alone, that its wish to wait is
// obeyed, that a delivery keeps its id and its findings, and that nothing is lost silently.
func TestFailures(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		good, bad := &box{name: "good"}, &box{name: "bad"}
		var ids []string
		fails := errors.New("no route")
		bad.fail = func(a *finding.Alert) error {
			ids = append(ids, a.Delivery+" "+fmt.Sprint(len(a.Findings)))
			return fails
		}
		d.start(bad, good)
		d.is(1, "f1", verifier.Live)
		d.work("good")
		d.want("the other", good, "news: live f1")
		for _, want := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
			if wait := d.work("bad"); wait != want {
				d.t.Errorf("it waits %s, want %s", wait, want)
			}
			d.is(1, "f2", verifier.Live)
			if wait := d.work("bad"); wait != want {
				d.t.Errorf("it is sent before: %s", wait)
			}
			*d.clock = d.clock.Add(want)
		}
		fails = refusal{after: time.Hour}
		if wait := d.work("bad"); wait != time.Hour {
			d.t.Errorf("Retry-After: it waits %s", wait)
		}
		list, err := Receivers(d.t.Context(), d.Store)
		if err != nil || len(list) != 2 || list[0].Name != "bad" || list[0].Why != "no" || list[0].Failures != 4 || list[0].Waiting < 2 || list[1].Deliveries != 1 {
			d.t.Errorf("%v: %+v", err, list)
		}
		*d.clock = d.clock.Add(time.Hour)
		fails = nil
		d.work("bad")
		if len(slices.Compact(ids)) != 1 || !strings.HasSuffix(ids[0], " 1") {
			d.t.Errorf("deliveries: %q", ids)
		}
		*d.clock = d.clock.Add(gap)
		d.work("bad")
		if got := bad.news(); got != "news: live f1; news: live f2" {
			d.t.Errorf("got %q", got)
		}
		// What it refuses does not hold up the rest for ever, and is seen.
		fails = refusal{refused: true}
		d.is(1, "f3", verifier.Live)
		for range failures {
			*d.clock = d.clock.Add(maxPause)
			d.work("bad")
		}
		fails = nil
		*d.clock = d.clock.Add(maxPause)
		d.is(1, "f4", verifier.Live)
		d.work("bad")
		if got := bad.news(); got != "news: live f1; news: live f2; news: live f4" {
			d.t.Errorf("got %q", got)
		}
		fails = errors.New("no route")
		d.is(1, "f5", verifier.Live)
		*d.clock = d.clock.Add(giveUp + time.Hour)
		for range failures {
			if list, err := Receivers(d.t.Context(), d.Store); err != nil || list[0].Lost != 1 {
				d.t.Errorf("%v: %+v", err, list[0])
			}
			d.work("bad")
			*d.clock = d.clock.Add(maxPause)
		}
		if list, err := Receivers(d.t.Context(), d.Store); err != nil || list[0].Lost != 2 || list[0].Waiting != 0 {
			d.t.Errorf("%v: %+v", err, list[0])
		}
	})
}

// TestOthers holds what processes do for receivers that they do not have, or that another one
// is sending to.
func TestOthers(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		b := &box{name: "b"}
		d.start(b)
		other := &Alerts{Store: d.Store, Queue: d}
		if _, _, err := other.Start(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
		d.is(1, "f1", verifier.Live)
		done := func(context.Context, *sql.Tx) error { return nil }
		job := sweep.Job{Kind: sweep.KindNotify, Target: "b"}
		if err := other.Do(d.t.Context(), job, done); err != nil || len(b.got) > 0 {
			d.t.Errorf("a process without the receiver: %v", err)
		}
		d.jobs = nil
		if err := d.watchOnce(d.t.Context()); err != nil || len(d.jobs) != 1 {
			d.t.Errorf("it is not put again: %v, %+v", err, d.jobs)
		}
		twin := &Alerts{Store: d.Store, Queue: d, Receivers: []Receiver{b}}
		if _, _, err := twin.Start(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
		b.fail = func(*finding.Alert) error { // while one sends, another wants to
			b.fail = nil
			var later *sweep.Later
			if err := twin.Do(d.t.Context(), job, done); !errors.As(err, &later) {
				d.t.Errorf("both send: %v", err)
			}
			return nil
		}
		d.work("b")
		d.want("one", b, "news: live f1")
		twins := &Alerts{Store: d.Store, Queue: d, Receivers: []Receiver{b, &box{name: "b"}}}
		if _, _, err := twins.Start(d.t.Context()); err == nil || !strings.Contains(err.Error(), "two receivers") {
			d.t.Error(err)
		}
		// A run ends all the same, and says what waits.
		d.Patience = time.Minute
		b.fail = func(*finding.Alert) error { return refusal{after: 10 * time.Minute} }
		*d.clock = d.clock.Add(gap)
		d.is(1, "f2", verifier.Live)
		if wait := d.work("b"); wait != 0 || d.Left()["b"] != "no" {
			d.t.Errorf("it waits %s, left %v", wait, d.Left())
		}
		if err := d.Finish(d.t.Context()); err == nil || !strings.Contains(err.Error(), "alerts for b wait for the next sweep: no") {
			d.t.Error(err)
		}
		if there, err := Forget(d.t.Context(), d.Store, "b"); err != nil || !there {
			d.t.Error(there, err)
		}
	})
}
