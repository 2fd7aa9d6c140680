//go:build sweep

package sweep

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

func TestForks(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"park": testParkFork, "schedule": testSchedule})
}

// testParkFork: a fork that waits has no job until its parent has ended.
func testParkFork(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, selection{}, Listed{ID: "9", Name: "acme/app"}, Listed{ID: "10", Name: "acme/copy", Fork: true}, Listed{ID: "11", Name: "acme/more", Fork: true})
	park := func(number int64, parent string) error {
		t.Helper()
		r, lease, err := s.lease(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		r.Parent = parent
		return s.Tx(t.Context(), func(tx *sql.Tx) error { return s.parkFork(t.Context(), tx, r, lease, "v1") })
	}
	put := func(parent string) (numbers []int64) {
		t.Helper()
		q := &queue{}
		s.do(t, func(ctx context.Context, tx *sql.Tx) error { return s.putForks(ctx, tx, q, "acme", parent) })
		for _, j := range q.jobs {
			if j.Rank != RankFork || j.Sweep != 1 {
				t.Errorf("the job is %+v", j)
			}
			numbers = append(numbers, j.Number)
		}
		return numbers
	}
	if err := errors.Join(park(due[1], "acme/app"), park(due[2], "acme/further")); err != nil {
		t.Fatal(err)
	}
	if got := put(""); len(got) > 0 {
		t.Errorf("while the parents are due, or may still be listed: %v", got)
	}
	if got := put("acme/app"); !slices.Equal(got, due[1:2]) || len(put("acme/app")) > 0 {
		t.Errorf("its parent has ended: %v", got)
	}
	if err := park(due[1], "acme/app"); err != nil {
		t.Fatal(err)
	}
	if err := s.noteListing(t.Context(), &queue{}, "acme", "502", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.repository(t.Context(), due[2]); err != nil || r.State != Waiting {
		t.Errorf("it is %+v, %v", r, err)
	}
	s.read(t, due[0], Swept, nil)
	q := &queue{}
	if err := s.BeginDue(t.Context(), q); err != nil || len(q.jobs) != 1 || q.jobs[0].Number != due[1] {
		t.Errorf("its parent has ended unseen: %+v, %v", q.jobs, err)
	}
	if err := park(due[1], "acme/app"); !errors.Is(err, errNoWait) {
		t.Errorf("its parent has ended meanwhile: %v", err)
	}
	if !s.Postgres {
		return
	}
	tx, err := s.SQL.BeginTx(t.Context(), nil) // that changes the parent
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := database.Exec(t.Context(), tx, `UPDATE repository SET due = 1 WHERE number = $1`, due[0]); err != nil {
		t.Fatal(err)
	}
	var later *Later
	if err := park(due[1], "acme/app"); !errors.As(err, &later) {
		t.Errorf("somebody changes its parent: %v", err)
	}
}

// testSchedule: 20,000 targets that are not due cost one look at an index.
func testSchedule(on onDatabase) {
	t, s := on.t, on.store
	s.do(t, func(ctx context.Context, tx *sql.Tx) error {
		for i := range 2000 {
			if _, err := database.Exec(ctx, tx, `INSERT INTO target (name, api, options, every_ms, added, asked) VALUES ($1, '', '{}', 3600000, 1, $2)`, fmt.Sprint("t", i), database.Millis(s.clock)); err != nil {
				return err
			}
		}
		if s.Postgres {
			_, err := tx.ExecContext(ctx, `ANALYZE target`)
			return err
		}
		return nil
	})
	explain := `EXPLAIN QUERY PLAN `
	if s.Postgres {
		explain = `EXPLAIN `
	}
	plan := ""
	err := database.EachRow(t.Context(), s.SQL, func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		if !s.Postgres {
			var a, b, c int
			err = scan(&a, &b, &c, &line)
		}
		plan += line + "\n"
		return err
	}, explain+`SELECT name FROM target WHERE every_ms > 0 AND asked + every_ms <= 1 UNION ALL SELECT name FROM target WHERE every_ms > 0 AND asked > 9999999999999`)
	if err != nil || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN target\n") {
		t.Errorf("%v, %s", err, plan)
	}
	q := &queue{}
	if err := s.BeginDue(t.Context(), q); err != nil || len(q.jobs) > 0 {
		t.Errorf("none is due: %d jobs, %v", len(q.jobs), err)
	}
	s.clock = s.clock.Add(2 * time.Hour)
	if err := s.BeginDue(t.Context(), q); err != nil || len(q.jobs) != maxBegun {
		t.Errorf("all are due: %d jobs, %v", len(q.jobs), err)
	}
}

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
			return 0, &Later{At: s.clock.Add(time.Hour), Why: "spent"}
		}
		return 0, nil
	}
	s.sweep(t, false)
	s.wants(t, "all", "key-1 key-2 key-3 key-4 key-5 key-6", "app swept", "copy0 swept", "copy1 swept", "copy2 swept", "copy3 swept", "copy4 swept")
	if s.done > 1+2+2*5 { // the list, the parent twice, each fork twice
		t.Errorf("%d jobs were begun", s.done)
	}
	if got := s.get(t); got.Ended.IsZero() {
		t.Errorf("the sweep has not ended: %+v", got)
	}
}
