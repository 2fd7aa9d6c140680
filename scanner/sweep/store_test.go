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

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/refs"
	"github.com/stanch-dev/stanch/verifier"
)

func TestStore(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){
		"targets": testTargets, "begin": testBegin, "due": testDue, "listing": testListing, "gone": testGone,
		"lease": testLease, "relatives": testRelatives, "parent": testParent, "limits": testLimits, "states": testStates,
		"heads": testHeads, "ignored": testIgnored, "counts_again": testCountsAgain, "removed": testRemoved, "counted": testCounted, "to_verify": testToVerify, "status": testStatus,
	})
}

// put adds acme, and begins a sweep of it.
func (s *clockedStore) put(t *testing.T) sweep.Target {
	t.Helper()
	if err := errors.Join(s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}), s.Begin(t.Context(), &sweeptest.Queue{}, "acme", false)); err != nil {
		t.Fatal(err)
	}
	return s.Get(t)
}

func testTargets(on onDatabase) {
	t, s := on.t, on.store
	put := func(options string) sweep.Target {
		t.Helper()
		if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", API: "https://h", Options: []byte(options), Every: time.Hour}); err != nil {
			t.Fatal(err)
		}
		return s.Get(t)
	}
	added := s.Clock
	put(`{"a":1}`)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := database.Exec(ctx, tx, `UPDATE target SET full_at = $1`, database.Millis(s.Clock))
		return err
	})
	s.Clock = s.Clock.Add(time.Minute)
	if got := put(`{"a":1}`); !got.Full.Equal(added) || !got.Added.Equal(added) || got.Every != time.Hour {
		t.Errorf("added again, it is %+v", got)
	}
	if got := put(`{"a":2}`); !got.Full.IsZero() || string(got.Options) != `{"a":2}` {
		t.Errorf("with other options, all are looked at: %+v", got)
	}
	for _, want := range []bool{true, false} {
		if there, err := s.RemoveTarget(t.Context(), "acme"); there != want || err != nil {
			t.Errorf("it was there: %v, %v", there, err)
		}
	}
	if _, err := s.Target(t.Context(), "acme"); !errors.Is(err, sweep.ErrNoTarget) {
		t.Errorf("the error is %v", err)
	}
	if err := s.Begin(t.Context(), &sweeptest.Queue{}, "acme", false); !errors.Is(err, sweep.ErrNoTarget) {
		t.Errorf("the error is %v", err)
	}
}

// testBegin begins a sweep while one is under way, which then goes on.
func testBegin(on onDatabase) {
	t, s := on.t, on.store
	first := s.put(t)
	s.Clock = s.Clock.Add(time.Hour)
	q := &sweeptest.Queue{}
	if err := s.Begin(t.Context(), q, "acme", false); err != nil {
		t.Fatal(err)
	}
	if got := s.Get(t); got.Sweep != 1 || !got.Begun.Equal(first.Begun) || !got.Asked.Equal(s.Clock) || len(q.Jobs) != 1 {
		t.Errorf("while one is under way: %+v, %+v", got, q.Jobs)
	}
	target := s.Get(t)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.EndListing(ctx, tx, &sweeptest.Queue{}, target, sweep.Selection{})
	})
	if got := s.Get(t); !got.Ended.Equal(s.Clock) {
		t.Errorf("without a repository, it ends with the listing: %+v", got)
	}
	s.Clock = s.Clock.Add(time.Hour)
	if err := s.Begin(t.Context(), q, "acme", true); err != nil {
		t.Fatal(err)
	}
	if got := s.Get(t); got.Sweep != 2 || !got.Begun.Equal(s.Clock) || !got.Ended.IsZero() {
		t.Errorf("the next one is %+v", got)
	}
}

