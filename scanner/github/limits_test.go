package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// TestLimitSaid: whoever waits learns which limit is used up, also by the last request that
// GitHub has answered.
func TestLimitSaid(t *testing.T) {
	const app, refused = `{"full_name":"ada/app"}`, `{"message":"API rate limit exceeded for user ID 1."}`
	spent := []string{"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: {now+600}", "X-RateLimit-Limit: 5000"}
	with := func(headers ...string) []string { return append(headers, spent...) }
	for _, tt := range []struct {
		name, token string
		fake        fake
		want        string
	}{
		{"last", token, says(200, app, spent...), "the 5,000 requests an hour of this token are used up"},
		{"refused", token, says(403, refused, with("X-RateLimit-Resource: core")...), "the 5,000 requests an hour of this token are used up"},
		{"no_token", "", says(200, app, append(spent[:2:2], "X-RateLimit-Limit: 60")...), "the 60 requests an hour without a token are used up"},
		{"graphql", token, says(200, app, with("X-RateLimit-Resource: graphql")...), "the 5,000 points of GraphQL an hour of this token are used up"},
		{"search", token, says(403, refused, append(spent[:2:2], "X-RateLimit-Limit: 30", "X-RateLimit-Resource: search")...), "the 30 requests of this token for search are used up"},
		{"no_number", token, says(403, refused, spent[:2]...), "the requests an hour of this token are used up"},
		{"secondary", token, says(403, `{"message":"You have exceeded a secondary rate limit."}`, "Retry-After: 600"), "You have exceeded a secondary rate limit."},
		{"silent", token, says(429, ``, "Retry-After: 600"), "429 Too Many Requests"},
		{"busy", token, says(503, ``, with("Retry-After: 600")...), "503 Service Unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, _, _ := lister(t, tt.fake)
			l.MaxWait = 0
			if tt.token == "" {
				anonymous, err := NewLister(l.api.BaseURL.String(), Static{}, "test")
				if err != nil {
					t.Fatal(err)
				}
				l = anonymous
			}
			limited := new(RateLimited)
			for range 2 {
				if _, err := l.Parent(t.Context(), "ada/app"); errors.As(err, &limited) {
					break
				}
			}
			if limited.Said != tt.want || !strings.HasSuffix(limited.Error(), ": "+tt.want) {
				t.Errorf("got %q, want %q", limited, tt.want)
			}
		})
	}
}

// A ledger is Limits in memory.
type ledger struct {
	mu    sync.Mutex
	until map[string]time.Time
	fails error
}

func (l *ledger) Limit(_ context.Context, budget string) (time.Duration, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.until[budget])), "as others know", l.fails
}

func (l *ledger) PutLimit(_ context.Context, budget string, left time.Duration, _ string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until[budget] = time.Now().Add(left)
	return l.fails
}

// TestLimitsOfOthers: a process that begins later knows which tokens are spent. A token is not
// named, but by a part of its hash.
func TestLimitsOfOthers(t *testing.T) {
	s, shared := &sharedServer{limit: 10}, &ledger{until: map[string]time.Time{}}
	first, _ := sharedLister(t, s, "a", "b")
	first.Limits = shared
	ask := func(l *Lister, n int) error {
		_, err := l.Parent(t.Context(), fmt.Sprintf("acme/r%d", n))
		return err
	}
	for n := 0; s.counted["a"] < 10; n++ {
		if err := ask(first, n); err != nil {
			t.Fatal(err)
		}
	}
	process := func() *Lister {
		l, err := NewSharedLister(first.api.BaseURL.String(), "test", nil, Budget{Tokens: Static{Secret: detectors.NewSecret("a")}}, Budget{Tokens: Static{Secret: detectors.NewSecret("b")}})
		if err != nil {
			t.Fatal(err)
		}
		l.Limits, l.MaxWait = shared, 0
		return l
	}
	second := process()
	for n := 0; s.counted["b"] < 10; n++ {
		if err := ask(second, n); err != nil {
			t.Fatal(err)
		}
	}
	limited := new(RateLimited)
	if err := ask(first, 0); !errors.As(err, &limited) || limited.Said != "as others know" && !strings.Contains(limited.Said, "used up") {
		t.Errorf("all are spent: %v", err)
	}
	if s.refused > 0 || s.counted["a"] != 10 {
		t.Errorf("%v, %d refused", s.counted, s.refused)
	}
	for name := range shared.until {
		if host := second.api.BaseURL.Host; !strings.HasPrefix(name, host+" ") || len(name) != len(host)+1+12 {
			t.Errorf("a budget is called %q", name)
		}
	}
	shared.fails = errors.New("the database is away")
	if err := ask(process(), 0); !errors.Is(err, shared.fails) || s.refused > 0 {
		t.Errorf("nobody knows whether it is spent: %v, %d refused", err, s.refused)
	}
}

// TestLimitsOfGit: git is given a token that its servers do not refuse.
func TestLimitsOfGit(t *testing.T) {
	s, shared := &sharedServer{}, &ledger{until: map[string]time.Time{}}
	l, refused := sharedLister(t, s, "a", "b")
	l.Limits = shared
	for range 2 {
		url, budget, err := l.CloneURL(t.Context(), "acme/app")
		if err != nil {
			t.Fatal(err)
		}
		if err := shared.PutLimit(t.Context(), budget, time.Duration(10-len(shared.until))*time.Minute, "slow"); err != nil {
			t.Fatal(err)
		}
		if again, _, err := l.CloneURL(t.Context(), "acme/app"); again == url {
			t.Errorf("a token that is refused is given again: %v", err)
		}
	}
	_, _, err := l.CloneURL(t.Context(), "acme/app")
	limited := new(RateLimited)
	if !errors.As(err, &limited) || time.Until(limited.Until) > 9*time.Minute || len(shared.until) != 2 {
		t.Errorf("both are refused: %v", err)
	}
	if _, err := l.Parent(t.Context(), "acme/app"); err != nil {
		t.Errorf("git is refused, and the API is not: %v", err)
	}
	shared.fails = errors.New("the database is away")
	if _, _, err := l.CloneURL(t.Context(), "acme/app"); !errors.Is(err, shared.fails) || len(*refused) > 0 {
		t.Errorf("%v, refused %q", err, *refused)
	}
	if _, err := l.Token(t.Context()); err != nil {
		t.Error(err)
	}
}
