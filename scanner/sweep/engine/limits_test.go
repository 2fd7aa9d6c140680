//go:build sweep

package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestLimitAlone: a wait of one request is not one of the others of its budget.
func TestLimitAlone(t *testing.T) {
	s := newSweeper(t)
	hub := limitedHub{Hub: s.host, store: s.Store.Store}
	ask := func(later *sweep.Later) (asked bool) {
		err := hub.request(t.Context(), func() error { asked = true; return later })
		if !errors.As(err, new(*sweep.Later)) {
			t.Errorf("%v: %v", later, err)
		}
		return asked
	}
	at := s.Clock.Add(time.Hour)
	for i, tt := range []struct {
		alone, asked bool
	}{{true, true}, {false, true}, {false, false}} {
		if got := ask(&sweep.Later{At: at, Why: "spent", Alone: tt.alone}); got != tt.asked {
			t.Errorf("%d: asked %v, want %v", i, got, tt.asked)
		}
	}
}
