// Package requests sends the requests of package github: with a token that goes to one host
// alone, within the limits that GitHub names, and again after failures that may pass. It
// knows HTTP and no operation of the API.
package requests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

const (
	// MaxTries is how often a request is made while GitHub is too busy, and maxLimited how
	// often while a limit is exceeded.
	MaxTries   = 3
	maxLimited = 6
	// maxWait is the longest wait in CI, where the next run asks again. It is the shortest
	// wait that GitHub asks for if it names no time.
	maxWait = minSecondary * 5 / 4
	// maxLimit is the longest pause that is believed: primary limits are by the hour.
	maxLimit = time.Hour
	// minSecondary is how long to wait if GitHub refuses requests without naming a time.
	minSecondary = time.Minute
	// maxAnswer bounds an answer; a hundred comments of 64 KiB have room.
	maxAnswer = 64 << 20
	// answerTime is how long GitHub may take for an answer, all of it. It gives up after
	// ten seconds itself.
	answerTime = time.Minute
)

// A Patience says how long requests wait for GitHub. Its fields are set before the first
// request.
type Patience struct {
	// Wait waits before a request that GitHub does not answer yet, and while it works on
	// an upload: time.After if it is nil. It may be called from several goroutines.
	Wait func(context.Context, time.Duration) error
	// MaxWait is the longest wait: 75 seconds, unless it is set. A request that would
	// have to wait longer fails with a RateLimited.
	MaxWait time.Duration
	// Limits tells other processes of limits, and asks before each request whether they know
	// of one. Without it, each process finds them out for itself.
	Limits Limits
}

