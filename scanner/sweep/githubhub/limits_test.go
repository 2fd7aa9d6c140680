//go:build sweep

package githubhub_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/github/login"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
	"github.com/stanch-dev/stanch/scanner/sweep/githubhub"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// A limitedServer is a GitHub that answers so many requests of each token in each window,
// which is longer than a worker waits.
type limitedServer struct {
	limit  int
	window time.Duration
	// refuse says how it refuses the next request: "told" says before that none is left,
	// "reset" names the time, "after" the seconds.
	refuse string

	mu       sync.Mutex
	used     map[string]int
	until    map[string]time.Time // of the window of a token
	refused  map[string]bool      // in this window
	answered int
	refusals int
	after    int // requests of a token after its refusal, or after its last answer
}

func (s *limitedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	now := time.Now()
	if s.refused[token] && !now.Before(s.until[token]) {
		s.used[token], s.refused[token] = 0, false
	}
	if !s.refused[token] { // a window ends after its last answer, so the test need not hurry
		s.until[token] = now.Add(s.window).Truncate(time.Second)
	}
	header := w.Header()
	if s.refuse != "after" {
		header.Set("X-RateLimit-Limit", "5000")
		header.Set("X-RateLimit-Reset", fmt.Sprint(s.until[token].Unix()))
		header.Set("X-RateLimit-Remaining", fmt.Sprint(max(1, s.limit-s.used[token])))
	}
	if s.refused[token] {
		s.after++
	}
	if s.used[token]++; s.used[token] > s.limit {
		s.refusals++
		s.refused[token] = true
		header.Set("X-RateLimit-Remaining", "0")
		if s.refuse == "after" {
			header.Del("X-RateLimit-Remaining")
			header.Set("Retry-After", fmt.Sprint(int(time.Until(s.until[token]).Seconds())+1))
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"You have exceeded a secondary rate limit."}`))
		return
	}
	if s.refuse == "told" && s.used[token] == s.limit {
		s.refused[token] = true
		header.Set("X-RateLimit-Remaining", "0")
	}
	s.answered++
	owner := strings.Split(r.URL.Path, "/")[2]
	_, _ = fmt.Fprintf(w, `[{"id":1,"full_name":"%s/app","fork":true}]`, owner)
}

// TestLimitsOfTokens: two processes with three tokens and one database make no request with a
// token that is spent before its reset, whichever of them was told. The other tokens go on,
// and all targets are listed at last.
func TestLimitsOfTokens(t *testing.T) {
	for _, refuse := range []string{"told", "reset", "after"} {
		t.Run("sqlite/"+refuse, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "sweep.db")
			testLimitsOfTokens(t, refuse, false, func() *sql.DB { return sweeptest.OpenSQLite(t, file) })
		})
	}
	t.Run("postgresql", func(t *testing.T) {
		t.Parallel()
		url := sweeptest.StartPostgres(t).URL
		testLimitsOfTokens(t, "reset", true, func() *sql.DB {
			db, err := sql.Open("pgx", url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			return db
		})
	})
}

func testLimitsOfTokens(t *testing.T, refuse string, postgres bool, open func() *sql.DB) {
	t.Helper()
	s := &limitedServer{limit: 8, window: 8 * time.Second, refuse: refuse, used: map[string]int{}, until: map[string]time.Time{}, refused: map[string]bool{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	as := login.Login{API: srv.URL}
	for _, name := range []string{"a", "b", "c"} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte("token-"+name), 0o600); err != nil {
			t.Fatal(err)
		}
		as.TokenFiles = append(as.TokenFiles, file)
	}
	var engines []*engine.Engine
	for range 2 {
		store := sweep.NewStore(open(), postgres)
		if err := store.Migrate(t.Context(), database.Version()); err != nil {
			t.Fatal(err)
		}
		engines = append(engines, &engine.Engine{
			Store: store, Queue: &sweeptest.Queue{}, Hub: githubhub.New(as, 0, store, store.Now), Detector: "v1", LookEvery: time.Hour, Log: slog.New(slog.DiscardHandler),
		})
	}
	jobs := map[string]sweep.Job{}
	for n := range 24 {
		name := fmt.Sprint("org", n)
		if err := engines[0].Store.PutTarget(t.Context(), sweep.Target{Name: name, API: srv.URL, Options: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if err := engines[0].Store.Begin(t.Context(), &sweeptest.Queue{}, name, true); err != nil {
			t.Fatal(err)
		}
		jobs[name] = sweep.Job{Kind: sweep.KindList, Target: name, Sweep: 1, Full: true}
	}
	began, turn, waits := time.Now(), 0, 0
	for len(jobs) > 0 && time.Since(began) < time.Minute {
		var until time.Time
		for _, name := range slices.Sorted(maps.Keys(jobs)) {
			turn++
			err := engines[turn%2].Do(t.Context(), jobs[name], false, func(context.Context, *sql.Tx) error { delete(jobs, name); return nil })
			later := new(sweep.Later)
			switch {
			case errors.As(err, &later):
				if waits++; waits == 1 && s.answered != 3*s.limit {
					t.Errorf("%d requests were answered before all tokens were spent, of %d", s.answered, 3*s.limit)
				}
				if want := map[string]string{"after": "secondary rate limit"}[refuse]; !strings.Contains(later.Why, want) || want == "" && !strings.HasSuffix(later.Why, "the 5,000 requests an hour of this token are used up") {
					t.Errorf("it waits since %s", later.Why)
				}
				until = later.At
			case err != nil:
				t.Fatal(err)
			}
		}
		time.Sleep(time.Until(until))
	}
	if len(jobs) > 0 || s.answered != 48 || waits == 0 {
		t.Errorf("%d requests were answered, %d targets are left, %d waits", s.answered, len(jobs), waits)
	}
	if s.after > 0 || refuse == "told" && s.refusals > 0 || refuse != "told" && s.refusals == 0 {
		t.Errorf("%d requests with spent tokens, %d refusals", s.after, s.refusals)
	}
	t.Logf("%d answered, %d refused, %d of them with a token that was known to be spent, %d jobs waited", s.answered, s.refusals, s.after, waits)
}