// testDue: a clock that was set back delays no target by more than its interval.
func testDue(on onDatabase) {
	t, s := on.t, on.store
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}"), Every: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "by-hand", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		since time.Duration
		want  int
	}{
		{"never swept", 0, 1}, {"just now", time.Second, 0}, {"nearly", 58 * time.Minute, 0}, {"in time", 2 * time.Minute, 1},
		{"set back", -3 * 365 * 24 * time.Hour, 1}, {"and again", time.Minute, 0}, {"away", 1000 * time.Hour, 1},
	} {
		s.Clock = s.Clock.Add(tt.since)
		q := &sweeptest.Queue{}
		if err := s.BeginDue(t.Context(), q); err != nil || len(q.Jobs) != tt.want {
			t.Errorf("%s: %+v, %v", tt.name, q.Jobs, err)
		}
	}
}

// list notes one page of repositories, and returns the numbers of those to look at.
func (s *clockedStore) list(t *testing.T, sel sweep.Selection, page ...sweep.Listed) (due []int64, changed bool) {
	t.Helper()
	target := s.Get(t)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		jobs, c, err := s.PutListed(ctx, tx, target, sweep.ListPage{Listed: page}, func(name string) string { return "https://h/" + name }, sel)
		for _, j := range jobs {
			due = append(due, j.Number)
		}
		changed = c
		return err
	})
	return due, changed
}

// read notes that a repository was read now, with refs, and is done.
func (s *clockedStore) read(t *testing.T, number int64, state string, tips map[string]string) sweep.Repository {
	t.Helper()
	r := s.readUnseen(t, number, state, tips)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.NoteDone(ctx, tx, &sweeptest.Queue{}, r.Target, r.Name)
	})
	return r
}

// readUnseen is read, and neither a fork nor the sweep is told that it is done.
func (s *clockedStore) readUnseen(t *testing.T, number int64, state string, tips map[string]string) sweep.Repository {
	t.Helper()
	r, lease, err := s.Lease(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	r.State, r.Detector, r.Refs = state, "v1", refs.Hashed(tips)
	current := s.Get(t).Sweep
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.PutRepository(ctx, tx, r, current)
		return errors.Join(sweep.EndLease(ctx, tx, number, lease), err)
	})
	return r
}

// next ends the sweep and begins another one, an hour later.
func (s *clockedStore) next(t *testing.T) {
	t.Helper()
	target := s.Get(t)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.EndListing(ctx, tx, &sweeptest.Queue{}, target, sweep.Selection{})
	})
	s.Clock = s.Clock.Add(time.Hour)
	if err := s.Begin(t.Context(), &sweeptest.Queue{}, "acme", false); err != nil {
		t.Fatal(err)
	}
}

// testListing holds which repositories of a listing are looked at.
func testListing(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	pushed := s.Clock.Add(-time.Hour)
	app := sweep.Listed{ID: "1", Name: "acme/app", Pushed: pushed, HasWiki: true}
	v1 := sweep.Selection{Detector: "v1"}
	due, changed := s.list(t, v1, app)
	if len(due) != 2 || !changed {
		t.Fatalf("a new one and its wiki: %v, %v", due, changed)
	}
	for _, n := range due {
		s.read(t, n, sweep.Swept, nil)
	}
	later, renamed, skipped := app, app, app
	later.Pushed, renamed.Name, skipped.Skip = pushed.Add(time.Minute), "acme/other", "archived"
	for _, tt := range []struct {
		name    string
		sel     sweep.Selection
		listed  sweep.Listed
		want    int
		changed bool
	}{
		{"nothing is new", v1, app, 0, false},
		{"all are looked at", sweep.Selection{Detector: "v1", Full: true}, app, 2, false},
		{"another detector", sweep.Selection{Detector: "v2"}, app, 2, false},
		{"pushed to", v1, later, 2, true},
		{"renamed", v1, renamed, 2, true},
		{"named as before", v1, app, 2, true},
		{"left out", v1, skipped, 0, false},
		{"no more left out", v1, app, 2, false},
	} {
		s.next(t)
		due, changed := s.list(t, tt.sel, tt.listed)
		if len(due) != tt.want || changed != tt.changed {
			t.Errorf("%s: %v, changed: %v", tt.name, due, changed)
		}
		for _, n := range due {
			s.read(t, n, sweep.Swept, nil)
		}
		if again, _ := s.list(t, v1, tt.listed); len(again) > 0 && tt.sel.Detector == "v1" {
			t.Errorf("%s: %v again in the same sweep", tt.name, again)
		}
	}
	s.next(t)
	s.read(t, due[0], sweep.Failed, nil)
	s.next(t)
	target := s.Get(t)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		q := &sweeptest.Queue{}
		err := s.EndListing(ctx, tx, q, target, sweep.Selection{})
		if len(q.Jobs) != 1 || q.Jobs[0].Number != due[0] {
			t.Errorf("those that failed are tried again: %+v", q.Jobs)
		}
		return err
	})
}

