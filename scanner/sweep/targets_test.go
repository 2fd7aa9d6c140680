//go:build sweep

package sweep_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

func TestTargetNames(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"case": testTargetCase, "doubles": testDoubles, "added_again": testAddedAgain})
}

// testTargetCase: names that differ in case alone are one target, and news finds it.
func testTargetCase(on onDatabase) {
	t, s := on.t, on.store
	for _, name := range []string{"Acme", "acme", "ACME"} {
		if err := s.PutTarget(t.Context(), sweep.Target{Name: name, API: "https://h", Options: []byte(fmt.Sprintf(`{"name":%q}`, name))}); err != nil {
			t.Fatal(err)
		}
	}
	targets, err := s.Targets(t.Context())
	if err != nil || len(targets) != 1 || targets[0].Name != "Acme" || !strings.Contains(string(targets[0].Options), "ACME") {
		t.Errorf("the targets are %+v, %v", targets, err)
	}
	if jobs, watched := s.tell(t, sweep.News{API: "https://h", ID: "1", Name: "aCmE/app"}); !watched || len(jobs) != 1 {
		t.Errorf("news has the jobs %+v", jobs)
	}
}

// testDoubles: the migration makes one target of several, and loses no location.
func testDoubles(on onDatabase) {
	t, s := on.t, on.store
	if err := s.Migrate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s.Do(t, func(ctx context.Context, tx *sql.Tx) (err error) {
		exec := func(statement string, args ...any) {
			if err == nil {
				_, err = database.Exec(ctx, tx, statement, args...)
			}
		}
		for i, target := range []struct{ name, api string }{{"acme", "https://h"}, {"ACME", "https://h/"}, {"Acme", "https://h"}, {"aCME", "https://g"}, {"other", "https://h"}} {
			exec(`INSERT INTO target (name, api, options, every_ms, added, sweep, full_at) VALUES ($1, $2, '{}', 0, $3, $4, 5)`, target.name, target.api, 10-i, i%2)
			exec(`INSERT INTO sweep (target, number, begun, complete) VALUES ($1, 1, 1, 2)`, target.name)
		}
		for _, r := range []struct{ target, id string }{{"acme", "1"}, {"acme", "2"}, {"ACME", "1"}, {"Acme", "2"}, {"Acme", "3"}, {"acme", "3"}, {"aCME", "1"}, {"other", "1"}} {
			var number int64
			if err == nil {
				err = database.QueryRow(ctx, tx, `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES ($1, $2, $2, '', 0, 0, 0, 0, 0, 'swept', 1) RETURNING number`, r.id, r.target)(&number)
			}
			for _, key := range []string{"both", r.target} {
				exec(`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record) VALUES ($1, '', '', 'live', '', '', 0, 1, 1, '{}') ON CONFLICT (fingerprint) DO NOTHING`, key)
				exec(`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ($1, $2, 'here', 'blob', '', '', 0, 1, '{}')`, key, number)
			}
		}
		return err
	})
	if err := s.Migrate(t.Context(), database.Version()); err != nil {
		t.Fatal(err)
	}
	rows := ""
	err := database.EachRow(t.Context(), s.SQL, func(scan func(...any) error) error {
		var target, id, key string
		err := scan(&target, &id, &key)
		rows += target + id + ":" + key + " "
		return err
	}, `SELECT r.target, r.id, l.fingerprint FROM repository r JOIN location l ON l.repository = r.number ORDER BY 1, 2, 3`)
	// ACME was swept, so it stays. PostgreSQL sorts by the language of the database.
	for _, want := range []string{"ACME1:ACME", "ACME1:acme", "ACME1:both", "ACME2:Acme", "ACME2:acme", "ACME2:both", "ACME3:Acme", "ACME3:acme", "ACME3:both", "aCME1:aCME", "aCME1:both", "other1:both", "other1:other"} {
		if !strings.Contains(" "+rows, " "+want+" ") {
			t.Errorf("%s is missing", want)
		}
	}
	if n := strings.Count(rows, " "); n != 13 || err != nil {
		t.Errorf("%d locations: %s, %v", n, rows, err)
	}
	targets, err := s.Targets(t.Context())
	if err != nil || len(targets) != 3 {
		t.Errorf("the targets are %+v, %v", targets, err)
	}
	for _, target := range targets {
		if target.Full.IsZero() != (target.Name == "ACME") {
			t.Errorf("%s was looked at as a whole at %v", target.Name, target.Full)
		}
	}
}

// testAddedAgain: a target that is removed and added again while it is listed and read is
// listed and read anew.
func testAddedAgain(on onDatabase) {
	t, s := on.t, on.store
	old := s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/app"})
	r, lease, err := s.Lease(t.Context(), due[0])
	if err != nil {
		t.Fatal(err)
	}
	again := func() error {
		errAsked := errors.New("this is a question")
		err := s.Tx(t.Context(), func(tx *sql.Tx) error {
			return cmp.Or(s.EndListing(t.Context(), tx, &sweeptest.Queue{}, old, sweep.Selection{}), errAsked)
		})
		if errors.Is(err, errAsked) {
			return nil
		}
		return err
	}
	if err := again(); err != nil {
		t.Errorf("nothing has happened: %v", err)
	}
	if _, err := s.RemoveTarget(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if err := again(); !errors.Is(err, sweep.ErrNoTarget) {
		t.Errorf("removed: %v", err)
	}
	if err := s.NoteState(t.Context(), &sweeptest.Queue{}, r, lease, sweep.Failed, "", true); !errors.Is(err, sweep.ErrTaken) {
		t.Errorf("its scan ends with %v", err)
	}
	s.Clock = s.Clock.Add(time.Second)
	s.put(t)
	var later *sweep.Later
	if err := again(); !errors.As(err, &later) {
		t.Errorf("added again: %v", err)
	}
	old = s.Get(t)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := database.Exec(ctx, tx, `UPDATE target SET full_at = 5`)
		return err
	})
	old.Full = time.UnixMilli(5)
	if err := again(); err != nil {
		t.Errorf("nothing has happened: %v", err)
	}
	if err := s.Begin(t.Context(), &sweeptest.Queue{}, "acme", true); err != nil {
		t.Fatal(err)
	}
	if err := again(); !errors.As(err, &later) {
		t.Errorf("a full look was asked for: %v", err)
	}
}
