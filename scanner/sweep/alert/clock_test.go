//go:build sweep

package alert

import (
	"errors"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// TestClocks holds that news is told at once whatever the clock does, and that no time that
// passes while nobody tries makes it lost: the machine was off, or a sweep comes once a week.
func TestClocks(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		b := &box{name: "b"}
		d.start(b)
		d.is(1, "f1", verifier.Live)
		d.work("b")
		*d.clock = d.clock.Add(-time.Hour)
		d.is(1, "f2", verifier.Live)
		if wait := d.work("b"); wait > gap {
			d.t.Errorf("after the clock was set back it waits %s", wait)
		}
		*d.clock = d.clock.Add(2 * time.Hour)
		d.work("b")
		d.want("set back", b, "news: live f1; news: live f2")
		b.fail = func(*finding.Alert) error { return errors.New("no route") }
		d.is(1, "f3", verifier.Live)
		d.work("b")
		b.fail = nil
		*d.clock = d.clock.Add(giveUp + time.Hour)
		if err := d.watchOnce(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
		d.work("b")
		d.want("after a week without a process", b, "news: live f1; news: live f2; news: live f3")
	})
}