// testGone: a repository that a listing of all does not have is looked up, and comes back.
func testGone(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	one, two := sweep.Listed{ID: "1", Name: "acme/one", HasWiki: true}, sweep.Listed{ID: "2", Name: "acme/two"}
	gist := sweep.Listed{ID: "gist 1", Name: "gist.h/1", Clone: "https://gist.h/1.git"}
	due, _ := s.list(t, sweep.Selection{}, one, two, gist)
	for _, n := range due {
		s.read(t, n, sweep.Swept, nil)
	}
	s.next(t)
	s.Clock = s.Clock.Add(-150 * time.Minute) // the clock is set back: the order of times says nothing
	s.next(t)
	one.HasWiki = false
	s.list(t, sweep.Selection{Detector: "v1", Full: true}, one)
	end := func(all bool) (missing []sweep.Job, states []string) {
		t.Helper()
		target := s.Get(t)
		q := &sweeptest.Queue{}
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
			return s.EndListing(ctx, tx, q, target, sweep.Selection{All: all, Full: all})
		})
		missing = q.Jobs
		err := s.Repositories(t.Context(), "acme", func(r sweep.Repository) error {
			if r.Doubt {
				r.State = "in doubt"
			}
			states = append(states, r.Name+" "+r.State)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return missing, states
	}
	if missing, got := end(false); len(missing) > 0 || !slices.Equal(got, []string{"acme/one swept", "acme/one.wiki swept", "acme/two swept", "gist.h/1 swept"}) {
		t.Errorf("after a listing that ended early: %q", got)
	}
	if missing, got := end(true); len(missing) != 1 || missing[0].Number != due[2] || missing[0].Rank != sweep.RankLook || !slices.Equal(got, []string{"acme/one swept", "acme/one.wiki gone", "acme/two in doubt", "gist.h/1 gone"}) {
		t.Errorf("after one of all: %+v, %q", missing, got)
	}
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.NoteGone(ctx, tx, sweep.Repository{Target: "acme", ID: "2"}, "404")
	})
	s.next(t)
	if due, _ := s.list(t, sweep.Selection{Detector: "v1"}, two); len(due) != 1 {
		t.Errorf("it is back: %v", due)
	}
}

