//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
)

func TestJobsOfRepositories(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"hold": testHold, "looked_up": testLookedUp, "lost": testLostNoted, "outdated": testOutdated, "asked_again": testAskedAgain})
}

// testHold: a job that has lost its repository, or of which there is news, is told so.
func testHold(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/app"})
	r, lease, err := s.Lease(t.Context(), due[0])
	if err != nil {
		t.Fatal(err)
	}
	hold := func(lease string) (whole, quiet error) {
		whole = s.Tx(t.Context(), func(tx *sql.Tx) error { return sweep.HoldLease(t.Context(), tx, r.Number, lease) })
		quiet = s.Tx(t.Context(), func(tx *sql.Tx) error { return s.HoldQuiet(t.Context(), tx, r, lease) })
		return whole, quiet
	}
	if whole, quiet := hold(lease); whole != nil || quiet != nil {
		t.Errorf("it has the repository: %v, %v", whole, quiet)
	}
	if whole, quiet := hold("another"); !errors.Is(whole, sweep.ErrTaken) || !errors.Is(quiet, sweep.ErrTaken) {
		t.Errorf("it has lost the repository: %v, %v", whole, quiet)
	}
	s.tell(t, sweep.News{ID: "1", Name: "acme/app"})
	var later *sweep.Later
	if whole, quiet := hold(lease); whole != nil || !errors.As(quiet, &later) {
		t.Errorf("there is news of it: %v, %v", whole, quiet)
	}
	if _, err := s.RemoveTarget(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if _, quiet := hold(lease); !errors.Is(quiet, sweep.ErrObsolete) {
		t.Errorf("it was removed: %v", quiet)
	}
}

// testLookedUp: a repository that its host shows by itself is in doubt no more; its wiki is
// gone with what it shows, and it is left out if the filter says so.
func testLookedUp(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	app := sweep.Listed{ID: "1", Name: "acme/app", HasWiki: true}
	due, _ := s.list(t, sweep.Selection{}, app)
	for _, n := range due {
		s.read(t, n, sweep.Swept, nil)
	}
	s.tell(t, sweep.News{ID: "1", Name: "acme/app", Doubt: true})
	is := func(step string, l sweep.Listed, jobs int, state, wiki string) {
		t.Helper()
		target := s.Get(t)
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
			got, err := s.PutLookedUp(ctx, tx, target, l, func(name string) string { return "https://h/" + name }, sweep.Selection{Detector: "v1"})
			if len(got) != jobs {
				t.Errorf("%s: the jobs are %+v", step, got)
			}
			return err
		})
		states := map[string]string{}
		err := s.Repositories(t.Context(), "acme", func(r sweep.Repository) error {
			states[r.ID] = r.State
			if r.Doubt {
				states[r.ID] += " in doubt"
			}
			return nil
		})
		if err != nil || states["1"] != state || states["1.wiki"] != wiki {
			t.Errorf("%s: the states are %v, %v", step, states, err)
		}
	}
	is("there", app, 1, sweep.Swept, sweep.Swept) // news has made it due
	app.HasWiki = false
	is("without a wiki", app, 1, sweep.Swept, sweep.Gone)
	app.Skip = "archived"
	is("left out", app, 0, sweep.Skipped, sweep.Gone)
}

// testLostNoted: the job for lost commits notes until when it has read, unless the repository
// was read with other rules meanwhile, and what it could not read. One that cannot do its work
// makes the repository failed, unless that is due or gone.
func testLostNoted(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/app"})
	fails := func(state string) {
		t.Helper()
		if err := s.NoteFailed(t.Context(), due[0], "denied"); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Repository(t.Context(), due[0]); err != nil || r.State != state {
			t.Errorf("it is %s, want %s: %v", r.State, state, err)
		}
	}
	fails(sweep.New)
	r := s.read(t, due[0], sweep.Swept, nil)
	r.Activity = s.Clock
	for _, tt := range []struct{ detector, why, state string }{
		{"v2", "a lost commit", sweep.Swept},
		{"v1", "a lost commit", sweep.Incomplete},
	} {
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error { return s.PutActivity(ctx, tx, r, tt.detector, tt.why) })
		if got, err := s.Repository(t.Context(), due[0]); err != nil || got.State != tt.state || got.Activity.IsZero() != (tt.state == sweep.Swept) {
			t.Errorf("%s: %+v, %v", tt.detector, got, err)
		}
	}
	fails(sweep.Failed)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		return s.NoteGone(ctx, tx, r, "404")
	})
	fails(sweep.Gone)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error { return s.PutDue(ctx, tx, r.Number) })
	if st, err := s.Status(t.Context()); err != nil || st.Targets[0].Due != 1 {
		t.Errorf("it is due: %+v, %v", st.Targets, err)
	}
}

