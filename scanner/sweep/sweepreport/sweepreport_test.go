package sweepreport

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/verifier"
)

var began = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func newWriter() (*writer, *finding.Saved) {
	saved := &finding.Saved{}
	return &writer{Report: &Report{Handler: saved, FailOn: run.FailOnAny}, begun: map[string]time.Time{"acme": began}, leftOut: map[string]int{}, others: map[string]int{}}, saved
}

// TestRepositories: how each state of a repository is reported, and which of them make the
// report incomplete.
func TestRepositories(t *testing.T) {
	during, before := began.Add(time.Minute), began.Add(-time.Hour)
	for _, tt := range []struct {
		name       string
		state, why string
		at         time.Time
		want       string
		wantWhy    string
		objects    int64
		unread     string
	}{
		{"swept", sweep.Swept, "", during, finding.RepositorySwept, "", 7, ""},
		{"swept by an earlier sweep", sweep.Swept, "", before, finding.RepositoryUnchanged, "", 0, ""},
		{"unchanged", sweep.Unchanged, "", during, finding.RepositoryUnchanged, "", 7, ""},
		{"new", sweep.New, "", time.Time{}, finding.RepositoryWaiting, "for its turn", 7, "it waits for its turn"},
		{"waiting", sweep.Waiting, "until 10:00", during, finding.RepositoryWaiting, "until 10:00", 7, "it waits until 10:00"},
		{"gone", sweep.Gone, "deleted", during, finding.RepositorySkipped, "deleted", 7, ""},
		{"failed", sweep.Failed, "refused", during, finding.RepositoryFailed, "refused", 7, "refused"},
		{"incomplete", sweep.Incomplete, "a damaged pack", during, finding.RepositoryFailed, "a damaged pack", 7, "a damaged pack"},
		{"accepted", sweep.Failed, "refused", during, finding.RepositoryFailed, "refused; accepted by ada: DMCA", 7, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, saved := newWriter()
			r := sweep.Repository{Target: "acme", Name: "acme/app", WebURL: "https://h/acme/app", State: tt.state, Why: tt.why, At: tt.at, Objects: 7}
			if strings.HasSuffix(tt.name, "accepted") {
				r.Accepted = sweep.Acceptance{By: "ada", Reason: "DMCA"}
			}
			if err := w.repository(r); err != nil {
				t.Fatal(err)
			}
			want := finding.Repository{Name: r.Name, URL: r.WebURL, State: tt.want, Why: tt.wantWhy, At: tt.at, Objects: tt.objects}
			if d := cmp.Diff([]finding.Repository{want}, saved.Repositories); d != "" {
				t.Error(d)
			}
			var unread []finding.Unread
			if tt.unread != "" {
				unread = []finding.Unread{{What: r.WebURL, Why: tt.unread}}
			}
			if d := cmp.Diff(unread, w.result.Summary.Unread); d != "" || w.result.Summary.Objects != tt.objects {
				t.Errorf("%d objects\n%s", w.result.Summary.Objects, d)
			}
		})
	}
}

// TestAllLeftOut: a target is incomplete if its filters leave out all of the repositories
// that it has.
func TestAllLeftOut(t *testing.T) {
	for _, tt := range []struct {
		name   string
		states []string
		unread bool
	}{
		{"none", nil, false},
		{"some", []string{sweep.Skipped, sweep.Unchanged}, false},
		{"not yet", []string{sweep.Skipped, sweep.New}, false},
		{"all", []string{sweep.Skipped, sweep.Skipped}, true},
		{"all that are still there", []string{sweep.Skipped, sweep.Gone}, true},
		{"all are gone", []string{sweep.Gone}, false},
	} {
		w, _ := newWriter()
		for _, state := range tt.states {
			_ = w.repository(sweep.Repository{Target: "acme", State: state, At: began})
		}
		n := len(w.result.Summary.Unread) // of those that wait
		if w.allLeftOut(); (len(w.result.Summary.Unread) > n) != tt.unread {
			t.Errorf("%s: %v", tt.name, w.result.Summary.Unread)
		}
	}
}

// TestAcknowledged: a finding that somebody acknowledged is ignored until that ends, but a
// live one counts all the same.
func TestAcknowledged(t *testing.T) {
	later, past := time.Now().Add(48*time.Hour), time.Now().Add(-48*time.Hour)
	for _, tt := range []struct {
		name               string
		state              verifier.State
		status, by         string
		until              time.Time
		ignored, overruled string
		leaks              int
	}{
		{"nobody", verifier.Unknown, "", "", time.Time{}, "", "", 1},
		{"without an end", verifier.Unknown, "acknowledged", "ada", time.Time{}, "acknowledged by ada", "", 0},
		{"until later", verifier.Unknown, "acknowledged", "ada", later, "acknowledged by ada until " + later.Format(time.DateOnly), "", 0},
		{"ended", verifier.Unknown, "fixed", "ada", past, "", "", 1},
		{"live", verifier.Live, "acknowledged", "ada", time.Time{}, "", "acknowledged by ada", 1},
		{"closed", verifier.Unknown, "shut-off", "ada", time.Time{}, "shut off by ada", "", 0},
		{"false alarm", verifier.Unknown, "false-alarm", "ada", later, "false alarm, says ada until " + later.Format(time.DateOnly), "", 0},
		{"closed and live", verifier.Live, "fixed", "ada", time.Time{}, "", "fixed by ada", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, saved := newWriter()
			f := finding.Finding{History: &finding.History{Status: tt.status, AcknowledgedBy: tt.by, AcknowledgedUntil: tt.until}}
			f.Verdict.State = tt.state
			if err := w.finding(f); err != nil {
				t.Fatal(err)
			}
			if got := saved.Findings[0]; got.Ignored != tt.ignored || got.Overruled != tt.overruled || w.result.Leaks != tt.leaks {
				t.Errorf("ignored %q, overruled %q, %d leaks", got.Ignored, got.Overruled, w.result.Leaks)
			}
		})
	}
}

// TestNoAnswer: a report of live keys alone says how many may be live.
func TestNoAnswer(t *testing.T) {
	w, _ := newWriter()
	w.FailOn = run.FailOnLive
	for _, v := range []verifier.Verdict{{State: verifier.Unknown}, {State: verifier.Skipped, Reason: verifier.NotAsked}, {State: verifier.Invalid}} {
		if err := w.finding(finding.Finding{Verdict: v, History: &finding.History{}}); err != nil {
			t.Fatal(err)
		}
	}
	if w.result.Unanswered != 2 || w.result.Leaks != 0 {
		t.Errorf("%d without an answer, %d leaks", w.result.Unanswered, w.result.Leaks)
	}
}