// testLease: only the job that leased a repository last can end.
func testLease(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/app"})
	r, first, err := s.Lease(t.Context(), due[0])
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := s.Lease(t.Context(), due[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.NoteState(t.Context(), &sweeptest.Queue{}, r, first, sweep.Failed, "", true); !errors.Is(err, sweep.ErrTaken) {
		t.Errorf("the first job ends with %v", err)
	}
	if err := s.NoteState(t.Context(), &sweeptest.Queue{}, r, second, sweep.Failed, "", true); err != nil {
		t.Errorf("the second job ends with %v", err)
	}
	if err := s.NoteState(t.Context(), &sweeptest.Queue{}, r, second, sweep.Failed, "", true); !errors.Is(err, sweep.ErrTaken) {
		t.Errorf("the second job ends again with %v", err)
	}
	if _, _, err := s.Lease(t.Context(), due[0]+1); !errors.Is(err, sweep.ErrObsolete) {
		t.Errorf("a repository that is none: %v", err)
	}
}

// testRelatives: what has a tip in common, or is the parent, was read with the same
// detector, for the same target.
func testRelatives(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/app"}, sweep.Listed{ID: "2", Name: "acme/other"}, sweep.Listed{ID: "3", Name: "acme/copy", Fork: true})
	id := func(n int) string { return strings.Repeat(fmt.Sprint(n), 40) }
	s.read(t, due[0], sweep.Swept, map[string]string{"refs/heads/main": id(1), "refs/heads/b": id(2)})
	s.read(t, due[1], sweep.Swept, map[string]string{"refs/heads/main": id(3)})
	copied, err := s.Repository(t.Context(), due[2])
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, parent, detector string
		refs                   map[string]string
		want                   string
	}{
		{"by a tip", "", "v1", map[string]string{"refs/heads/x": id(2)}, "acme/app"},
		{"by tips of two", "", "v1", map[string]string{"refs/heads/x": id(2), "refs/heads/y": id(3)}, "acme/app acme/other"},
		{"by its parent", "acme/other", "v1", map[string]string{"refs/heads/x": id(9)}, "acme/other"},
		{"by nothing", "", "v1", map[string]string{"refs/heads/x": id(9)}, ""},
		{"without refs", "", "v1", nil, ""},
		{"other detector", "acme/app", "v2", map[string]string{"refs/heads/x": id(2)}, ""},
	} {
		copied.Parent = tt.parent
		list, err := s.Relatives(t.Context(), copied, tt.refs, tt.detector)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range list {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// testParent: a fork waits for its parent, if that has a lower id and is read in this
// sweep.
func testParent(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "9", Name: "acme/app"}, sweep.Listed{ID: "10", Name: "acme/copy", Fork: true})
	app, _ := s.Repository(t.Context(), due[0])
	fork, _ := s.Repository(t.Context(), due[1])
	app.Parent, fork.Parent = "acme/copy", "acme/app"
	is := func(name string, r sweep.Repository, want bool) {
		t.Helper()
		_, lease, err := s.Lease(t.Context(), r.Number)
		if err != nil {
			t.Fatal(err)
		}
		parked, asked := false, errors.New("this is a question")
		err = s.Tx(t.Context(), func(tx *sql.Tx) error {
			parked, err = s.ParkFork(t.Context(), tx, r, lease, "v1")
			return errors.Join(err, asked)
		})
		if parked != want || err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v", name, parked, err)
		}
	}
	is("it is due", fork, true)
	is("the older one waits for none", app, false)
	s.read(t, due[0], sweep.Swept, nil)
	is("it was read", fork, false)

	fork.Parent = "acme/later"
	is("the list has not come to it yet", fork, true)
	note := func(why string, until time.Time) {
		t.Helper()
		if err := s.NoteListing(t.Context(), &sweeptest.Queue{}, "acme", why, until); err != nil {
			t.Fatal(err)
		}
	}
	note("spent", s.Clock.Add(time.Hour))
	is("the list waits for GitHub", fork, true)
	note("502", time.Time{})
	is("the list could not be read", fork, false)
	note("", time.Time{})
	target := s.Get(t)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.EndListing(ctx, tx, &sweeptest.Queue{}, target, sweep.Selection{})
	})
	is("the list has no such repository", fork, false)
}