// testOutdated: a repository that another detector has read is outdated from the next sweep on,
// and at once if it was read before this process began.
func testOutdated(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	s.repositoryNamed(t, "1")
	for _, tt := range []struct {
		name, detector string
		before         time.Time
		next, want     bool
	}{
		{"as it was read", "v1", s.Clock.Add(time.Hour), false, false},
		{"another, in this sweep", "v2", time.Time{}, false, false},
		{"another, which began later", "v2", s.Clock.Add(time.Hour), false, true},
		{"another, in the next sweep", "v2", time.Time{}, true, true},
	} {
		if tt.next {
			s.next(t)
		}
		if got, err := s.HasOutdated(t.Context(), s.Get(t), sweep.Selection{Detector: tt.detector, Before: tt.before}); got != tt.want || err != nil {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}

// testAskedAgain: the texts of open findings were read again. One key has another answer, the
// id of another has one, and the text of a third is not there any more.
func testAskedAgain(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r := s.repositoryNamed(t, "1")
	old, begun := s.Clock, s.Clock.Add(time.Hour)
	open := func(name string) finding.Finding {
		f := sweeptest.Finding(name, verifier.Live, "", old, finding.Location{Blob: finding.BlobID(name), Kind: finding.KindBlob})
		f.Match.Credential.ID = "id of " + name
		f.Verdict.Identity.ARN = "arn of " + name
		return f
	}
	s.found(t, r, false, open("asked"), open("by-id"), open("edited"), open("unread"))
	texts, err := s.TextsToVerify(t.Context(), r.Number, begun)
	if err != nil || len(texts) != 4 {
		t.Fatalf("to be read again: %+v, %v", texts, err)
	}
	s.Clock = begun.Add(time.Minute)
	asked, id := open("asked"), open("id alone")
	asked.Verdict.State, asked.Verdict.At, asked.Verdict.Identity.ARN = verifier.Invalid, s.Clock, ""
	id.Match.Credential.ID, id.Verdict.State, id.Verdict.At, id.Verdict.Identity.ARN = "id of by-id", verifier.IDActive, s.Clock, ""
	put := func(texts []sweep.OpenText, result sweep.Result) {
		t.Helper()
		s.Do(t, func(ctx context.Context, tx *sql.Tx) error { return s.PutVerdicts(ctx, tx, texts, result, begun) })
	}
	put(texts[:3], sweep.Result{Findings: []finding.Finding{id, asked}})
	put(texts[3:], sweep.Result{Unread: []finding.Unread{{What: "unread", Why: "too large"}}})
	known := s.Known(t)
	for name, want := range map[string]struct {
		state verifier.State
		stale string
	}{
		"asked": {verifier.Invalid, ""}, "by-id": {verifier.IDActive, ""}, "edited": {verifier.Live, "not there any more"}, "unread": {verifier.Live, "could not be read: too large"},
	} {
		if got := known[name]; got.Verdict.State != want.state || !strings.Contains(got.Stale, want.stale) || want.stale == "" && got.Stale != "" {
			t.Errorf("%s is %s, %q", name, got.Verdict.State, got.Stale)
		}
	}
	for _, name := range []string{"asked", "by-id"} {
		if got := known[name].Verdict.Identity.ARN; got != "arn of "+name {
			t.Errorf("the owner of %s is %q", name, got)
		}
	}
	if len(known) != 4 {
		t.Errorf("there are %d findings", len(known))
	}
}
