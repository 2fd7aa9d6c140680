package github

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// A sharedServer counts the requests of each token against a limit an hour, and says so.
type sharedServer struct {
	limit int // 0: none

	mu      sync.Mutex
	revoked map[string]bool
	hidden  map[string]bool // "TOKEN PATH": the token does not see that repository
	counted map[string]int
	homes   map[string]map[string]bool // repository → tokens that were sent
	refused int
	limits  int // requests that are not counted
}

func (s *sharedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	left := s.limit - s.counted[token]
	if s.limit > 0 {
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
		w.Header().Set("X-RateLimit-Resource", "core")
		w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(max(left-1, 0)))
	}
	if r.URL.Path == "/rate_limit" {
		s.limits++
	}
	switch {
	case s.revoked[token]:
		s.refused++
		says(401, `{"message":"Bad credentials"}`)(w, r)
	case r.URL.Path == "/rate_limit":
		w.WriteHeader(http.StatusNotFound) // as GitHub Enterprise Server says that has no limits
		_, _ = w.Write([]byte(`{}`))
	case s.limit > 0 && left <= 0:
		s.refused++
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"API rate limit exceeded"}`))
	case s.hidden[token+" "+r.URL.Path]:
		s.counted[token]++
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":"Not Found"}`))
	default:
		s.counted[token]++
		name := strings.TrimPrefix(r.URL.Path, "/repos/")
		if s.homes[name] == nil {
			s.homes[name] = map[string]bool{}
		}
		s.homes[name][token] = true
		_, _ = fmt.Fprintf(w, `{"id":1,"full_name":%q}`, name)
	}
}