// testLimits: all workers know until when a budget is spent.
func testLimits(on onDatabase) {
	t, s := on.t, on.store
	is := func(step string, want time.Duration, wantWhy string) {
		t.Helper()
		left, why, err := s.Limit(t.Context(), "token")
		if err != nil || (left-want).Abs() > time.Minute || why != wantWhy {
			t.Errorf("%s: %v, %q, %v, want %v, %q", step, left, why, err, want, wantWhy)
		}
	}
	put := func(left time.Duration, why string) {
		t.Helper()
		if err := s.PutLimit(t.Context(), "token", left, why); err != nil {
			t.Fatal(err)
		}
	}
	is("unknown", 0, "")
	put(30*time.Minute, "spent")
	is("spent", 30*time.Minute, "spent")
	put(time.Minute, "too fast")
	is("a limit that ends before", 30*time.Minute, "spent")
	put(time.Hour, "spent again")
	is("a limit that ends later", time.Hour, "spent again")
	if s.Postgres { // has a clock, and that of a worker says nothing
		s.Clock = s.Clock.Add(3 * time.Hour)
		is("for a worker whose clock is ahead", time.Hour, "spent again")
		s.Clock = s.Clock.Add(-6 * time.Hour)
		is("for a worker whose clock is behind", time.Hour, "spent again")
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
			_, err := database.Exec(ctx, tx, `UPDATE budget SET until = until - 3600000`)
			return err
		})
		is("over", 0, "")
		return
	}
	s.Clock = s.Clock.Add(-2 * time.Hour)
	is("noted by a clock that was set back", 0, "")
	put(time.Minute, "too fast")
	is("noted after that", time.Minute, "too fast")
	s.Clock = s.Clock.Add(time.Minute)
	is("over", 0, "")
}

// repository adds a repository that was read, and returns it.
func (s *clockedStore) repositoryNamed(t *testing.T, id string) sweep.Repository {
	t.Helper()
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: id, Name: "acme/r" + id})
	if len(due) != 1 {
		t.Fatalf("%v are due", due)
	}
	return s.read(t, due[0], sweep.Swept, nil)
}

// found puts a finding of a repository, as a scan of all or of the new.
func (s *clockedStore) found(t *testing.T, r sweep.Repository, afresh bool, findings ...finding.Finding) {
	t.Helper()
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error { return s.PutFindings(ctx, tx, r, findings, afresh) })
}

// testStates follows the state of a key.
func testStates(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r := s.repositoryNamed(t, "1")
	first := s.Clock
	died := time.Time{}
	for _, tt := range []struct {
		state, want string
		diesNow     bool // else it stays as dead, or as alive, as it was
		dead        bool
	}{
		{"unknown", "unknown", false, false},
		{"invalid", "invalid", false, false}, // it was never seen alive
		{"live", "live", false, false},
		{"unknown", "live", false, false}, // an answer is not forgotten for the lack of one
		{"skipped", "live", false, false},
		{"invalid", "invalid", true, true},
		{"invalid", "invalid", false, true},
		{"unknown", "invalid", false, true},
		{"live", "live", false, false},
		{"expired", "expired", true, true},
	} {
		s.Clock = s.Clock.Add(time.Hour)
		s.found(t, r, false, sweeptest.Finding("f", verifier.State(tt.state), "", s.Clock, finding.Location{Blob: "b", Kind: finding.KindBlob, Path: "p", AtHead: true}))
		if tt.diesNow {
			died = s.Clock
		}
		got := s.Known(t)["f"]
		if string(got.Verdict.State) != tt.want {
			t.Errorf("after %s, it is %s, want %s", tt.state, got.Verdict.State, tt.want)
		}
		want := time.Time{}
		if tt.dead {
			want = died
		}
		if !got.History.DeadSince.Equal(want) || !got.History.LastSeen.Equal(s.Clock) || !got.History.FirstSeen.Equal(first.Add(time.Hour)) {
			t.Errorf("after %s: %+v, want it to be dead since %s", tt.state, got, want)
		}
	}
}

