//go:build sweep

package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// stages are the calls of a sweep, in the order in which it comes to them first.
var stages = []struct {
	name string
	is   func(path, page string) bool
}{
	{"page 1 of the list", func(path, page string) bool { return path == "/orgs/acme/repos" && page != "2" }},
	{"page 2 of the list", func(path, page string) bool { return path == "/orgs/acme/repos" && page == "2" }},
	{"activity", func(path, _ string) bool { return strings.HasSuffix(path, "/activity") }},
	{"texts", func(path, _ string) bool { return strings.HasSuffix(path, "/issues") }},
	{"parent", func(path, _ string) bool { return path == "/repos/acme/copy" }},
}

// limits are the ways in which GitHub says that it answers nothing for some seconds
// (docs.github.com, "Rate limits for the REST API").
var limits = []struct {
	name           string
	status         int
	reset, message string // the header of the time, and what the body says
}{
	{"primary 403", http.StatusForbidden, "X-RateLimit-Reset", "API rate limit exceeded"},
	{"primary 429", http.StatusTooManyRequests, "X-RateLimit-Reset", "API rate limit exceeded"},
	{"secondary 403", http.StatusForbidden, "Retry-After", "You have exceeded a secondary rate limit"},
	{"secondary 429", http.StatusTooManyRequests, "Retry-After", "You have exceeded a secondary rate limit"},
}

// A limiter answers the first call of each stage with a limit.
type limiter struct {
	seconds int
	kind    func(stage int) int

	mu    sync.Mutex
	met   [5]bool
	until time.Time
	stage string // that of the last limit
	early []string
}

// answer is a fault of simulated.
func (l *limiter) answer(w http.ResponseWriter, r *http.Request) bool {
	path, api := strings.CutPrefix(r.URL.Path, "/api/v3")
	if !api {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.until) {
		l.early = append(l.early, path)
	}
	for i, stage := range stages {
		if l.met[i] || !stage.is(path, r.FormValue("page")) {
			continue
		}
		l.met[i], l.stage = true, stage.name
		now := time.Now()
		kind := limits[l.kind(i)]
		w.Header().Set("X-RateLimit-Remaining", "4000")
		if kind.reset == "Retry-After" {
			w.Header().Set(kind.reset, strconv.Itoa(l.seconds))
			l.until = now.Add(time.Duration(l.seconds) * time.Second)
		} else {
			l.until = now.Truncate(time.Second).Add(time.Duration(l.seconds) * time.Second)
			w.Header().Set(kind.reset, strconv.FormatInt(l.until.Unix(), 10))
			w.Header().Set("X-RateLimit-Remaining", "0")
		}
		w.WriteHeader(kind.status)
		_, _ = fmt.Fprintf(w, `{"message":%q}`, kind.message)
		return true
	}
	if strings.Contains(path, "/issues") || strings.HasSuffix(path, "/pulls") || strings.HasSuffix(path, "/pulls/comments") {
		_, _ = w.Write([]byte("[]"))
		return true
	}
	return false
}

// limited reports what the limiter waits for: the stage, "" if it does not.
func (l *limiter) limited() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Until(l.until) < time.Second {
		return ""
	}
	return l.stage
}

// TestSweepLimits sweeps a GitHub that answers the first call of each stage with a
// limit. The sweep comes to its end, and makes no call before its time. All that takes
// longer than 5*time.Second is put away, and the status says until when.
func TestSweepLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a minute")
	}
	type row struct {
		name    string
		seconds int
		kind    func(int) int
	}
	rows := []row{{"put away", 8, func(stage int) int { return stage % len(limits) }}}
	for i, kind := range limits {
		rows = append(rows, row{kind.name, 2, func(int) int { return i }})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
			o.repo(t, "app", "", `leak 1 f; commit 1`)
			o.repo(t, "copy", "app", `leak 2 g; commit 3`)
			for _, name := range []string{"a", "b", "c", "d"} {
				o.repo(t, name, "", "echo "+name+" >f; commit 1")
			}
			o.add(t, "--forks", "--include", "issues")
			l := &limiter{seconds: row.seconds, kind: row.kind}
			o.setFault(l.answer)
			said := map[string]bool{}
			done, polled := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(polled)
				for {
					select {
					case <-done:
						return
					case <-time.After(200 * time.Millisecond):
					}
					stage := l.limited()
					_, out, _ := o.stanch(t, "status")
					if stage != "" && stage == l.limited() && strings.Contains(out, "GitHub answers no more requests until 20") {
						said[stage] = true
					}
				}
			}()
			got := o.sweep(t, cli.ExitLeaks)
			close(done)
			<-polled
			if want := []string{"1: app", "2: copy"}; !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
			if len(l.early) > 0 {
				t.Errorf("asked before the time that GitHub had named: %q", l.early)
			}
			for i, stage := range stages {
				if !l.met[i] {
					t.Errorf("%s was not asked for", stage.name)
				}
				if limit := time.Duration(row.seconds) * time.Second; limit > 5*time.Second+time.Second && !said[stage.name] {
					t.Errorf("%s: the status does not say what is waited for", stage.name)
				}
			}
		})
	}
}