// Pause waits for d, however long that is, or until ctx is done, which it returns as an error.
func (p *Patience) Pause(ctx context.Context, d time.Duration) error {
	if p.Wait != nil {
		return p.Wait(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// RateLimited says that GitHub answers nothing before Until, which is longer than a Patience
// allows.
type RateLimited struct {
	Until time.Time // by the clock of this machine
	Said  string    // the reason, "" if there is none
}

// Error implements error.
func (e *RateLimited) Error() string {
	return strings.TrimSuffix("GitHub answers no more requests until "+e.Until.UTC().Format(time.RFC3339)+": "+e.Said, ": ")
}

// A Transport sends requests to one host. It is below go-github, which does not treat 429
// as a limit, and which compares the end of a limit with the clock of this machine.
//
// With a token it makes one request at a time, as GitHub advises (docs.github.com, "Best
// practices for using the REST API"), from however many goroutines. So it makes no request
// before the time that GitHub has named. Each of GitHub's limits holds for all requests with
// that token; with several tokens, others go on (budgets.go), and other processes know
// (limits.go). Times are counted from the Date of the answer, so a clock that is wrong, or is
// set in between, does not matter.
//
// A request is made again, twice at most, if the answer is cut off, is no JSON, or has a
// status of 5xx.
type Transport struct {
	*Patience
	// Refused is called when GitHub refuses the token of a budget and others go on; nil is
	// no call. It is set before the first request, and called from several goroutines.
	Refused func(name string, err error)
	// Probe is a request that GitHub does not count, by which a token is tried. It is set
	// if there are several budgets.
	Probe   *http.Request
	host    string // which gets the tokens
	budgets []*budget

	mu   sync.Mutex
	skew time.Duration // by how much the clock of GitHub is ahead of ours
}

// New returns a Transport that sends the tokens of one or more budgets to a host, HOST or
// HOST:PORT, and to no other.
func New(host string, budgets ...Budget) *Transport {
	t := &Transport{Patience: &Patience{MaxWait: maxWait}, host: host}
	for _, b := range budgets {
		t.budgets = append(t.budgets, &budget{Budget: b, turn: make(chan struct{}, 1), left: math.MaxInt})
	}
	return t
}

// ask makes a request with the token of b. Unless it waits, a limit of b is a RateLimited at
// once.
func (t *Transport) ask(req *http.Request, b *budget, waits bool) (*http.Response, error) {
	ctx := req.Context()
	token, err := t.token(req, b, detectors.Secret{})
	if err != nil {
		return nil, &tokenError{err}
	}
	renewed, limits, failures, pause := false, 0, 0, time.Second
	for {
		name := t.limitName(req, b, token)
		if err := t.acquire(ctx, b, name, waits); err != nil {
			return nil, err
		}
		answer, err := t.send(req, token)
		limited, noteErr := t.noteLimits(ctx, b, name, answer)
		<-b.turn
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case noteErr != nil:
			return nil, noteErr
		case limited:
			if limits++; limits == maxLimited {
				return nil, b.limited()
			}
			continue // acquire waits
		case err == nil && answer.StatusCode == http.StatusUnauthorized && !renewed:
			renewed = true
			// A failure to get another token would hide the reason why one is needed.
			if fresh, err := t.token(req, b, token); err == nil && !fresh.Equal(token) {
				token = fresh
				continue
			}
			return answer.response(), nil
		case err == nil && answer.StatusCode < http.StatusInternalServerError:
			return answer.response(), nil
		case err == nil:
			err = fmt.Errorf("the answer is %s", answer.Status)
		case errors.Is(err, errTooLong):
			return nil, err
		}
		if failures++; failures == MaxTries {
			return nil, fmt.Errorf("tried %d times: %w", MaxTries, err)
		}
		if err := t.Pause(ctx, pause); err != nil {
			return nil, err
		}
		pause *= 4
	}
}

// token returns the token of b for req, a different one from refused if possible.
func (t *Transport) token(req *http.Request, b *budget, refused detectors.Secret) (detectors.Secret, error) {
	if req.URL.Host != t.host {
		return detectors.Secret{}, nil
	}
	return b.Tokens.Token(req.Context(), refused)
}

// acquire waits for the turn of a request, and until GitHub answers requests of b again, if
// it waits. name is that of b in Limits. If it returns no error, the caller has to end the
// turn by receiving from b.turn.
func (t *Transport) acquire(ctx context.Context, b *budget, name string, waits bool) error {
	for {
		select {
		case b.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		err := t.learn(ctx, b, name)
		until := b.limited().Until
		left := time.Until(until)
		if left <= 0 && err == nil {
			return nil
		}
		<-b.turn
		if err != nil {
			return err
		}
		if !waits || left > t.MaxWait {
			return b.limited()
		}
		// Full seconds: for people, and never too few.
		if err := t.Pause(ctx, (left + time.Second - 1).Truncate(time.Second)); err != nil {
			return err
		}
		b.waited(until)
	}
}

// A reply is a whole answer of GitHub.
type reply struct {
	*http.Response
	body      []byte
	anonymous bool // the request had no token
}

// response returns a for go-github, without the headers about limits: go-github would
// apply them by another clock.
func (a *reply) response() *http.Response {
	for _, name := range []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "Retry-After"} {
		a.Header.Del(name)
	}
	a.Body, a.ContentLength = io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	return a.Response
}

var errTooLong = fmt.Errorf("the answer has more than %d MiB", maxAnswer>>20)

// send makes one request, and reads the answer.
func (t *Transport) send(req *http.Request, token detectors.Secret) (*reply, error) {
	ctx, cancel := context.WithTimeout(req.Context(), answerTime)
	defer cancel()
	again := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
	}
	if !token.IsZero() {
		again.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := http.DefaultTransport.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	resp.Request = req
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case len(body) > maxAnswer:
		return nil, errTooLong
	case req.Method == http.MethodGet && resp.StatusCode == http.StatusOK && !isFile(resp) && !json.Valid(body):
		return nil, fmt.Errorf("the answer, %d bytes, is not JSON; is this the API of GitHub?", len(body))
	}
	if resp.StatusCode >= http.StatusBadRequest && !token.IsZero() { // some servers repeat the request in an error, which becomes a message
		body = bytes.ReplaceAll(body, []byte(token.Reveal()), []byte("[redacted]"))
	}
	return &reply{resp, body, token.IsZero()}, nil
}

// isFile reports whether the answer is a file, as downloads ask for.
func isFile(resp *http.Response) bool {
	kind := resp.Header.Get("Content-Type")
	return strings.Contains(resp.Request.Header.Get("Accept"), OctetStream) || strings.Contains(kind, "zip") || strings.Contains(kind, OctetStream)
}

// OctetStream is the media type of any file.
const OctetStream = "application/octet-stream"

// noteLimits notes the limits of b that a names, and reports whether b is over one
// (docs.github.com, "Rate limits for the REST API"). name is that of b in Limits.
func (t *Transport) noteLimits(ctx context.Context, b *budget, name string, a *reply) (over bool, err error) {
	if a == nil {
		return false, nil
	}
	now := time.Now()
	theirs := now
	if date, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		theirs = date
	}
	t.mu.Lock()
	t.skew = theirs.Sub(now)
	t.mu.Unlock()
	wait, why, over := b.note(a, now, theirs)
	if wait <= 0 || name == "" {
		return over, nil
	}
	if err := t.Limits.PutLimit(ctx, name, wait, why); err != nil {
		return over, fmt.Errorf("noting until when GitHub answers no more requests: %w", err)
	}
	return over, nil
}