// testHeads follows a location: at HEAD, gone, back, and forced away.
func testHeads(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r, other := s.repositoryNamed(t, "1"), s.repositoryNamed(t, "2")
	in := func(path string, blob finding.BlobID) finding.Finding {
		return sweeptest.Finding("f", verifier.Live, "", s.Clock, finding.Location{Blob: blob, Kind: finding.KindBlob, Path: path, AtHead: true})
	}
	s.found(t, r, false, in("dir/f", "b1"), in("a.zip!in/f", "b2"))
	heads := func(at map[string]string) finding.Finding {
		t.Helper()
		s.Clock = s.Clock.Add(time.Hour)
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
			return s.UpdateAtHead(ctx, tx, r.Number, func(path string) (string, bool) { return at[path], at[path] != "?" })
		})
		return s.Known(t)["f"]
	}
	if got := heads(map[string]string{"dir/f": "?", "a.zip": "?", "a.zip!in/f": "?"}); !got.History.GoneSince.IsZero() {
		t.Errorf("HEAD did not change: %+v", got)
	}
	if got := heads(map[string]string{"dir/f": "other", "a.zip": "b2"}); !got.History.GoneSince.IsZero() || got.Locations[0].AtHead == got.Locations[1].AtHead {
		t.Errorf("one of two: %+v", got)
	}
	if got := heads(nil); !got.History.GoneSince.Equal(s.Clock) {
		t.Errorf("gone: %+v", got)
	}
	if got := heads(map[string]string{"dir/f": "b1"}); !got.History.GoneSince.IsZero() {
		t.Errorf("back: %+v", got)
	}
	s.found(t, other, false, in("dir/f", "b1"))
	if got := heads(nil); !got.History.GoneSince.IsZero() || len(got.Locations) != 3 {
		t.Errorf("another repository has it at HEAD: %+v", got)
	}
	s.Clock = s.Clock.Add(time.Hour)
	s.found(t, other, true)
	if got := s.Known(t)["f"]; !got.History.GoneSince.Equal(s.Clock) || len(got.Locations) != 3 {
		t.Errorf("forced away: %+v", got)
	}
}

// testIgnored: a finding counts if it counts in one repository, as they were read last.
func testIgnored(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	one, two := s.repositoryNamed(t, "1"), s.repositoryNamed(t, "2")
	f := func(ignored string) finding.Finding {
		return sweeptest.Finding("f", verifier.Unknown, ignored, time.Time{}, finding.Location{Blob: "b", Kind: finding.KindBlob})
	}
	for _, tt := range []struct {
		name    string
		r       sweep.Repository
		ignored string
		afresh  bool
		want    string
	}{
		{"in one", one, "known", false, "known"},
		{"not in the other", two, "", false, ""},
		{"again", one, "known", true, ""},
		{"in no more", two, "known", true, ""}, // one was read by the same detector, and has it
	} {
		s.found(t, tt.r, tt.afresh, f(tt.ignored))
		if got := s.Known(t)["f"].Ignored; got != tt.want {
			t.Errorf("%s: ignored as %q, want %q", tt.name, got, tt.want)
		}
	}
	two.Detector = "v2"
	s.found(t, two, true, f("known"))
	if got := s.Known(t)["f"].Ignored; got != "known" {
		t.Errorf("another detector: ignored as %q", got)
	}
}

// testCountsAgain: a live key that no rule ignores any more is news, as a new one is: nobody
// was told of it before. That is so, too, if nobody asks AWS at that moment.
func testCountsAgain(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r := s.repositoryNamed(t, "1")
	var told []sweep.Change
	s.Observers = []sweep.Observer{func(_ context.Context, _ *sql.Tx, c sweep.Change) error {
		told = append(told, c)
		return nil
	}}
	for _, second := range []verifier.State{verifier.Live, verifier.Unknown, verifier.Skipped} {
		name := "f " + string(second)
		put := func(state verifier.State, ignored string) []sweep.Change {
			told = nil
			s.Clock = s.Clock.Add(time.Minute)
			s.found(t, r, true, sweeptest.Finding(name, state, ignored, s.Clock, finding.Location{Blob: "b", Kind: finding.KindBlob}))
			return told
		}
		put(verifier.Live, "a rule")
		want := []sweep.Change{{Fingerprint: name, After: verifier.Live, At: s.Clock.Add(time.Minute)}}
		if got := put(second, ""); !slices.Equal(got, want) {
			t.Errorf("no rule ignores it, and it is %s: told of %+v, want %+v", second, got, want)
		}
		if got := put(verifier.Live, ""); len(got) > 0 {
			t.Errorf("it is live still: told of %+v", got)
		}
	}
}

