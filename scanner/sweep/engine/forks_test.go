//go:build sweep

package engine

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
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
		if !failed && strings.HasPrefix(call, "git /acme/app/") {
			failed = true
			return http.StatusServiceUnavailable, nil // with Retry-After
		}
		return 0, nil
	}
	s.sweep(t, false)
	s.wants(t, "all", "key-1 key-2 key-3 key-4 key-5 key-6", "app swept", "copy0 swept", "copy1 swept", "copy2 swept", "copy3 swept", "copy4 swept")
	if want := 1 + 2 + 2*5 + 6; s.done != want { // the list, the parent twice, each fork twice; lost commits of each
		t.Errorf("%d jobs were begun, want %d", s.done, want)
	}
	if got := s.Get(t); got.Ended.IsZero() {
		t.Errorf("the sweep has not ended: %+v", got)
	}
}
