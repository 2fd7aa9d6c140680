//go:build sweep

package engine

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// news tells the sweeper of a change of a repository, and does the jobs, outside of a sweep.
func (s *sweeper) news(t *testing.T, n sweep.News) (failed []error) {
	t.Helper()
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.PutNews(ctx, tx, &s.queue, n)
		return err
	})
	s.Clock = s.Clock.Add(time.Second)
	return s.work(t)
}

// TestNewsOutsideSweep: news is read at once, though no sweep is under way, and without a
// listing.
func TestNewsOutsideSweep(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.repository(t, "old", "", "echo key-5 >f; commit 1")
	s.sweep(t, false)
	ended := s.Get(t).Ended
	s.push(t, "app", "echo key-2 >f; commit 2")
	s.taken()
	s.news(t, sweep.News{ID: "100", Name: "acme/app", Pushed: s.listed[0].Pushed})
	s.wants(t, "pushed to", "key-1 key-2 key-5", "app swept", "old swept")
	if calls := s.taken(); slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "list") }) || !slices.Contains(calls, "lost acme/app") {
		t.Errorf("it asks %q", calls)
	}
	if got := s.Get(t); !got.Ended.Equal(ended) || got.Sweep != 1 {
		t.Errorf("the sweep was ended, and is %+v", got)
	}
	s.sweep(t, false)
	if calls := s.taken(); slices.Contains(calls, "lost acme/app") {
		t.Errorf("the next sweep asks again: %q", calls)
	}

	s.repository(t, "new", "", "echo key-3 >f; commit 1")
	s.news(t, sweep.News{ID: "102", Name: "acme/new", Doubt: true})
	s.wants(t, "made", "key-1 key-2 key-3 key-5", "app swept", "new swept", "old swept")

	s.unlisted, s.listed = s.listed[:1:1], s.listed[1:] // new
	s.unlisted[0].Name = "acme/renamed"
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "git /acme/renamed") {
			return 404, nil
		}
		return 0, nil
	}
	if failed := s.news(t, sweep.News{ID: "102", Name: "acme/renamed", Doubt: true}); len(failed) != 1 {
		t.Errorf("its new name is not asked for: %v", failed)
	}
	s.unlisted = nil
	s.news(t, sweep.News{ID: "102", Name: "acme/renamed", Doubt: true})
	s.wants(t, "deleted", "key-1 key-2 key-3 key-5", "app swept", "old swept", "renamed gone")
	for i := range s.listed {
		s.listed[i].Skip = "skipped"
	}
	s.news(t, sweep.News{ID: "101", Name: "acme/old", Doubt: true})
	s.wants(t, "left out", "key-1 key-2 key-3 key-5", "app swept", "old skipped", "renamed gone")
}

// TestNewsDuringScan: a push that is told of while its repository is read is read as well.
func TestNewsDuringScan(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	read, scan := 0, s.engine.Scan
	s.engine.Scan = func(ctx context.Context, src scanner.Source, page string) (sweep.Result, error) {
		if read++; read == 1 {
			s.push(t, "app", "echo key-2 >f; commit 2")
			s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
				_, err := s.PutNews(ctx, tx, &sweeptest.Queue{}, sweep.News{ID: "100", Name: "acme/app", Pushed: s.listed[0].Pushed})
				return err
			})
		}
		return scan(ctx, src, page)
	}
	s.sweep(t, false)
	s.wants(t, "both", "key-1 key-2", "app swept")
	if got := s.Get(t); got.Ended.IsZero() {
		t.Errorf("the sweep has not ended: %+v", got)
	}
}

// TestNewsDoubt: a repository is not gone because the host could not be asked.
func TestNewsDoubt(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.sweep(t, false)
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "repository") {
			return 0, errors.New("502")
		}
		return 0, nil
	}
	if failed := s.news(t, sweep.News{ID: "100", Name: "acme/app", Doubt: true}); len(failed) != 1 {
		t.Errorf("it fails with %v", failed)
	}
	s.wants(t, "unknown", "key-1", "app failed")
}
