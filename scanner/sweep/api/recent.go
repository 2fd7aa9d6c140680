package api

import (
	"context"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// fresh is how long a summary answers further requests. Counting 50,000 findings takes a
// third of a second of CPU, and every open page asks each minute.
const fresh = 15 * time.Second

// recent is the last summary. Requests that come while it is being counted wait for it.
type recent struct {
	turn    chan struct{} // holds one token: its holder may use the fields below
	summary triage.Summary
	since   time.Time
}

func newRecent() *recent {
	r := &recent{turn: make(chan struct{}, 1)}
	r.turn <- struct{}{}
	return r
}

// get returns the last summary, or counts a new one if that is old or of another time.
func (r *recent) get(ctx context.Context, now, since time.Time, count func(context.Context, time.Time) (triage.Summary, error)) (triage.Summary, error) {
	select {
	case <-r.turn:
	case <-ctx.Done():
		return triage.Summary{}, ctx.Err()
	}
	defer func() { r.turn <- struct{}{} }()
	if age := now.Sub(r.summary.At); r.since.Equal(since) && age >= 0 && age < fresh {
		return r.summary, nil
	}
	sum, err := count(ctx, since)
	if err == nil {
		r.summary, r.since = sum, since
	}
	return sum, err
}

// forget makes the next request count anew: somebody has changed a finding, and wants to see it.
func (r *recent) forget() {
	<-r.turn
	r.summary = triage.Summary{}
	r.turn <- struct{}{}
}
