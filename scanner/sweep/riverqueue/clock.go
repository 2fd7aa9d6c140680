//go:build sweep

package riverqueue

import (
	"time"

	"github.com/riverqueue/river"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// A riverClock is the clock of a store for River. With PostgreSQL, River writes times by the
// clock of its own machine into the rows of jobs, and reads them by that of the server: a
// worker two hours ahead would put off its jobs for so long. River has this for its tests.
type riverClock struct {
	now   func() time.Time
	early bool
}

// Now implements rivertype.TimeGenerator.
func (c riverClock) Now() time.Time { return c.now() }

// NowOrNil implements rivertype.TimeGenerator. nil is the time of the server, where a
// statement can say so; in those that insert jobs River would take the time of this machine.
// A second earlier, a job never has to wait because the clock is not read exactly.
func (c riverClock) NowOrNil() *time.Time {
	if !c.early {
		return nil
	}
	t := c.now().Add(-time.Second)
	return &t
}

// clockFor returns the part of a configuration of River that makes it use the clock of a
// store, for a client that inserts jobs or for one that does them.
func clockFor(s *sweep.Store, inserts bool) river.TestConfig {
	if !s.Postgres { // one machine alone
		return river.TestConfig{}
	}
	return river.TestConfig{Time: riverClock{s.Now, inserts}}
}