// sharedLister returns a Lister with the tokens a, b and so on, which does not wait, and the
// names of the budgets that were refused.
func sharedLister(t *testing.T, s *sharedServer, tokens ...string) (l *Lister, refused *[]string) {
	t.Helper()
	s.counted, s.homes = map[string]int{}, map[string]map[string]bool{}
	s.revoked, s.hidden = map[string]bool{}, map[string]bool{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	refused = new([]string)
	var budgets []Budget
	for _, token := range tokens {
		budgets = append(budgets, Budget{Name: "budget of " + token, Tokens: Static{Secret: detectors.NewSecret(token)}})
	}
	l, err := NewSharedLister(srv.URL, "test", func(name string, _ error) { *refused = append(*refused, name) }, budgets...)
	if err != nil {
		t.Fatal(err)
	}
	l.MaxWait, l.Wait = 0, nothing
	return l, refused
}

// TestShared: two tokens with 100 requests an hour answer 200, and say then until when there
// are no more. A repository keeps its token until that is spent.
func TestShared(t *testing.T) {
	s := &sharedServer{limit: 100}
	l, _ := sharedLister(t, s, "a", "b")
	ask := func(n int) error {
		_, err := l.Parent(t.Context(), fmt.Sprintf("acme/r%d", n%50))
		return err
	}
	for n := range 100 {
		if err := ask(n); err != nil {
			t.Fatal(n, err)
		}
	}
	for name, tokens := range s.homes {
		if len(tokens) != 1 {
			t.Errorf("%s was asked for with %d tokens", name, len(tokens))
		}
	}
	if a, b := s.counted["a"], s.counted["b"]; a < 25 || b < 25 {
		t.Errorf("the tokens have had %d and %d requests", a, b)
	}
	for n := range 100 {
		if err := ask(n); err != nil {
			t.Fatal(n, err)
		}
	}
	if s.counted["a"] != 100 || s.counted["b"] != 100 || s.refused != 0 {
		t.Errorf("%v, %d refused", s.counted, s.refused)
	}
	limited := new(RateLimited)
	if err := ask(0); !errors.As(err, &limited) || time.Until(limited.Until) < 59*time.Minute || s.refused != 0 {
		t.Errorf("%v, %d refused", err, s.refused)
	}
}

// TestSharedAtOnce: requests of many goroutines are shared, too, and no limit is exceeded.
func TestSharedAtOnce(t *testing.T) {
	s := &sharedServer{limit: 20}
	l, _ := sharedLister(t, s, "a", "b", "c")
	var group sync.WaitGroup
	var failed sync.Map
	for n := range 60 {
		group.Go(func() {
			if _, err := l.Parent(t.Context(), fmt.Sprintf("acme/r%d", n)); err != nil {
				failed.Store(n, err)
			}
		})
	}
	group.Wait()
	failed.Range(func(n, err any) bool { t.Error(n, err); return true })
	if s.refused != 0 || s.counted["a"] != 20 || s.counted["b"] != 20 || s.counted["c"] != 20 {
		t.Errorf("%v, %d refused", s.counted, s.refused)
	}
}

// TestSharedRevoked: a token that is revoked leaves the other, is sent once, and is told of once.
func TestSharedRevoked(t *testing.T) {
	s := &sharedServer{}
	l, refused := sharedLister(t, s, "a", "b")
	s.revoked["a"] = true
	for n := range 50 {
		if _, err := l.Parent(t.Context(), fmt.Sprintf("acme/r%d", n)); err != nil {
			t.Fatal(n, err)
		}
		if url, _, err := l.CloneURL(t.Context(), fmt.Sprintf("acme/r%d", n)); err != nil || n > 20 && !strings.Contains(url, ":b@") {
			t.Error(url, err)
		}
	}
	if s.refused != 1 || s.counted["b"] != 50 || !slices.Equal(*refused, []string{"budget of a"}) {
		t.Errorf("%v, %d refused, %q", s.counted, s.refused, *refused)
	}
	// It may see a repository that the other does not see: that one is not gone.
	s.hidden["b /repos/acme/hidden"] = true
	if _, err := l.Parent(t.Context(), "acme/hidden"); err == nil || errors.Is(err, ErrGone) {
		t.Errorf("a repository that the revoked token may see: %v", err)
	}
	s.revoked["b"] = true
	for range 2 {
		if _, err := l.Parent(t.Context(), "acme/r1"); !errors.Is(err, ErrDenied) || errors.Is(err, ErrGone) {
			t.Errorf("both are revoked: %v", err)
		}
	}
	if len(*refused) != 2 {
		t.Errorf("%q", *refused)
	}
}

// TestSharedClone: git is never given a token that GitHub refuses, although no request has
// said so, and few requests are made for that.
func TestSharedClone(t *testing.T) {
	s := &sharedServer{limit: 10}
	l, refused := sharedLister(t, s, "a", "b")
	s.revoked["a"] = true
	for n := range 50 {
		if url, _, err := l.CloneURL(t.Context(), fmt.Sprintf("acme/r%d", n)); err != nil || !strings.Contains(url, ":b@") {
			t.Error(url, err)
		}
	}
	if s.limits != 2 || len(s.counted) > 0 || len(*refused) != 1 {
		t.Errorf("%d requests, %v counted, %q", s.limits, s.counted, *refused)
	}
}

// TestSharedHidden: a repository is gone if all tokens say so, and not before.
func TestSharedHidden(t *testing.T) {
	s := &sharedServer{limit: 1000}
	l, _ := sharedLister(t, s, "a", "b")
	for n := range 8 { // of either home
		path := fmt.Sprintf("/repos/acme/r%d", n)
		s.hidden["a "+path], s.hidden["b "+path] = true, false
		if _, err := l.Parent(t.Context(), path[len("/repos/"):]); err != nil {
			t.Errorf("b sees %s: %v", path, err)
		}
		s.hidden["b "+path] = true
		if _, err := l.Parent(t.Context(), path[len("/repos/"):]); !errors.Is(err, ErrGone) {
			t.Errorf("nobody sees %s: %v", path, err)
		}
	}
	s.counted["b"] = 1000 // spent, which GitHub has not said yet
	for n := range 8 {
		limited := new(RateLimited)
		if _, err := l.Parent(t.Context(), fmt.Sprintf("acme/r%d", n)); !errors.As(err, &limited) {
			t.Errorf("a does not see r%d, and b is spent: %v", n, err)
		}
	}
	if s.refused > 1 {
		t.Errorf("%d requests with a token that was spent", s.refused)
	}
	if homes := slices.Sorted(maps.Keys(s.homes)); len(homes) != 8 {
		t.Error(homes)
	}
}
