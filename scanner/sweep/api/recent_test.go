package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// TestRecent: viewers who ask at the same time share a summary; nobody gets an old one.
func TestRecent(t *testing.T) {
	now := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	counted, fails := 0, error(nil)
	count := func(context.Context, time.Time) (triage.Summary, error) {
		counted++
		return triage.Summary{At: now, Findings: counted}, fails
	}
	r, since := newRecent(), now.Add(-24*time.Hour)
	for i, tt := range []struct {
		before func()
		want   int
	}{
		{func() {}, 1},
		{func() { now = now.Add(fresh - time.Second) }, 1},
		{func() { now = now.Add(time.Second) }, 2},
		{func() { r.forget() }, 3},
		{func() { since = since.Add(time.Hour) }, 4},
		{func() { now = now.Add(-time.Hour) }, 5}, // the clock was set back
		{func() { fails = errors.New("the disk is full"); r.forget() }, 6},
		{func() { fails = nil }, 7},
	} {
		tt.before()
		got, err := r.get(t.Context(), now, since, count)
		if got.Findings != tt.want || !errors.Is(err, fails) {
			t.Errorf("request %d: summary %d, %v; want %d", i, got.Findings, err, tt.want)
		}
	}
	<-r.turn // somebody counts
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.get(ctx, now, since, count); !errors.Is(err, context.Canceled) {
		t.Errorf("a reader who is gone waits: %v", err)
	}
}