// limit returns for how long a forbids requests, and whether a is a refusal because of a
// limit. times counts the refusals in a row before it; theirs is the time of GitHub. A time
// that GitHub names is kept, and no more than that. If it names none, the pause grows
// (docs.github.com, "Best practices for using the REST API": handle rate limit errors).
func limit(a *reply, theirs time.Time, message string, times int) (wait time.Duration, over bool) {
	refused := a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusTooManyRequests
	busy := a.StatusCode >= http.StatusInternalServerError
	after, named := retryAfter(a.Header.Get("Retry-After"), theirs)
	reset, err := strconv.ParseInt(a.Header.Get("X-Ratelimit-Reset"), 10, 64)
	spent := a.Header.Get("X-Ratelimit-Remaining") == "0"
	switch {
	case named && (refused || busy):
		return namedWait(after, times), true
	case spent && refused && err == nil:
		return namedWait(untilUnix(reset, theirs), times), true
	case spent && refused:
		return namedWait(0, times), true
	case spent && err == nil && !busy: // this one was the last
		return min(max(untilUnix(reset, theirs), 0), maxLimit), false
	case a.StatusCode == http.StatusTooManyRequests, refused && saysLimit(message):
		wait = minSecondary << times
		return min(wait+rand.N(wait/4), maxLimit), true
	}
	return 0, false
}

// saysLimit reports whether a refusal without a time is one because of a secondary limit.
// GitHub Enterprise Server has called that "an abuse detection mechanism".
func saysLimit(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "rate limit") || strings.Contains(message, "abuse detection")
}

// namedWait returns how long to wait if GitHub says so long. If that time has passed, or is
// unreadable, it asks again soon, and then less often: after 1, 4, 16, 60 seconds.
func namedWait(named time.Duration, times int) time.Duration {
	if named > 0 {
		return min(named, maxLimit)
	}
	return min(time.Second<<(2*times), minSecondary)
}

// untilUnix is how long it is from now to the second at, which a server has named.
func untilUnix(at int64, now time.Time) time.Duration {
	return time.Unix(min(max(at, 0), now.Unix()+int64(2*maxLimit/time.Second)), 0).Sub(now)
}

// retryAfter reads a Retry-After, in seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(header string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(2*maxLimit/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(header)
	return at.Sub(now), err == nil
}

// Now is the time of GitHub, as far as it is known.
func (t *Transport) Now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Now().Add(t.skew)
}
