package database

import (
	"testing"
	"time"
)

// TestClock: the clock of a server goes on between two readings, and a reading that took long
// does not count.
func TestClock(t *testing.T) {
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if (got - want).Abs() > time.Minute {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	c, now := &Clock{}, time.Now()
	near("not read yet", c.Now().Sub(now), 0)
	c.Set(Millis(now.Add(-2*time.Hour)), now.Add(-10*time.Minute))
	near("read ten minutes ago", c.Now().Sub(now), -110*time.Minute)
	near("this machine is ahead by", c.Wrong(), 110*time.Minute)
	c.Set(Millis(now.Add(5*time.Hour)), now.Add(-time.Hour))
	near("a reading that took an hour", c.Now().Sub(now), -110*time.Minute)
	c.Set(Millis(now.Add(5*time.Hour)), now)
	near("read again", c.Wrong(), -5*time.Hour)
}
