//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

func TestEnds(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"alone": testEndsAlone, "at_once": testEndsAtOnce})
}

// listed begins a sweep of so many repositories, lists them, and returns their numbers.
func (s *clockedStore) listed(t *testing.T, n int) (numbers []int64) {
	t.Helper()
	target := s.put(t)
	var page []sweep.Listed
	for i := range n {
		page = append(page, sweep.Listed{ID: fmt.Sprint(i + 1), Name: fmt.Sprintf("acme/r%03d", i), Pushed: s.Clock})
	}
	numbers, _ = s.list(t, sweep.Selection{Full: true, All: true}, page...)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.EndListing(ctx, tx, &sweeptest.Queue{}, target, sweep.Selection{Full: true, All: true})
	})
	return numbers
}

// end does the job of a repository as the engine does: a lease, and a transaction that ends it.
// It calls last as the last part of that.
func (s *clockedStore) end(ctx context.Context, number int64, last func() error) error {
	r, lease, err := s.Lease(ctx, number)
	if err != nil {
		return err
	}
	return s.Tx(ctx, func(tx *sql.Tx) error {
		r.State, r.Detector = sweep.Swept, "v1"
		if err := sweep.EndLease(ctx, tx, number, lease); err != nil {
			return err
		}
		if _, err := s.PutRepository(ctx, tx, r, 1); err != nil {
			return err
		}
		if err := s.NoteDone(ctx, tx, &sweeptest.Queue{}, r.Target, r.Name); err != nil {
			return err
		}
		return last()
	})
}

// testEndsAlone: a job ends without the lock of its target while another repository is left. The
// job of that one does not end before, so that it sees that it is the last.
func testEndsAlone(on onDatabase) {
	t, s := on.t, on.store
	if !s.Postgres {
		return // one transaction at a time
	}
	numbers := s.listed(t, 3)
	nothing := func() error { return nil }
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error { // another job holds the target
		var name string
		if err := database.QueryRow(ctx, tx, `SELECT name FROM target WHERE name = 'acme' FOR UPDATE`)(&name); err != nil {
			return err
		}
		if err := s.end(soon, numbers[0], nothing); err != nil {
			t.Errorf("a job waits for the end of another one: %v", err)
		}
		return nil
	})
	var last errgroup.Group
	ended := make(chan struct{})
	err := s.end(t.Context(), numbers[1], func() error {
		last.Go(func() error {
			defer close(ended)
			return s.end(t.Context(), numbers[2], nothing)
		})
		select {
		case <-ended:
			t.Error("the last job has ended before the one before it, which it saw as left")
		case <-time.After(300 * time.Millisecond):
		}
		return nil
	})
	if err := errors.Join(err, last.Wait()); err != nil {
		t.Fatal(err)
	}
	if s.Get(t).Ended.IsZero() {
		t.Error("the sweep has not ended")
	}
}

// testEndsAtOnce: however many jobs end at once, and in whichever order, the sweep ends with the
// last of them.
func testEndsAtOnce(on onDatabase) {
	t, s := on.t, on.store
	for round := range 5 {
		if _, err := s.RemoveTarget(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		numbers := s.listed(t, 24)
		var workers []func(context.Context) error
		for w := range 8 {
			workers = append(workers, func(ctx context.Context) error {
				for i := w; i < len(numbers); i += 8 {
					n := numbers[i]
					if round%2 == 1 {
						n = numbers[len(numbers)-1-i]
					}
					if err := s.end(ctx, n, func() error { return nil }); err != nil {
						return err
					}
				}
				return nil
			})
		}
		at(t, workers...)
		if s.Get(t).Ended.IsZero() {
			t.Fatalf("round %d: the sweep has not ended", round)
		}
	}
}
