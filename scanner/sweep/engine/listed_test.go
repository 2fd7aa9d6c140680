//go:build sweep

package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// onCall makes the host do something after a call, once.
func (s *sweeper) onCall(call string, do func()) {
	done := false
	s.fail = func(c string) (int, error) {
		if c == call && !done {
			done = true
			do()
		}
		return 0, nil
	}
}

// TestListShifts: the pages of a list shift while it is read. All that exists is read in the
// same sweep, and nothing that exists is gone.
func TestListShifts(t *testing.T) {
	for _, known := range []bool{true, false} {
		t.Run(fmt.Sprintf("counted %v", known), func(t *testing.T) {
			s := newSweeper(t)
			for i := range 6 {
				s.repository(t, fmt.Sprint("r", i), "", fmt.Sprintf("echo key-%d >f; commit 1", i))
			}
			if !known {
				s.uncounted = -1 - len(s.listed)
			}
			s.onCall("list acme 2", func() { s.listed = s.listed[1:] }) // the first one is removed: r3 moves to the first page
			s.sweep(t, false)
			s.wants(t, "removed in the first list", "key-0 key-1 key-2 key-3 key-4 key-5",
				"r0 swept", "r1 swept", "r2 swept", "r3 swept", "r4 swept", "r5 swept")

			s.onCall("list acme 2", func() { s.listed = s.listed[1:] })
			s.sweep(t, true)
			s.wants(t, "removed in a later list", "key-0 key-1 key-2 key-3 key-4 key-5",
				"r0 unchanged", "r1 unchanged", "r2 unchanged", "r3 unchanged", "r4 unchanged", "r5 gone")
		})
	}
}

// TestListSecondLook: a repository that no page shows is gone only if the host says so.
func TestListSecondLook(t *testing.T) {
	s := newSweeper(t)
	for i := range 3 {
		s.repository(t, fmt.Sprint("r", i), "", fmt.Sprintf("echo key-%d >f; commit 1", i))
	}
	s.gists = []sweep.Listed{
		{ID: "gist 1", Name: "gist.h/1", Clone: s.url + "/acme/g1/.git"},
		{ID: "gist 2", Name: "gist.h/2", Clone: s.url + "/acme/g2/.git"},
		{ID: "gist 3", Name: "gist.h/3", Clone: s.url + "/acme/g3/.git"},
	}
	for i := range 3 {
		s.repository(t, fmt.Sprint("g", i+1), "", fmt.Sprintf("echo key-%d >f; commit 1", 4+i))
		s.listed = s.listed[1:]
	}
	s.sweep(t, false)
	all := "key-0 key-1 key-2 key-4 key-5 key-6"
	s.wants(t, "at first", all, "r0 swept", "r1 swept", "r2 swept", "gist.h/1 swept", "gist.h/2 swept", "gist.h/3 swept")

	hidden, deleted := s.listed[1], s.listed[2]
	s.listed, s.unlisted = s.listed[:1], []sweep.Listed{hidden}
	s.gists = s.gists[:1]
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "git /acme/g3") {
			return 404, nil
		}
		return 0, nil
	}
	s.taken()
	s.sweep(t, true)
	s.wants(t, "not listed", all, "r0 gone", "r1 unchanged", "r2 unchanged", "gist.h/1 unchanged", "gist.h/2 unchanged", "gist.h/3 gone")
	if calls := s.taken(); !slices.Contains(calls, "repository acme/r1 101") || deleted.Name != "acme/r0" {
		t.Errorf("it asks %q", calls)
	}
	if st, err := s.Status(t.Context()); err != nil || st.Targets[0].Ended.IsZero() || st.Targets[0].Due > 0 {
		t.Errorf("the sweep has not ended: %+v, %v", st.Targets, err)
	}
	// The host does not answer: nothing is gone.
	s.unlisted = nil
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "repository") {
			return 0, fmt.Errorf("502")
		}
		return 0, nil
	}
	s.sweep(t, true)
	s.wants(t, "not answered", all, "r0 gone", "r1 failed", "r2 unchanged", "gist.h/1 unchanged", "gist.h/2 unchanged", "gist.h/3 gone")
	s.fail = func(string) (int, error) { return 0, nil }
	s.sweep(t, false)
	s.wants(t, "answered at last", all, "r0 gone", "r1 gone", "r2 unchanged", "gist.h/1 unchanged", "gist.h/2 unchanged", "gist.h/3 gone")
}

// TestListKnown: pages that are as they were bring what they had: nothing is gone, and all is
// looked at. After a week they are read anew.
func TestListKnown(t *testing.T) {
	s := newSweeper(t)
	s.engine.Verifies = false
	for i := range 5 {
		s.repository(t, fmt.Sprint("r", i), "", fmt.Sprintf("echo key-%d >f; commit 1", i))
	}
	s.repository(t, "g1", "", "echo key-5 >f; commit 1")
	s.listed, s.gists = s.listed[1:], []sweep.Listed{{ID: "gist 1", Name: "gist.h/1", Clone: s.url + "/acme/g1/.git"}}
	all := "key-0 key-1 key-2 key-3 key-4 key-5"
	same := func(step, want string) {
		t.Helper()
		if got := strings.Join(s.same, ", "); got != want {
			t.Errorf("%s: as they were are %q, want %q", step, got, want)
		}
		if got := s.Get(t); got.Ended.IsZero() {
			t.Errorf("%s: the sweep has not ended", step)
		}
		s.same = nil
	}
	s.sweep(t, false)
	same("first", "")
	s.sweep(t, false)
	same("nothing new", "list acme 1")
	s.taken()
	s.sweep(t, true)
	same("all looked at", "list acme 1, list acme 2, list acme 3, gists acme")
	s.wants(t, "all looked at", all, "r0 unchanged", "r1 unchanged", "r2 unchanged", "r3 unchanged", "r4 unchanged", "gist.h/1 unchanged")
	if looked := slices.DeleteFunc(s.taken(), func(call string) bool { return !strings.HasPrefix(call, "git ") }); len(looked) != 6 {
		t.Errorf("looked at: %q", looked)
	}
	s.listed = slices.Delete(s.listed, 2, 3) // r2
	s.sweep(t, true)
	same("one is removed", "list acme 1, gists acme")
	s.wants(t, "one is removed", all, "r0 unchanged", "r1 unchanged", "r2 gone", "r3 unchanged", "r4 unchanged", "gist.h/1 unchanged")
	s.push(t, "r1", "echo key-6 >g; commit 2")
	s.sweep(t, false)
	same("a push", "")
	s.wants(t, "a push", all+" key-6", "r0 unchanged", "r1 swept", "r2 gone", "r3 unchanged", "r4 unchanged", "gist.h/1 unchanged")
	s.Clock = s.Clock.Add(8 * 24 * time.Hour)
	s.sweep(t, true)
	same("a week later", "")
	s.wants(t, "a week later", all+" key-6", "r0 unchanged", "r1 unchanged", "r2 gone", "r3 unchanged", "r4 unchanged", "gist.h/1 unchanged")
}
