//go:build sweep

package alert

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/verifier"
)

// process begins one more process, with receivers of its own.
func (d *desk) process(receivers ...Receiver) *Alerts {
	d.t.Helper()
	a := &Alerts{Store: d.Store, Queue: d, Digest: 24 * time.Hour, Receivers: receivers}
	if _, _, err := a.Start(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	return a
}

// days lets days pass on which processes work.
func (d *desk) days(n int, processes ...*Alerts) {
	d.t.Helper()
	for range n {
		*d.clock = d.clock.Add(24 * time.Hour)
		for range 2 { // a second look at a day counts nothing
			for _, a := range processes {
				if err := a.watchOnce(d.t.Context()); err != nil {
					d.t.Fatal(err)
				}
			}
			*d.clock = d.clock.Add(2 * tidyEvery)
		}
	}
}

func (d *desk) status(name string) sweep.ReceiverStatus {
	d.t.Helper()
	list, err := Receivers(d.t.Context(), d.Store)
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range list {
		if list[i].Name == name {
			return list[i]
		}
	}
	return sweep.ReceiverStatus{}
}

// says checks that the text of the status has some words.
func (d *desk) says(step string, words ...string) {
	d.t.Helper()
	list, err := Receivers(d.t.Context(), d.Store)
	if err != nil {
		d.t.Fatal(err)
	}
	var text strings.Builder
	if err := (sweep.Status{Receivers: list}).WriteText(&text); err != nil {
		d.t.Fatal(err)
	}
	for _, w := range words {
		if !strings.Contains(text.String(), w) {
			d.t.Errorf("%s: the status lacks %q:\n%s", step, w, &text)
		}
	}
}

// TestLate holds that a receiver is said to be late once: when the database first knows it, and
// when it comes back after it was gone. The live keys that it is not told of are counted.
func TestLate(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		late := func(step string, want []string, wantLive int, receivers ...Receiver) *Alerts {
			t.Helper()
			a := &Alerts{Store: d.Store, Queue: d, Digest: 24 * time.Hour, Receivers: receivers}
			got, live, err := a.Start(d.t.Context())
			if err != nil || !slices.Equal(got, want) || live != wantLive {
				d.t.Errorf("%s: late %q, live %d, want %q, %d (%v)", step, got, live, want, wantLive, err)
			}
			return a
		}
		b, c := &box{name: "b"}, &box{name: "c"}
		d.start()
		late("nothing is known", []string{"b"}, 0, b)
		d.is(1, "f1", verifier.Live)
		d.is(1, "f2", verifier.Live)
		d.is(1, "f3", verifier.Invalid)
		d.is(1, "f4", verifier.Live)
		d.exec(`UPDATE finding SET ignored = 'a rule' WHERE fingerprint = 'f4'`)
		late("one is known", []string{"c"}, 2, b, c)
		late("both are known", nil, 0, b, c)
		d.days(goneAfter+1, late("one is used no more", nil, 0, c))
		late("it comes back", []string{"b"}, 2, b, c)
		late("it is back", nil, 0, b, c)
	})
}

// TestGone holds when a receiver is gone: after 14 days on which stanch has worked without it.
// Until then its news waits, and then it is lost; the next process that has it begins anew.
func TestGone(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		b := &box{name: "b"}
		other := d.process()
		d.start(b)
		d.days(40, d.Alerts, other) // a process that runs for weeks keeps its receiver
		if s := d.status("b"); s.Gone || s.Without != 0 {
			d.t.Errorf("while a process has it: %+v", s)
		}
		d.is(1, "f1", verifier.Live)
		d.is(1, "f2", verifier.Unknown)
		d.days(3, other) // a long weekend
		if s := d.status("b"); s.Gone || s.Without != 3 || s.Waiting != 1 || s.Digest != 1 {
			d.t.Errorf("after a weekend: %+v", s)
		}
		d.says("after a weekend", "no process has had it since 20", "1 WAITING since 20", "1 for the next digest")
		d.start(b)
		d.work("b")
		*d.clock = d.clock.Add(24 * time.Hour)
		d.work("b")
		d.want("after a weekend", b, "news: live f1; digest: new f2")

		d.is(1, "f3", verifier.Live)
		*d.clock = d.clock.Add(60 * 24 * time.Hour) // all machines are off
		d.days(goneAfter-1, other)
		if s := d.status("b"); s.Gone || s.Waiting != 1 {
			d.t.Errorf("days on which nobody works do not count: %+v", s)
		}
		d.is(1, "f4", verifier.Live)
		d.is(1, "f5", verifier.Unknown)
		d.days(2, other)
		if s := d.status("b"); !s.Gone || s.Waiting != 0 || s.Digest != 0 || s.Lost != 3 {
			d.t.Errorf("it is gone: %+v", s)
		}
		d.says("it is gone", "GONE, no process has had it since 20", "3 LOST", "stanch sweep notify forget NAME")
		d.jobs = nil
		d.is(1, "f6", verifier.Live)
		if s := d.status("b"); s.Waiting != 0 || s.Lost != 4 || len(d.jobs) > 0 {
			d.t.Errorf("news of a receiver that is gone: %+v, jobs %v", s, d.jobs)
		}
		d.start(b)
		d.is(1, "f7", verifier.Live)
		d.work("b")
		d.want("it is back", b, "news: live f1; digest: new f2; news: live f7")
		d.days(31, d.Alerts)
		if s := d.status("b"); s.Lost != 0 {
			d.t.Errorf("lost news is kept: %+v", s)
		}
	})
}

// TestClockAhead holds that a process whose clock is ahead makes no receiver gone, however often
// it looks, and beside one whose clock is right.
func TestClockAhead(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		d.start(&box{name: "b"})
		other := d.process()
		for range 2 * goneAfter {
			*d.clock = d.clock.Add(30 * 24 * time.Hour)
			if err := other.watchOnce(d.t.Context()); err != nil {
				d.t.Fatal(err)
			}
			*d.clock = d.clock.Add(-30*24*time.Hour + 2*tidyEvery)
			if err := other.watchOnce(d.t.Context()); err != nil {
				d.t.Fatal(err)
			}
		}
		if s := d.status("b"); s.Gone || s.Without > 1 {
			d.t.Errorf("%+v", s)
		}
	})
}

// TestNoDigestAnyMore holds that news for a digest that nobody sends any more goes after a
// while, and no other news does.
func TestNoDigestAnyMore(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		none := d.process(&box{name: "b"})
		d.start(&box{name: "c"})
		d.is(1, "f1", verifier.Unknown)
		d.is(1, "f2", verifier.Live)
		none.Digest = 0
		d.days(29, none, d.Alerts)
		if s := d.status("b"); s.Digest != 1 || s.Waiting != 1 {
			d.t.Errorf("before: %+v", s)
		}
		d.days(2, none, d.Alerts)
		if b, c := d.status("b"), d.status("c"); b.Digest != 0 || b.Waiting != 1 || c.Digest != 1 || c.Waiting != 1 {
			d.t.Errorf("after: %+v, %+v", b, c)
		}
	})
}
