//go:build sweep

package engine

import (
	"testing"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestHeadMoves: HEAD is another branch, without a push. The next full look, or news of the
// repository, brings up to date which keys are at HEAD.
func TestHeadMoves(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", `echo key-1 >f; echo key-2 >g; commit 1
		git checkout -q -b dev; git rm -q f; commit 2; git checkout -q --orphan other; git rm -rqf .; echo key-3 >h; commit 3; git checkout -q main`)
	s.sweep(t, false)
	is := func(step string, want map[string]bool) {
		t.Helper()
		for key, f := range s.Known(t) {
			if len(f.Locations) != 1 || f.Locations[0].AtHead != want[key] || f.History.GoneSince.IsZero() != want[key] && key != "key-3" {
				t.Errorf("%s: %s is %+v, gone since %v", step, key, f.Locations, f.History.GoneSince)
			}
		}
	}
	is("main", map[string]bool{"key-1": true, "key-2": true})
	s.head(t, "app", "dev")
	s.sweep(t, false)
	is("not seen yet", map[string]bool{"key-1": true, "key-2": true})
	s.sweep(t, true)
	is("dev", map[string]bool{"key-2": true})
	s.head(t, "app", "other")
	s.news(t, sweep.News{ID: "100", Name: "acme/app", Doubt: true})
	is("other", map[string]bool{"key-3": true})
	s.head(t, "app", "main")
	s.sweep(t, true)
	is("main again", map[string]bool{"key-1": true, "key-2": true})
}
