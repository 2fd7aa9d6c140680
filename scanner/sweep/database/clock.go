package database

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Clock is the clock of a server of PostgreSQL, as this process knows it. Processes on
// several machines write times into one database and compare them: by their own clocks, one
// that is two hours ahead would stop the work of all others for so long. Between two readings
// it goes on by the time that passes here, which no change of the clock of this machine
// disturbs. Its methods may be called concurrently.
type Clock struct {
	mu     sync.Mutex
	server time.Time // the last reading
	here   time.Time // when that was, with the monotonic clock
}

// Now returns the time of the server, or that of this machine before the first reading.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here.IsZero() {
		return time.Now()
	}
	return c.server.Add(time.Since(c.here))
}

// Set notes a reading: the server had the time ms, in milliseconds since 1970, when it was
// asked at the time here. A later reading that took long is left out: the question may have
// waited for a connection.
func (c *Clock) Set(ms int64, here time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.here.IsZero() && time.Since(here) > time.Second {
		return
	}
	c.server, c.here = Time(ms), here
}

// Wrong returns by how much the clock of this machine is ahead of that of the server. It is
// negative for one that is behind.
func (c *Clock) Wrong() time.Duration { return time.Now().Round(0).Sub(c.Now()) }

// UseServerClock makes Now the clock of the server of PostgreSQL.
func (d *DB) UseServerClock(ctx context.Context) error {
	c, here := &Clock{}, time.Now()
	var ms int64
	if err := QueryRow(ctx, d.SQL, `SELECT (extract(epoch FROM now()) * 1000)::bigint`)(&ms); err != nil {
		return fmt.Errorf("asking the database for its time: %w", err)
	}
	c.Set(ms, here)
	d.Clock, d.Now = c, c.Now
	return nil
}