// testRemoved: removing a target removes findings that no other has.
func testRemoved(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	s.found(t, s.repositoryNamed(t, "1"), false, sweeptest.Finding("f", verifier.Live, "", time.Time{}, finding.Location{Blob: "b", Kind: finding.KindBlob}))
	for target, want := range map[string]string{"acme": "1 repository and 1 finding (1 live)", "": "1 repository and 1 finding (1 live)", "other": "0 repositories and 0 findings"} {
		if loss, err := s.Loss(t.Context(), target); err != nil || loss.String() != want {
			t.Errorf("of %q would go %s, want %s (%v)", target, loss, want, err)
		}
	}
	if _, err := s.RemoveTarget(t.Context(), "acme"); err != nil || s.Keys(t) != "" {
		t.Errorf("it is kept without a target: %v", err)
	}
}

// testCounted: the status counts findings with a status of people apart, but a live one only
// if it is acknowledged, and none whose last day is over.
func testCounted(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	s.found(t, s.repositoryNamed(t, "1"), false, sweeptest.Finding("f", verifier.Live, "", time.Time{}, finding.Location{Blob: "b", Kind: finding.KindBlob}))
	until := s.Clock.Add(time.Hour)
	for _, tt := range []struct {
		status string
		state  verifier.State
		until  time.Time
		want   string
	}{
		{"open", verifier.Unknown, time.Time{}, "1 open, 0 acknowledged, 0 live"},
		{"acknowledged", verifier.Live, time.Time{}, "0 open, 1 acknowledged, 1 live"},
		{"acknowledged", verifier.Live, until, "0 open, 1 acknowledged, 1 live"},
		{"acknowledged", verifier.Unknown, s.Clock, "1 open, 0 acknowledged, 0 live"},
		{"fixed", verifier.Unknown, time.Time{}, "0 open, 1 acknowledged, 0 live"},
		{"fixed", verifier.Live, time.Time{}, "1 open, 0 acknowledged, 0 live"},
		{"false-alarm", verifier.Live, until, "1 open, 0 acknowledged, 0 live"},
	} {
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
			_, err := database.Exec(ctx, tx, `UPDATE finding SET status = $1, state = $2, status_until = $3`, tt.status, string(tt.state), database.Millis(tt.until))
			return err
		})
		st, err := s.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d open, %d acknowledged, %d live", st.Findings.Open, st.Findings.Acknowledged, st.Findings.AcknowledgedLive); got != tt.want {
			t.Errorf("%s and %s: %s, want %s", tt.status, tt.state, got, tt.want)
		}
	}
}

