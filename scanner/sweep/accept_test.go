//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

func TestAccept(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"accept": testAccept})
}

// testAccept: a repository of which a person knows that it cannot be read is tried again at
// each full look, and after a push; the acceptance ends when it can be read.
func testAccept(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	l := sweep.Listed{ID: "1", Name: "acme/Blocked", Pushed: s.Clock}
	due, _ := s.list(t, sweep.Selection{Detector: "v1"}, l)
	number := due[0]
	known := sweep.Acceptance{By: "ada", Reason: "DMCA", Until: s.Clock.Add(24 * time.Hour)}
	if err := s.Accept(t.Context(), "acme/blocked", known); !errors.Is(err, sweep.ErrNotUnread) {
		t.Errorf("it has not failed: %v", err)
	}
	s.read(t, number, sweep.Failed, nil)
	for _, a := range []sweep.Acceptance{{By: "ada"}, {Reason: "DMCA"}, {By: "ada", Reason: "it has " + detectorstest.SecretKey(5)}, {By: detectorstest.SecretKey(5), Reason: "DMCA"}} {
		if err := s.Accept(t.Context(), "acme/blocked", a); err == nil {
			t.Errorf("%+v is accepted", a)
		}
	}
	if err := s.Accept(t.Context(), "acme/blocked", known); err != nil {
		t.Fatal(err)
	}
	accepted := func() bool {
		t.Helper()
		r, err := s.Repository(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		return r.IsAccepted(s.Clock)
	}
	if st, err := s.Status(t.Context()); !accepted() || err != nil || !strings.HasPrefix(st.Troubled[0].Accepted, "accepted by ada until 2026-11-02: DMCA") {
		t.Errorf("the status is %+v, %v", st.Troubled, err)
	}
	tries := func(step string, full bool, l sweep.Listed, want int) {
		t.Helper()
		s.next(t)
		due, _ := s.list(t, sweep.Selection{Detector: "v1", Full: full}, l)
		target := s.Get(t)
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
			q := &sweeptest.Queue{}
			err := s.EndListing(ctx, tx, q, target, sweep.Selection{Full: full})
			if n := len(due) + len(q.Jobs); n != want {
				t.Errorf("%s: it is tried %d times, want %d", step, n, want)
			}
			return err
		})
		if want > 0 {
			s.read(t, number, sweep.Failed, nil)
		}
	}
	tries("accepted", false, l, 0)
	tries("a full look", true, l, 1)
	l.Pushed = l.Pushed.Add(time.Second)
	tries("a push", false, l, 1)
	if !accepted() {
		t.Error("it failed again, and is not accepted any more")
	}
	s.Clock = s.Clock.Add(24 * time.Hour)
	if accepted() {
		t.Error("it is accepted after its last day")
	}
	tries("after its last day", false, l, 1)

	known.Until = time.Time{}
	if err := errors.Join(s.Accept(t.Context(), "ACME/BLOCKED", known), s.Unaccept(t.Context(), "acme/blocked")); err != nil || accepted() {
		t.Errorf("taken back: %v", err)
	}
	if err := s.Unaccept(t.Context(), "acme/blocked"); !errors.Is(err, sweep.ErrNotAccepted) {
		t.Errorf("taken back again: %v", err)
	}
	if err := s.Accept(t.Context(), "acme/blocked", known); err != nil {
		t.Fatal(err)
	}
	s.read(t, number, sweep.Swept, nil)
	s.read(t, number, sweep.Failed, nil)
	if accepted() {
		t.Error("it was read, and is accepted still")
	}
	why := func(text string) {
		t.Helper()
		r, _, err := s.Lease(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		r.State, r.Why = sweep.Incomplete, text
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error { _, err := s.PutRepository(ctx, tx, r, 1); return err })
	}
	why("a")
	if err := s.Accept(t.Context(), "acme/blocked", known); err != nil {
		t.Fatal(err)
	}
	if why("a"); !accepted() {
		t.Error("the same part is unread, and it is not accepted any more")
	}
	if why("b"); accepted() {
		t.Error("another part is unread, and it is accepted")
	}
	var text strings.Builder
	if st, err := s.Status(t.Context()); err != nil || st.WriteText(&text) != nil || !slices.Contains(strings.Fields(text.String()), "INCOMPLETE") {
		t.Errorf("%s, %v", text.String(), err)
	}
}
