package verifier

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The pace of questions, see Limited.
//
// STS allows 600 requests a second in a Region to each account, and AssumeRole,
// GetSessionToken, GetCallerIdentity and others share them
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). A question is
// signed with a leaked key, so it counts for the account of its owner: startRate takes a
// thirtieth of that. AWS does not say how many requests without a valid key it takes from
// one address, so the pace has to follow its answers.
const (
	startRate  = 20.0 // a second; also the most
	leastRate  = 1.0
	startBurst = 5
	mostAtOnce = 16
	longestLag = 8 * time.Second  // the longest pause that is not asked for
	longestAsk = 30 * time.Second // the longest pause that is honoured
	maxPauses  = 6                // in a row without an answer: about half a minute
)

// A pace says when the next question may be sent. It slows down as TCP does: each refusal
// halves the rate, after a pause, and each answer lets it grow a little, by one a second in a
// second. Its methods may be called concurrently.
type pace struct {
	most  float64 // a second
	burst int
	lag   time.Duration // the first pause
	slots chan struct{} // holds an element for each question under way

	mu     sync.Mutex
	rate   float64   // a second
	next   time.Time // when the next question is due, if all came evenly
	cutAt  time.Time // when the rate was last halved
	until  time.Time // nobody asks before
	pauses int       // in a row, without an answer between
}

func newPace(perSecond float64, burst, atOnce int, lag time.Duration) *pace {
	return &pace{most: perSecond, rate: perSecond, burst: burst, lag: lag, slots: make(chan struct{}, atOnce)}
}

// begin waits until a question may be sent. Unless it returns an error, the caller calls done
// with the time that it returned.
func (p *pace) begin(ctx context.Context) (sent time.Time, err error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	for ctx.Err() == nil {
		now := time.Now()
		wait := p.take(now)
		if wait <= 0 {
			return now, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	<-p.slots
	return time.Time{}, ctx.Err()
}

// take takes the turn that is due at now, or returns how long to wait before the next try.
func (p *pace) take(now time.Time) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.until) {
		return p.until.Sub(now)
	}
	gap := time.Duration(float64(time.Second) / p.rate)
	if earliest := now.Add(-gap * time.Duration(p.burst-1)); p.next.Before(earliest) {
		p.next = earliest
	}
	if now.Before(p.next) {
		return p.next.Sub(now)
	}
	p.next = p.next.Add(gap)
	return 0
}

// done takes the answer to the question that was sent at a time: err is ErrBusy if the
// provider refused it.
func (p *pace) done(sent time.Time, err error) {
	<-p.slots
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !errors.Is(err, ErrBusy):
		p.pauses = 0
		p.rate = min(p.rate+1/p.rate, p.most)
	case !sent.After(p.cutAt): // it was under way when the rate was halved: the same refusal
	default:
		now := time.Now()
		pause := min(p.lag<<min(p.pauses, 10), max(p.lag, longestLag))
		if asked := new(BusyError); errors.As(err, &asked) {
			pause = max(pause, min(asked.Pause, longestAsk))
		}
		p.pauses++
		p.rate = max(p.rate/2, min(leastRate, p.most))
		p.cutAt, p.until = now, now.Add(pause)
		p.next = p.until // no burst after a pause
	}
}

// hopeless reports whether a refusal is not worth another try: for a long while AWS has
// answered nothing else.
func (p *pace) hopeless() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pauses >= maxPauses
}

// BusyError is an ErrBusy of a provider that may have said how long to wait.
type BusyError struct{ Pause time.Duration }

// Error implements error.
func (e *BusyError) Error() string {
	if e.Pause == 0 {
		return ErrBusy.Error()
	}
	return ErrBusy.Error() + ", and asks to wait " + e.Pause.String()
}

// Is makes it an ErrBusy.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }
