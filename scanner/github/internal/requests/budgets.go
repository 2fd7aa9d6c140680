package requests

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// A Budget is a number of requests that GitHub answers by the hour, and the token that it
// counts them by. GitHub counts the tokens of one person together, and those of each
// installation of an App (docs.github.com, "Rate limits for the REST API").
type Budget struct {
	Name   string // by which a user knows the token
	Tokens TokenSource
	// ID is the name of the budget in Limits: the same in all processes. If it is "", a part
	// of the hash of the token stands for it.
	ID string
	// Left is told, after each answer that says so, how many more requests of the REST API
	// GitHub answers; nil is no call. It may be called from several goroutines, and has to
	// return at once.
	Left func(left int)
}

// A budget is a Budget, and what GitHub has said of it.
type budget struct {
	Budget
	turn chan struct{} // holds one element while a request is made

	mu           sync.Mutex
	until        time.Time // none is made before
	said         string    // why
	limitedTimes int       // how often in a row it was over a limit
	left         int       // requests that GitHub answers, as of its last answer
	refused      time.Time // when GitHub refused the token, zero if it has not
	taken        time.Time // when GitHub took the token last
}

// refusedTime is for how long a token that was refused is not used while there are others:
// many requests with a wrong token make GitHub refuse right ones, too (docs.github.com,
// "Troubleshooting the REST API").
const refusedTime = 10 * time.Minute

// limited says until when b answers nothing: a time that has passed, if it does.
func (b *budget) limited() *RateLimited {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &RateLimited{Until: b.until, Said: b.said}
}

// waited notes that until has been waited for, whatever the clock says.
func (b *budget) waited(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.Equal(until) {
		b.until = time.Time{}
	}
}

// note notes the limits that a names, and returns how long they last, why, and whether b is
// over one. theirs is the time of GitHub when it is now here.
func (b *budget) note(a *reply, now, theirs time.Time) (wait time.Duration, why string, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var said struct{ Message string }
	_ = json.Unmarshal(a.body, &said) // a proxy says no JSON
	wait, over = limit(a, theirs, said.Message, b.limitedTimes)
	switch {
	case over:
		b.limitedTimes = min(b.limitedTimes+1, maxLimited)
	case a.StatusCode < http.StatusBadRequest:
		b.limitedTimes, b.refused = 0, time.Time{}
	}
	if a.StatusCode != http.StatusUnauthorized {
		b.taken = now
	}
	if wait > 0 {
		why = cmp.Or(usedUp(a), said.Message, a.Status)
		b.until, b.said = now.Add(wait), why
	}
	left, err := strconv.Atoi(a.Header.Get("X-Ratelimit-Remaining"))
	if resource := a.Header.Get("X-Ratelimit-Resource"); err == nil && (resource == "" || resource == "core") { // GraphQL and searches have their own
		b.left = left
		if b.Left != nil {
			b.Left(left)
		}
	}
	return wait, why, over
}

// refuse notes that GitHub has refused the token, and reports whether that is news.
func (b *budget) refuse() (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	news = b.refused.IsZero()
	b.refused = time.Now()
	return news
}

func (b *budget) isRefused() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Since(b.refused) < refusedTime
}

// remaining returns how many requests are left, as far as that is known.
func (b *budget) remaining() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return b.left
	case time.Until(b.until) > 0:
		return 0
	}
	return math.MaxInt // GitHub counts anew
}

// A tokenError says that there is no token for a request.
type tokenError struct{ error }

// Unwrap returns the reason.
func (e *tokenError) Unwrap() error { return e.error }

type stickyKey struct{}

// Stick returns a context whose requests are made with the same budget, that of key, as
// long as GitHub answers them: a path of the API, or another name. Requests below
// repos/OWNER/NAME stick to that by themselves. A list is the same from page to page then, and its ETags,
// which GitHub makes for each token, are of use. A key that ctx has already is kept.
func Stick(ctx context.Context, key string) context.Context {
	if _, ok := ctx.Value(stickyKey{}).(string); ok {
		return ctx
	}
	return context.WithValue(ctx, stickyKey{}, homeKey(key))
}

