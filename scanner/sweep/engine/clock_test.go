//go:build sweep

package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestClockJumps: the clock of a worker is two days ahead for a sweep, and then right. Nothing
// is missed: not a push, nor a failure that is to be tried again, nor a deletion.
func TestClockJumps(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.repository(t, "bad", "", "echo key-2 >f; commit 1")
	s.repository(t, "old", "", "echo key-3 >f; commit 1")
	s.sweep(t, false)
	s.Clock = s.Clock.Add(47 * time.Hour)
	s.push(t, "bad", "echo key-4 >g; commit 2")
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "git /acme/bad") {
			return 500, nil
		}
		return 0, nil
	}
	if failed := s.sweep(t, true); len(failed) == 0 {
		t.Error("it does not fail")
	}
	s.Clock = s.Clock.Add(-47 * time.Hour)
	s.fail = func(string) (int, error) { return 0, nil }
	s.push(t, "app", "echo key-5 >g; commit 2")
	s.listed = s.listed[:2] // old is deleted
	s.sweep(t, true)
	s.wants(t, "the clock is right again", "key-1 key-2 key-3 key-4 key-5", "app swept", "bad swept", "old gone")
	s.Clock = s.Clock.Add(-time.Hour)
	s.push(t, "app", "echo key-6 >h; commit 3")
	s.sweep(t, false)
	s.wants(t, "the clock was set back", "key-1 key-2 key-3 key-4 key-5 key-6", "app swept", "bad unchanged", "old gone")
	if got := s.Get(t); got.Ended.IsZero() {
		t.Errorf("the sweep has not ended: %+v", got)
	}
}

// TestRemovedWhileReading: a target is removed, and added again, while one of its repositories
// is read. The results of that job do not count, and the new target is swept.
func TestRemovedWhileReading(t *testing.T) {
	for _, again := range []bool{false, true} {
		s := newSweeper(t)
		s.repository(t, "app", "", "echo key-1 >f; commit 1")
		removed, scan := false, s.engine.Scan
		s.engine.Scan = func(ctx context.Context, src scanner.Source, page string) (sweep.Result, error) {
			if !removed {
				removed = true
				if _, err := s.RemoveTarget(ctx, "acme"); err != nil {
					t.Error(err)
				}
				if again {
					s.Clock = s.Clock.Add(time.Second)
					if err := s.PutTarget(ctx, sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
						t.Error(err)
					}
					if err := s.Begin(ctx, &s.queue, "acme", false); err != nil {
						t.Error(err)
					}
				}
			}
			return scan(ctx, src, page)
		}
		s.sweep(t, false)
		if again {
			s.wants(t, "added again", "key-1", "app swept")
			if got := s.Get(t); got.Ended.IsZero() || got.Sweep != 1 {
				t.Errorf("the sweep is %+v", got)
			}
		} else if got := s.Keys(t) + strings.Join(s.repositories(t), " "); got != "" {
			t.Errorf("it is removed, and there is %s", got)
		}
	}
}

// TestVanishes: a repository is deleted between two requests for it. It has failed, with the
// reason, until the host says that it is gone.
func TestVanishes(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.repository(t, "other", "", "echo key-2 >f; commit 1")
	s.fail = func(call string) (int, error) {
		if call == "git /acme/app/.git/git-upload-pack" {
			return 404, nil
		}
		return 0, nil
	}
	if failed := s.sweep(t, false); len(failed) != 1 {
		t.Errorf("it fails with %v", failed)
	}
	s.wants(t, "deleted", "key-2", "app failed", "other swept")
	s.listed = s.listed[:1] // other
	s.sweep(t, true)
	s.wants(t, "not listed any more", "key-2", "app gone", "other unchanged")
}
