//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

func TestForks(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"park": testParkFork, "schedule": testSchedule})
}

// testParkFork: a fork that waits has no job until its parent has ended.
func testParkFork(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "9", Name: "acme/app"}, sweep.Listed{ID: "10", Name: "acme/copy", Fork: true}, sweep.Listed{ID: "11", Name: "acme/more", Fork: true})
	park := func(number int64, parent string) (parked bool, err error) {
		t.Helper()
		r, lease, err := s.Lease(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		r.Parent = parent
		err = s.Tx(t.Context(), func(tx *sql.Tx) error {
			parked, err = s.ParkFork(t.Context(), tx, r, lease, "v1")
			return err
		})
		return parked, err
	}
	put := func(parent string) (numbers []int64) {
		t.Helper()
		q := &sweeptest.Queue{}
		if parent == "" {
			if err := s.BeginDue(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		} else {
			s.Do(t, func(ctx context.Context, tx *sql.Tx) error { return s.NoteDone(ctx, tx, q, "acme", parent) })
		}
		for _, j := range q.Jobs {
			if j.Rank != sweep.RankFork || j.Sweep != 1 {
				t.Errorf("the job is %+v", j)
			}
			numbers = append(numbers, j.Number)
		}
		return numbers
	}
	for i, parent := range []string{"acme/app", "acme/further"} {
		if parked, err := park(due[1+i], parent); err != nil || !parked {
			t.Fatalf("it waits for %s: %v, %v", parent, parked, err)
		}
	}
	if got := put(""); len(got) > 0 {
		t.Errorf("while the parents are due, or may still be listed: %v", got)
	}
	if got := put("acme/app"); !slices.Equal(got, due[1:2]) || len(put("acme/app")) > 0 {
		t.Errorf("its parent has ended: %v", got)
	}
	if parked, err := park(due[1], "acme/app"); err != nil || !parked {
		t.Fatal(parked, err)
	}
	if err := s.NoteListing(t.Context(), &sweeptest.Queue{}, "acme", "502", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Repository(t.Context(), due[2]); err != nil || r.State != sweep.Waiting {
		t.Errorf("it is %+v, %v", r, err)
	}
	s.readUnseen(t, due[0], sweep.Swept, nil)
	q := &sweeptest.Queue{}
	if err := s.BeginDue(t.Context(), q); err != nil || len(q.Jobs) != 1 || q.Jobs[0].Number != due[1] {
		t.Errorf("its parent has ended unseen: %+v, %v", q.Jobs, err)
	}
	if parked, err := park(due[1], "acme/app"); err != nil || parked {
		t.Errorf("its parent has ended meanwhile: %v, %v", parked, err)
	}
	if !s.Postgres {
		return
	}
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := database.Exec(ctx, tx, `UPDATE repository SET due = 1, detector = 'v0' WHERE number = $1`, due[0])
		return err
	})
	tx, err := s.SQL.BeginTx(t.Context(), nil) // that ends the parent
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := database.Exec(t.Context(), tx, `UPDATE repository SET due = 0 WHERE number = $1`, due[0]); err != nil {
		t.Fatal(err)
	}
	var later *sweep.Later
	if _, err := park(due[1], "acme/app"); !errors.As(err, &later) {
		t.Errorf("somebody changes its parent: %v", err)
	}
}

// testSchedule: 20,000 targets that are not due cost one look at an index.
func testSchedule(on onDatabase) {
	t, s := on.t, on.store
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		for i := range 2000 {
			if _, err := database.Exec(ctx, tx, `INSERT INTO target (name, api, options, every_ms, added, asked) VALUES ($1, '', '{}', 3600000, 1, $2)`, fmt.Sprint("t", i), database.Millis(s.Clock)); err != nil {
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
	q := &sweeptest.Queue{}
	if err := s.BeginDue(t.Context(), q); err != nil || len(q.Jobs) > 0 {
		t.Errorf("none is due: %d jobs, %v", len(q.Jobs), err)
	}
	s.Clock = s.Clock.Add(2 * time.Hour)
	if err := s.BeginDue(t.Context(), q); err != nil || len(q.Jobs) != 500 {
		t.Errorf("all are due: %d jobs, %v", len(q.Jobs), err)
	}
}