// homeKey returns the key for a path of the API: all below repos/OWNER/NAME has the same.
func homeKey(path string) string {
	path = strings.ToLower(path)
	if parts := strings.SplitN(path, "/", 4); len(parts) > 2 && parts[0] == "repos" {
		return strings.Join(parts[:3], "/")
	}
	return path
}

// keyOf returns the key of Stick for a request, "" if it has none.
func keyOf(req *http.Request) string {
	if key, ok := req.Context().Value(stickyKey{}).(string); ok {
		return key
	}
	if _, path, ok := strings.Cut(req.URL.Path, "/repos/"); ok {
		return homeKey("repos/" + path)
	}
	return ""
}

// order returns the budgets in the order in which they are asked for a request with a key:
// the home of the key first, then, as for a request without a key, those with the most
// requests left. It leaves out those whose token was refused, unless all were.
//
// The home is chosen by rendezvous hashing: all processes with the same budgets choose the
// same, and one more budget changes the home of as few keys as possible.
func (t *Transport) order(key string) []*budget {
	var list []*budget
	left := map[*budget]int{}
	home, highest := -1, ""
	for i, b := range t.budgets {
		if b.isRefused() {
			continue
		}
		list, left[b] = append(list, b), b.remaining()
		if hash := sha256.Sum256([]byte(strconv.Itoa(i) + " " + key)); key != "" && string(hash[:]) > highest {
			home, highest = len(list)-1, string(hash[:])
		}
	}
	if len(list) == 0 {
		return t.budgets
	}
	if home > 0 {
		list[0], list[home] = list[home], list[0]
	}
	others := list[min(1, home+1):] // all if there is no home
	slices.SortStableFunc(others, func(a, b *budget) int { return cmp.Compare(left[b], left[a]) })
	return list
}

// RoundTrip implements http.RoundTripper. The answer has been read as a whole.
//
// With several budgets, a request is made with the next one if a budget is spent, if its
// token is refused, or if it does not see a repository. GitHub says the same of a repository
// that is not there and of one that the token may not see. So a repository is not there if
// all budgets say so; RoundTrip waits for those that are spent.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	order := t.order(keyOf(req))
	if len(t.budgets) == 1 || req.URL.Host != t.host {
		return t.ask(req, t.budgets[0], true)
	}
	var spent []*budget
	var hidden, refused func() (*http.Response, error)
	for _, b := range order {
		answer, err := t.ask(req, b, false)
		same := func() (*http.Response, error) { return answer, err }
		switch {
		case req.Context().Err() != nil:
			return answer, err
		case errors.As(err, new(*RateLimited)):
			spent = append(spent, b)
		case errors.As(err, new(*tokenError)), err == nil && answer.StatusCode == http.StatusUnauthorized:
			refused = same
			t.refuse(b, err)
		case err == nil && isHidden(req, answer):
			hidden = same
		default:
			return answer, err
		}
	}
	slices.SortFunc(spent, func(a, b *budget) int { return a.limited().Until.Compare(b.limited().Until) })
	for _, b := range spent {
		answer, err := t.ask(req, b, true)
		if err != nil || !isHidden(req, answer) {
			return answer, err
		}
		hidden = func() (*http.Response, error) { return answer, nil }
	}
	switch {
	case refused != nil:
		return refused()
	case len(order) < len(t.budgets):
		return nil, errUnseen
	}
	return hidden()
}

// errUnseen says that a repository may be there or not.
var errUnseen = errors.New("it is not there for some tokens, and GitHub refuses another one, for which it may be")

