package operator

import (
	"net/http"
	"sync"
	"time"
)

// MaxSkew is how far the time of a request may be from AWS's: AWS refuses the
// signature of one that is further off.
const MaxSkew = 15 * time.Minute

// A clock is AWS's, as the last answer of IAM tells it.
type clock struct {
	mu   sync.Mutex
	date time.Time // the Date of that answer; zero if it had none that can be right
	read time.Time // when it came, on this machine
}

// set notes the Date header of an answer that came at read. A date that is further off than
// any request may be was not written by the server that accepted the request.
func (c *clock) set(header string, read time.Time) {
	const slowest = time.Minute // more than a request and its answer may take
	date, err := http.ParseTime(header)
	if err != nil || read.Sub(date).Abs() > MaxSkew+slowest {
		date = time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.date, c.read = date, read
}

// Time returns the time at AWS, and how far the clock of this machine is ahead of it, from
// the Date of IAM's last answer. known is false if that answer had no plausible Date, or if
// there was no answer yet.
func (s *Session) Time() (now time.Time, ahead time.Duration, known bool) {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	if s.clock.date.IsZero() {
		return time.Time{}, 0, false
	}
	return s.clock.date.Add(time.Since(s.clock.read)), s.clock.read.Sub(s.clock.date), true
}
