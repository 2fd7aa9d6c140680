//go:build sweep

package alert

import "testing"

// TestNeverSwept holds that webhooks of a target which no sweep has begun are told within
// seconds: no first sweep runs that could find hundreds of keys.
func TestNeverSwept(t *testing.T) {
	onEachDatabase(t, func(d *desk) {
		b := &box{name: "b"}
		d.start(b)
		d.exec(`UPDATE target SET sweep = 0 WHERE name = 'first'`)
		d.is(2, "f1", "live")
		d.work("b")
		d.want("the first push", b, "news: live f1")
		d.is(2, "f2", "live")
		*d.clock = d.clock.Add(gap)
		d.work("b")
		d.want("the next one", b, "news: live f1; news: live f2")
	})
}
