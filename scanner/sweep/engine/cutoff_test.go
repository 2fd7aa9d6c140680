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
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestCutOff: a limit in the middle of the texts beside a repository loses nothing that was
// read: findings are stored, the next try goes on from the new cursor, and git is not
// fetched again.
func TestCutOff(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", `echo key-1 >a; git add .; git commit -qm a`)
	s.texts["acme/app"] = &texts{text: "key-2", limit: &sweep.Later{At: s.Clock.Add(time.Hour), Why: "slow down"}}
	s.Clock = s.Clock.Add(time.Minute)
	if err := s.Begin(t.Context(), &s.queue, "acme", false); err != nil {
		t.Fatal(err)
	}
	do := func() error {
		j := s.queue.Jobs[0]
		s.queue.Jobs = s.queue.Jobs[1:]
		return s.engine.Do(t.Context(), j, false, func(context.Context, *sql.Tx) error { return nil })
	}
	if err := do(); err != nil { // the list
		t.Fatal(err)
	}
	scan := s.queue.Jobs[0]
	var later *sweep.Later
	if err := do(); !errors.As(err, &later) || later.Why != "slow down" {
		t.Errorf("the limit is %v", err)
	}
	if got := s.Keys(t); got != "key-1 key-2" {
		t.Errorf("found before the limit: %q", got)
	}
	if got := s.repositories(t); !slices.Equal(got, []string{"app waiting"}) {
		t.Errorf("%q", got)
	}
	if target, err := s.Target(t.Context(), "acme"); err != nil || !target.Ended.IsZero() {
		t.Errorf("the sweep has ended: %+v, %v", target, err)
	}

	// The host answers no more yet.
	s.taken()
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "texts") {
			return 0, &sweep.Later{At: s.Clock.Add(time.Hour), Why: "slow down"}
		}
		return 0, nil
	}
	s.queue.Jobs = []sweep.Job{scan}
	if err := do(); !errors.As(err, &later) {
		t.Errorf("the limit is %v", err)
	}
	s.fail = func(string) (int, error) { return 0, nil }
	s.Clock = s.Clock.Add(2 * time.Hour)
	s.texts["acme/app"].limit, s.texts["acme/app"].text = nil, "key-3"
	s.queue.Jobs = []sweep.Job{scan}
	if err := do(); err != nil {
		t.Error(err)
	}
	calls := s.taken()
	if !slices.Contains(calls, "texts acme/app +") || slices.ContainsFunc(calls, func(call string) bool { return strings.HasSuffix(call, "git-upload-pack") }) {
		t.Errorf("calls: %q", calls)
	}
	if got := s.Keys(t); got != "key-1 key-2 key-3" {
		t.Errorf("found: %q", got)
	}
	if got := s.repositories(t); !slices.Equal(got, []string{"app unchanged"}) {
		t.Errorf("%q", got)
	}
	if target, err := s.Target(t.Context(), "acme"); err != nil || target.Ended.IsZero() {
		t.Errorf("the sweep has not ended: %+v, %v", target, err)
	}
}

// TestStaysIncomplete: a repository of which a part could not be read is incomplete until all
// is read again, although it fails in between, or its texts do.
func TestStaysIncomplete(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", `echo key-1 >a; git add .; git commit -qm a`)
	scan, large := s.engine.Scan, true
	s.engine.Scan = func(ctx context.Context, src scanner.Source, page string) (sweep.Result, error) {
		result, err := scan(ctx, src, page)
		if _, beside := src.(*texts); !beside && large {
			result.Unread = append(result.Unread, finding.Unread{What: "b", Why: "too large"})
		}
		return result, err
	}
	is := func(step, state, why string) {
		t.Helper()
		s.wants(t, step, "key-1", "app "+state)
		err := s.Store.Repositories(t.Context(), "", func(r sweep.Repository) error {
			if !strings.Contains(r.Why, why) {
				t.Errorf("%s: it is %s: %s", step, r.State, r.Why)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	s.sweep(t, false)
	is("first", sweep.Incomplete, "too large")
	large = false
	s.fail = func(call string) (int, error) { return map[bool]int{true: 404}[strings.HasPrefix(call, "git")], nil }
	s.sweep(t, true)
	is("not there", sweep.Failed, "404")
	s.fail = func(string) (int, error) { return 0, nil }
	s.sweep(t, true)
	is("there again", sweep.Incomplete, "too large")
	s.texts["acme/app"] = &texts{err: errors.New("not permitted")}
	s.sweep(t, true)
	is("its texts fail", sweep.Failed, "not permitted")
	s.texts["acme/app"].err = nil
	s.sweep(t, true)
	is("its texts are read", sweep.Incomplete, "too large")
	s.engine.Detector, s.engine.Began = "v2", s.Clock
	s.sweep(t, true)
	is("all is read again", sweep.Swept, "")
}

// TestCutOffIncomplete: a repository of which a part could not be read stays incomplete,
// although a limit has cut off the rest.
func TestCutOffIncomplete(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", `echo key-1 >a; git add .; git commit -qm a`)
	s.texts["acme/app"] = &texts{err: errors.New("too large"), limit: &sweep.Later{At: s.Clock.Add(time.Hour), Why: "slow down"}}
	s.Clock = s.Clock.Add(time.Minute)
	if err := s.Begin(t.Context(), &s.queue, "acme", false); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		j := s.queue.Jobs[0]
		s.queue.Jobs = s.queue.Jobs[1:]
		_ = s.engine.Do(t.Context(), j, false, func(context.Context, *sql.Tx) error { return nil })
		if j.Kind == sweep.KindScan {
			s.queue.Jobs = []sweep.Job{j}
		}
	}
	if got := s.repositories(t); !slices.Equal(got, []string{"app incomplete"}) {
		t.Errorf("at the limit: %q", got)
	}
	s.Clock = s.Clock.Add(2 * time.Hour)
	s.texts["acme/app"] = &texts{text: "nothing"}
	if failed := s.work(t); failed != nil {
		t.Error(failed)
	}
	if got := s.repositories(t); !slices.Equal(got, []string{"app incomplete"}) {
		t.Errorf("at the end: %q", got)
	}
}
