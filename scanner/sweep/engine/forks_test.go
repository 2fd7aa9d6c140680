//go:build sweep

package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestForksDoNotSpin: many forks wait for their parent with one job each, and one more when
// it has ended.
func TestForksDoNotSpin(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	for i := range 5 {
		s.repository(t, fmt.Sprint("copy", i), "app", fmt.Sprintf("echo key-%d >g; commit 2", 2+i))
	}
	failed := false
	s.fail = func(call string) (int, error) {
		if !failed && strings.HasPrefix(call, "lost acme/app") {
			failed = true
			return 0, &sweep.Later{At: s.Clock.Add(time.Hour), Why: "spent"}
		}
		return 0, nil
	}
	s.sweep(t, false)
	s.wants(t, "all", "key-1 key-2 key-3 key-4 key-5 key-6", "app swept", "copy0 swept", "copy1 swept", "copy2 swept", "copy3 swept", "copy4 swept")
	if s.done > 1+2+2*5 { // the list, the parent twice, each fork twice
		t.Errorf("%d jobs were begun", s.done)
	}
	if got := s.Get(t); got.Ended.IsZero() {
		t.Errorf("the sweep has not ended: %+v", got)
	}
}