// testToVerify: texts of findings that may be live are read again, in one of the
// repositories that have them.
func testToVerify(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	one, two := s.repositoryNamed(t, "1"), s.repositoryNamed(t, "2")
	f := func(name string, state verifier.State, ignored string, kind finding.Kind, verified time.Time) finding.Finding {
		return sweeptest.Finding(name, state, ignored, verified, finding.Location{Blob: finding.BlobID(name), Kind: kind})
	}
	at := s.Clock
	was := []finding.Finding{f("off", "live", "", "blob", at), f("off-lately", "live", "", "blob", at), f("expired", "live", "", "blob", at), f("rewritten", "live", "", "blob", at)}
	s.found(t, one, false, was...)
	old := at.Add(-23*time.Hour - time.Minute)
	list := []finding.Finding{
		f("off", "invalid", "", "blob", old), f("off-lately", "invalid", "", "blob", at), f("expired", "expired", "", "blob", old), f("rewritten", "invalid", "", "blob", old),
		f("live", "live", "", "blob", at), f("mismatch", "id-active-secret-mismatch", "", "blob", at), f("unknown", "unknown", "", "blob", at),
		f("dead", "invalid", "", "blob", at), f("ignored", "live", "test", "blob", at), f("never", "unknown", "", "blob", time.Time{}), f("message", "live", "", "commit-message", at),
	}
	s.found(t, one, false, slices.Clone(list)...)
	s.found(t, two, false, slices.Clone(list)...)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := database.Exec(ctx, tx, `UPDATE finding SET stale = 'not asked again: its text is not there any more' WHERE fingerprint = 'rewritten'`)
		return err
	})
	s.Clock = s.Clock.Add(time.Hour)
	for _, tt := range []struct {
		name   string
		number int64
		before time.Time
		want   string
	}{
		{"the first repository", one.Number, s.Clock, "live message mismatch off unknown"},
		{"a copy", two.Number, s.Clock, ""},
		{"asked about in this sweep", one.Number, at, ""},
		{"a day later", one.Number, at.Add(25 * time.Hour), "live message mismatch off off-lately unknown"},
		{"by a clock that was ahead", one.Number, at.Add(-2 * time.Hour), "live message mismatch off-lately unknown"},
	} {
		if strings.Contains(tt.name, "ahead") {
			s.Clock = at.Add(-time.Hour)
		}
		texts, err := s.TextsToVerify(t.Context(), tt.number, tt.before)
		var blobs []string
		for _, text := range texts {
			blobs = append(blobs, text.Blob)
		}
		if got := strings.Join(blobs, " "); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := database.Exec(ctx, tx, `UPDATE repository SET state = $1 WHERE number = $2`, sweep.Gone, one.Number); err != nil {
			return err
		}
		numbers, err := s.RepositoriesToVerify(ctx, tx, "acme", s.Clock)
		if !slices.Equal(numbers, []int64{two.Number}) {
			t.Errorf("the first repository is gone: %v", numbers)
		}
		return err
	})
}

// testStatus holds that a status names what is due, outdated and not done.
func testStatus(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/a"}, sweep.Listed{ID: "2", Name: "acme/b"}, sweep.Listed{ID: "3", Name: "acme/c"})
	r, lease, err := s.Lease(t.Context(), due[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.NoteState(t.Context(), &sweeptest.Queue{}, r, lease, sweep.Failed, "a damaged pack\x1b", true); err != nil {
		t.Fatal(err)
	}
	s.read(t, due[0], sweep.Swept, nil)
	status := func() sweep.Status {
		t.Helper()
		st, err := s.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	st := status()
	if got := st.Targets[0]; got.Due != 1 || got.States[sweep.New] != 1 || got.States[sweep.Swept] != 1 || got.Outdated != 0 || !got.Ended.IsZero() {
		t.Errorf("under way: %+v", got)
	}
	if len(st.Troubled) != 1 || st.Troubled[0].Name != "acme/b" {
		t.Errorf("troubled are %+v", st.Troubled)
	}
	if got := st.Progress(""); got != "2 of 3 repositories done · 0 findings open" {
		t.Error(got)
	}
	if got := st.Progress("asking AWS: 4 of 9 keys"); got != "2 of 3 repositories done · asking AWS: 4 of 9 keys · 0 findings open" {
		t.Error(got)
	}
	if got := (sweep.Status{}).Progress(""); got != "asking GitHub for its repositories" {
		t.Error(got)
	}
	var text strings.Builder
	if err := st.WriteText(&text); err != nil || !strings.Contains(text.String(), "FAILED  acme/b") || !strings.Contains(text.String(), "stanch sweep accept") || strings.Contains(text.String(), "\x1b") {
		t.Errorf("the text is %q, %v", text.String(), err)
	}
	s.next(t)
	s.Clock = s.Clock.Add(time.Minute)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := database.Exec(ctx, tx, `UPDATE repository SET detector = 'v0', state = $1 WHERE number = $2`, sweep.Unchanged, due[2])
		return err
	})
	if got := status().Targets[0]; got.Outdated != 1 {
		t.Errorf("another detector: %+v", got)
	}
}
