//go:build sweep

package engine

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/verifier"
)

func (s *sweeper) wants(t *testing.T, step, keys string, states ...string) {
	t.Helper()
	if got := s.Keys(t); got != keys {
		t.Errorf("%s: found %q, want %q", step, got, keys)
	}
	if got := s.repositories(t); len(states) > 0 && !slices.Equal(got, states) {
		t.Errorf("%s: the repositories are %q, want %q", step, got, states)
	}
}

// TestEngine follows repositories through sweeps: each reads what is new and asks for no
// more.
func TestEngine(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "empty", "", "")
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.repository(t, "copy", "app", "echo key-2 >g; commit 2")
	if failed := s.sweep(t, false); len(failed) > 0 {
		t.Error(failed)
	}
	s.wants(t, "first", "key-1 key-2", "app swept", "copy swept", "empty swept")
	if got := s.Known(t)["key-1"]; len(got.Locations) != 1 {
		t.Errorf("the fork has read what its parent has: %+v", got)
	}
	s.taken()
	s.sweep(t, false)
	if calls := s.taken(); !slices.Equal(calls[:1], []string{"list acme 1"}) || slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "list acme 2") }) {
		t.Errorf("nothing is new, and it asks %q", calls)
	}

	lost := scannertest.Git(t, s.dir+"/acme/app", "rev-parse", "HEAD")
	s.push(t, "app", "echo key-3 >f; commit 3; git rev-parse HEAD >.git/lost; git reset -q --hard HEAD~; echo key-4 >h; commit 4")
	s.lost["acme/app"] = map[string]string{"forced/main/x": scannertest.Git(t, s.dir+"/acme/app", "rev-parse", "@{2}"), "forced/main/y": lost}
	s.sweep(t, false)
	s.wants(t, "forced away", "key-1 key-2 key-3 key-4")
	if got := s.Known(t)["key-3"]; len(got.Locations) != 1 || got.Locations[0].AtHead {
		t.Errorf("forced away: %+v", got)
	}

	s.push(t, "app", "git rm -q f; commit 5")
	s.sweep(t, false)
	if got := s.Known(t)["key-1"]; got.History.GoneSince.IsZero() {
		t.Errorf("removed: %+v", got)
	}

	s.engine.Detector, s.engine.Began = "v2", s.Clock
	s.sweep(t, false)
	if st, err := s.Status(t.Context()); err != nil || st.Targets[0].Outdated > 0 || st.Targets[0].Ended.IsZero() {
		t.Errorf("another detector: %+v, %v", st, err)
	}
	s.listed = s.listed[:1] // app
	s.sweep(t, true)
	s.wants(t, "gone", "key-1 key-2 key-3 key-4", "app unchanged", "copy gone", "empty gone")
}

// TestEngineVerifies holds that each sweep asks again about what may be live, from its
// text alone, and that a repository which cannot be read for that is named.
func TestEngineVerifies(t *testing.T) {
	s := newSweeper(t)
	s.states = map[string]verifier.State{"key-1": verifier.Live, "key-2": verifier.Invalid}
	s.repository(t, "app", "", "echo key-1 >f; echo key-2 >g; commit 1")
	s.sweep(t, false)
	s.taken()
	s.states["key-1"] = verifier.Invalid
	s.sweep(t, false)
	if got := s.Known(t); got["key-1"].History.DeadSince.IsZero() || !got["key-2"].History.DeadSince.IsZero() {
		t.Errorf("shut off: %+v", got)
	}
	s.taken()
	s.sweep(t, false)
	if calls := s.taken(); slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "git") }) {
		t.Errorf("nothing may be live, and it asks %q", calls)
	}
	s.states["key-3"] = verifier.Live
	s.push(t, "app", "echo key-3 >f; commit 2")
	s.sweep(t, false)
	s.fail = func(call string) (int, error) { return map[bool]int{true: 500}[strings.HasPrefix(call, "git")], nil }
	if failed := s.sweep(t, false); len(failed) != 1 {
		t.Errorf("it cannot be read: %v", failed)
	}
	if st, _ := s.Status(t.Context()); len(st.Troubled) != 1 || !strings.Contains(st.Troubled[0].Why, "asked again about its open findings") {
		t.Errorf("it cannot be read: %+v", st.Troubled)
	}
}