// refuse notes that GitHub has refused the token of b, err saying why if it does not say so
// by the status.
func (t *Transport) refuse(b *budget, err error) {
	if b.refuse() && t.Refused != nil {
		t.Refused(b.Name, cmp.Or(err, errors.New("GitHub says 401, bad credentials")))
	}
}

// isHidden reports whether GitHub says that there is no such repository.
func isHidden(req *http.Request, answer *http.Response) bool {
	return answer.StatusCode == http.StatusNotFound && req.Method == http.MethodGet && oneRepository().MatchString(req.URL.Path)
}

// oneRepository matches the paths of requests for a repository, and for nothing of it.
var oneRepository = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`/(repos/[^/]+/[^/]+|repositories/[0-9]+)$`)
})

// takenTime is for how long a token that GitHub took is given to git without another look.
const takenTime = time.Minute

// Token returns the token for what has a key of Stick, or the zero Secret, whatever is left
// of its budget: git is not counted. key may be "". If there are others, a token that GitHub
// refuses is not returned: git says of a wrong token that there is no such repository. For
// that it makes a request, at most each minute, that GitHub does not count (docs.github.com,
// "Get rate limit status for the authenticated user").
func (t *Transport) Token(ctx context.Context, key string) (detectors.Secret, error) {
	token, _, err := t.firstToken(ctx, key, false)
	return token, err
}

// GitToken is Token for git, whose servers have limits of their own. budget is the name of
// that limit in Limits; a token that Limits knows it of is not returned.
func (t *Transport) GitToken(ctx context.Context, key string) (token detectors.Secret, budget string, err error) {
	return t.firstToken(ctx, key, true)
}

func (t *Transport) firstToken(ctx context.Context, key string, git bool) (token detectors.Secret, limit string, err error) {
	order := t.order(homeKey(key))
	var limited error // by the limit that ends first
	var until time.Time
	for _, b := range order {
		token, limit, err = t.tokenOf(ctx, b, len(order) > 1, git)
		later, refused := new(RateLimited), new(tokenError)
		switch {
		case err == nil || ctx.Err() != nil:
			return token, limit, err
		case errors.As(err, &later):
			if limited == nil || later.Until.Before(until) {
				limited, until = err, later.Until
			}
		case len(order) > 1 && errors.As(err, &refused):
			t.refuse(b, refused.error)
		default:
			return token, limit, err
		}
	}
	return detectors.Secret{}, "", cmp.Or(limited, err)
}

// tokenOf returns the token of b, and the name of its limit for git if it is for git. A
// token that GitHub refuses is a tokenError if b is one of several.
func (t *Transport) tokenOf(ctx context.Context, b *budget, several, git bool) (token detectors.Secret, limit string, err error) {
	if several {
		if err := t.check(ctx, b); err != nil {
			return token, "", &tokenError{err}
		}
	}
	if token, err = b.Tokens.Token(ctx, detectors.Secret{}); err != nil {
		return token, "", &tokenError{err}
	}
	if limit = t.nameOf(b, token) + " git"; !git || t.Limits == nil {
		return token, limit, nil
	}
	left, why, err := t.Limits.Limit(ctx, limit)
	switch {
	case err != nil:
		return token, limit, fmt.Errorf("reading until when git is refused: %w", err)
	case left > 0:
		return token, limit, &RateLimited{Until: time.Now().Add(left), Said: why}
	}
	return token, limit, nil
}

// check returns an error if GitHub refuses the token of b.
func (t *Transport) check(ctx context.Context, b *budget) error {
	b.mu.Lock()
	fresh := time.Since(b.taken) < takenTime
	b.mu.Unlock()
	if fresh {
		return nil
	}
	answer, err := t.ask(t.Probe.Clone(ctx), b, false)
	if errors.As(err, new(*tokenError)) {
		return err
	}
	if err == nil {
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusUnauthorized {
			return errors.New("GitHub says 401, bad credentials")
		}
	}
	return nil // git will say what else is wrong
}
