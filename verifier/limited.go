package verifier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// Limited paces the questions to a provider: one at a time for each key id, a few at once and
// a rate over all of them. The rate halves when the provider is too busy, and grows back
// slowly; a question that was refused is asked again. None is sent once the network has
// shown that it does not lead to the provider.
//
// Put it around a Verifier that sends something at every call.
type Limited struct {
	Verifier Verifier

	PerSecond   float64       // calls a second to begin with, and at most; 0 means 20
	Burst       int           // calls at once after a rest; 0 means 5
	AtOnce      int           // calls that wait for an answer; 0 means 16
	MaxNoAnswer int           // verdicts with ErrNoAnswer in a row before it stops asking; 0 means 3
	Backoff     time.Duration // the first pause when the provider is busy, which doubles; 0 means a second

	mu       sync.Mutex
	pace     *pace
	turns    map[string]chan struct{} // by key id; holds an element while one is being asked
	noAnswer int                      // in a row; no longer counted once it reached MaxNoAnswer
	cause    error                    // of the last of these
}

// maxTries is how often a question is asked while the provider is too busy to answer.
const maxTries = 8

// Verify implements Verifier. Calls that wait for their turn return as soon as
// ctx is done.
func (l *Limited) Verify(ctx context.Context, c detectors.Credential) Verdict {
	turn, pace := l.turn(c.ID)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return cancelled(ctx.Err())
	}
	v := l.ask(ctx, pace, c)
	for tries := 1; errors.Is(v.Err, ErrBusy) && ctx.Err() == nil; tries++ {
		// A load balancer that says it is busy may be no part of the provider.
		gateway := errors.Is(v.Err, ErrNoAnswer) && tries > 1
		if tries == maxTries || gateway || pace.hopeless() {
			break
		}
		v = l.ask(ctx, pace, c)
	}
	if ctx.Err() == nil { // else the failure is the caller's, not the network's
		l.count(v.Err)
	}
	return v
}

func (l *Limited) ask(ctx context.Context, pace *pace, c detectors.Credential) Verdict {
	if err := l.stopped(); err != nil {
		return notAsked(err)
	}
	sent, err := pace.begin(ctx)
	if err != nil {
		return cancelled(err)
	}
	// Again, because others may have failed meanwhile.
	if err := l.stopped(); err != nil {
		pace.done(sent, err)
		return notAsked(err)
	}
	v := Verdict{}
	defer func() { pace.done(sent, v.Err) }() // even if Verify panics
	v = l.Verifier.Verify(ctx, c)
	return v
}

func notAsked(err error) Verdict {
	return Verdict{State: Unknown, Reason: "not asked: earlier requests got no answer (circuit open)", Err: err}
}

// turn returns the channel that lets one call at a time through for id, and the pace.
func (l *Limited) turn(id string) (chan struct{}, *pace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turns == nil {
		l.pace = newPace(cmp.Or(l.PerSecond, startRate), cmp.Or(l.Burst, startBurst), cmp.Or(l.AtOnce, mostAtOnce), cmp.Or(l.Backoff, time.Second))
		l.turns = map[string]chan struct{}{}
	}
	turn, ok := l.turns[id]
	if !ok {
		turn = make(chan struct{}, 1)
		l.turns[id] = turn
	}
	return turn, l.pace
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