// TestEngineFailures holds what becomes of a repository that cannot be read.
func TestEngineFailures(t *testing.T) {
	for _, tt := range []struct {
		name   string
		call   string // that fails, once or always
		err    error
		code   int
		always bool
		tries  int    // of that call
		state  string // in the end
		waits  time.Duration
	}{
		{"passes", "git", nil, http.StatusInternalServerError, false, 2, sweep.Swept, 0},
		{"stays", "git", nil, http.StatusInternalServerError, true, 3, sweep.Failed, 0},
		{"missing", "git", nil, http.StatusNotFound, true, 1, sweep.Failed, 0},
		{"denied", "git", nil, http.StatusUnauthorized, true, 1, sweep.Failed, 0},
		{"busy", "git", nil, http.StatusServiceUnavailable, false, 2, sweep.Swept, 30 * time.Second},
		{"limited", "git", nil, http.StatusForbidden, false, 2, sweep.Swept, 30 * time.Second},
		{"API later", "lost", &sweep.Later{Why: "spent"}, 0, false, 2, sweep.Swept, time.Minute},
		{"API denied", "lost", &sweep.Final{Err: errors.New("denied")}, 0, true, 1, sweep.Failed, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSweeper(t)
			s.repository(t, "app", "", "echo key-1 >f; commit 1")
			calls := 0
			s.fail = func(call string) (int, error) {
				if !strings.HasPrefix(call, tt.call) || strings.HasSuffix(call, "upload-pack") {
					return 0, nil
				}
				if calls++; calls > 1 && !tt.always {
					return 0, nil
				}
				var later *sweep.Later
				if errors.As(tt.err, &later) {
					return 0, &sweep.Later{At: s.Clock.Add(time.Minute), Why: later.Why}
				}
				return tt.code, tt.err
			}
			before := s.Clock
			s.sweep(t, false)
			if calls != tt.tries {
				t.Errorf("it is tried %d times, want %d", calls, tt.tries)
			}
			found := "key-1"
			if tt.state == sweep.Failed && tt.call == "git" {
				found = ""
			}
			s.wants(t, "in the end", found, "app "+tt.state)
			if took := s.Clock.Sub(before) - time.Minute; took < tt.waits || tt.waits == 0 && took > 20*time.Second {
				t.Errorf("it waits for %s, want %s", took, tt.waits)
			}
		})
	}
}

// TestEngineForkWaits: a fork whose parent waits is asked about once, and waits as well.
func TestEngineForkWaits(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.repository(t, "copy", "app", "echo key-2 >g; commit 2")
	failed := false
	s.fail = func(call string) (int, error) {
		if !failed && strings.HasPrefix(call, "git /acme/app/") {
			failed = true
			return http.StatusServiceUnavailable, nil // with Retry-After
		}
		return 0, nil
	}
	s.sweep(t, false)
	s.wants(t, "both", "key-1 key-2", "app swept", "copy swept")
	if asked := slices.DeleteFunc(s.taken(), func(c string) bool { return c != "parent acme/copy" }); len(asked) != 1 {
		t.Errorf("it asks %q", asked)
	}
}

// TestEngineTexts reads what is beside a repository, and again if it could not be read.
func TestEngineTexts(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo x >f; commit 1")
	issue := &texts{text: "key-1", err: errors.New("not permitted")}
	s.texts["acme/app"] = issue
	s.sweep(t, false)
	s.wants(t, "unread", "", "app failed")
	issue.err = nil
	s.sweep(t, false)
	s.wants(t, "read", "key-1", "app unchanged")
}

// TestEngineJobs: jobs of which the subject is gone end, and those of a newer version are
// left to that.
func TestEngineJobs(t *testing.T) {
	s := newSweeper(t)
	do := func(j sweep.Job) (ended bool, err error) {
		err = s.engine.Do(t.Context(), j, false, func(context.Context, *sql.Tx) error { ended = true; return nil })
		return ended, err
	}
	for _, j := range []sweep.Job{{Kind: sweep.KindScan, Number: 99}, {Kind: sweep.KindVerify, Number: 99}, {Kind: sweep.KindList, Target: "nobody"}} {
		if ended, err := do(j); !ended || err != nil {
			t.Errorf("%+v: ended %v, %v", j, ended, err)
		}
	}
	if ended, err := do(sweep.Job{Kind: "dream"}); ended || err == nil {
		t.Errorf("a kind that is unknown: %v, %v", ended, err)
	}
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.sweep(t, false)
	if ended, err := do(sweep.Job{Kind: sweep.KindList, Target: "acme"}); !ended || err != nil || len(s.queue.Jobs) > 0 {
		t.Errorf("a listing of a sweep that has ended: %v, %v", ended, err)
	}
	why := errors.New("it ends the process")
	if err := s.engine.GiveUp(t.Context(), sweep.Job{Kind: sweep.KindScan, Number: 1}, why); !errors.Is(err, why) {
		t.Errorf("given up: %v", err)
	}
	s.wants(t, "given up", "key-1", "app failed")
}

// TestEngineEmptyListing: a token that has lost its rights lists nothing, and that makes no
// repository gone.
func TestEngineEmptyListing(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.sweep(t, false)
	s.listed = nil
	if failed := s.sweep(t, true); len(failed) != 1 || !strings.Contains(failed[0].Error(), "permissions of the token") {
		t.Errorf("it fails with %v", failed)
	}
	s.wants(t, "afterwards", "key-1", "app swept")
	if got := s.Get(t); !strings.Contains(got.Why, "permissions of the token") || !got.Ended.IsZero() {
		t.Errorf("the target says %+v", got)
	}
}
