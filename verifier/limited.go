package verifier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/stanch-dev/stanch/detectors"
)

// Limited paces the questions to a provider: one at a time for each key id, a rate over all
// of them, one retry when the provider is busy, and none at all once the network has shown
// that it does not lead to the provider.
//
// Put it around a Verifier that sends something at every call.
type Limited struct {
	Verifier Verifier

	PerSecond   float64       // calls a second in the long run; 0 means 2
	Burst       int           // calls at once; 0 means 5
	MaxNoAnswer int           // verdicts with ErrNoAnswer in a row before it stops asking; 0 means 3
	Backoff     time.Duration // before the second try when busy; 0 means a second

	mu       sync.Mutex
	bucket   *rate.Limiter
	turns    map[string]chan struct{} // by key id; holds an element while one is being asked
	noAnswer int                      // in a row; no longer counted once it reached MaxNoAnswer
	cause    error                    // of the last of these
}

// Verify implements Verifier. Calls that wait for their turn return as soon as
// ctx is done.
func (l *Limited) Verify(ctx context.Context, c detectors.Credential) Verdict {
	turn := l.turn(c.ID)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return cancelled(ctx.Err())
	}
	v := l.ask(ctx, c)
	if errors.Is(v.Err, ErrBusy) {
		select {
		case <-time.After(cmp.Or(l.Backoff, time.Second)):
			v = l.ask(ctx, c)
		case <-ctx.Done():
		}
	}
	if ctx.Err() == nil { // else the failure is the caller's, not the network's
		l.count(v.Err)
	}
	return v
}

func (l *Limited) ask(ctx context.Context, c detectors.Credential) Verdict {
	if err := l.stopped(); err != nil {
		return notAsked(err)
	}
	if err := l.bucket.Wait(ctx); err != nil {
		return cancelled(err)
	}
	// Again, because others may have failed meanwhile.
	if err := l.stopped(); err != nil {
		return notAsked(err)
	}
	return l.Verifier.Verify(ctx, c)
}

func notAsked(err error) Verdict {
	return Verdict{State: Unknown, Reason: "not asked: earlier requests got no answer (circuit open)", Err: err}
}

// turn returns the channel that lets one call at a time through for id.
func (l *Limited) turn(id string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turns == nil {
		l.bucket = rate.NewLimiter(rate.Limit(cmp.Or(l.PerSecond, 2)), cmp.Or(l.Burst, 5))
		l.turns = map[string]chan struct{}{}
	}
	turn, ok := l.turns[id]
	if !ok {
		turn = make(chan struct{}, 1)
		l.turns[id] = turn
	}
	return turn
}

func (l *Limited) stopped() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.noAnswer < l.maxNoAnswer() {
		return nil
	}
	// The cause as text: it may wrap ErrBusy, and there is no use in a retry.
	return fmt.Errorf("%w, %d times in a row, the last: %v", ErrNoAnswer, l.noAnswer, l.cause)
}

func (l *Limited) count(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.noAnswer >= l.maxNoAnswer(): // stays open to the end of the run
	case errors.Is(err, ErrNoAnswer):
		l.noAnswer++
		l.cause = err
	default:
		l.noAnswer = 0
	}
}

func (l *Limited) maxNoAnswer() int { return cmp.Or(l.MaxNoAnswer, 3) }
