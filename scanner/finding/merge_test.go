package finding

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// TestMergeKeepsFields: a report that is merged with its copy is the same report. A field that
// is added to a record is not lost.
func TestMergeKeepsFields(t *testing.T) {
	stream, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	read := func() *Saved {
		var r Saved
		if err := Replay(bytes.NewReader(stream), &r, true); err != nil {
			t.Fatal(err)
		}
		r.Totals.Findings, r.Totals.Ignored, r.Totals.Live, r.Totals.Unknown, r.Totals.MayBeLive = 0, 0, 0, 0, 0
		for i := range r.Findings { // those of the contract have one name, and an exception that no live key overrules
			f := &r.Findings[i]
			f.Digest.Fingerprint, f.Overruled = fmt.Sprint(i), ""
			r.Totals.Count(f)
		}
		for i := range r.Repositories {
			r.Repositories[i].Name = fmt.Sprint(i)
		}
		for _, list := range [][]Unread{r.Totals.Unread, r.Totals.Accepted} {
			for i := range list {
				list[i].What = fmt.Sprint(i)
			}
		}
		return &r
	}
	write := func(r *Saved) string {
		var b strings.Builder
		if err := r.Replay(JSON(&b)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := write(read())
	for _, n := range []int{1, 2, 3} {
		var reports []*Saved
		for range n {
			reports = append(reports, read())
		}
		if d := cmp.Diff(want, write(merged(t, reports...))); d != "" {
			t.Errorf("%d times (-want +got):\n%s", n, d)
		}
		for _, r := range reports {
			if write(r) != want {
				t.Fatal("Merge has changed a report")
			}
		}
	}
}

// day is n days after some day.
func day(n int) time.Time { return time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

func found(state verifier.State, asked int, l ...Location) Finding {
	f := Finding{Digest: &Digest{Fingerprint: "f"}, Verdict: verifier.Verdict{State: state}, Locations: l}
	f.Match.Rule = &detectors.Rule{ID: "r"}
	if asked >= 0 {
		f.Verdict.At = day(asked)
	}
	return f
}

func saved(target string, began int, findings ...Finding) *Saved {
	return &Saved{Header: Scan{Version: "v", Source: "dir", Target: target, Started: day(began)}, Findings: findings,
		Totals: Summary{Objects: int64(100 + began), Bytes: 1000, ElapsedMS: int64(10 + began)}}
}

// merged returns the report that Merge makes of reports.
func merged(t *testing.T, reports ...*Saved) *Saved {
	t.Helper()
	var out Saved
	if err := Merge(reports, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// TestMergeVerdicts: the newest answer of AWS counts, in whichever order the reports are named,
// and nobody takes a question without an answer for one.
func TestMergeVerdicts(t *testing.T) {
	because := func(f Finding, reason string) Finding { f.Verdict.Reason = reason; return f }
	ignored := func(f Finding) Finding { f.Ignored = "a test"; return f }
	for _, tt := range []struct {
		name    string
		a, b    Finding // of a scan of day 1, and of one of day 3
		state   verifier.State
		at      int
		stale   string
		ignored string
	}{
		{"live_then_invalid", found(verifier.Live, 1), found(verifier.Invalid, 3), verifier.Invalid, 3, "", ""},
		{"invalid_then_live", found(verifier.Invalid, 1), found(verifier.Live, 3), verifier.Live, 3, "", ""},
		{"newest_answer_of_the_older_scan", found(verifier.Live, 4), found(verifier.Invalid, 3), verifier.Live, 4, "", ""},
		{"at_one_time", found(verifier.Invalid, 3), found(verifier.Live, 3), verifier.Live, 3, "", ""},
		{"invalid_then_no_answer", found(verifier.Invalid, 1), because(found(verifier.Unknown, 3), "throttled"), verifier.Invalid, 1, "no answer of AWS since: throttled", ""},
		{"invalid_then_not_asked", found(verifier.Invalid, 1), because(found(verifier.Unknown, -1), "not asked: no network"), verifier.Invalid, 1, "no answer of AWS since: no network", ""},
		{"no_answer_then_live", found(verifier.Unknown, 1), found(verifier.Live, 3), verifier.Live, 3, "", ""},
		{"nobody_wanted_to_ask", found(verifier.Live, 1), found(verifier.Skipped, -1), verifier.Live, 1, "", ""},
		{"not_asked_and_no_answer", found(verifier.Skipped, -1), found(verifier.Unknown, 1), verifier.Unknown, 1, "", ""},
		{"ignored_by_both", ignored(found(verifier.Skipped, -1)), ignored(found(verifier.Skipped, -1)), verifier.Skipped, -1, "", "a test"},
		{"ignored_by_one", ignored(found(verifier.Skipped, -1)), found(verifier.Invalid, 3), verifier.Invalid, 3, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := saved("x", 1, tt.a), saved("x", 3, tt.b)
			for _, reports := range [][]*Saved{{a, b}, {b, a}, {a, b, a}} {
				m := merged(t, reports...)
				if len(m.Findings) != 1 {
					t.Fatalf("%d findings", len(m.Findings))
				}
				f := m.Findings[0]
				at := time.Time{}
				if tt.at >= 0 {
					at = day(tt.at)
				}
				if f.Verdict.State != tt.state || !f.Verdict.At.Equal(at) || f.Stale != tt.stale || f.Ignored != tt.ignored {
					t.Errorf("%s at %s, stale %q, ignored %q", f.Verdict.State, f.Verdict.At, f.Stale, f.Ignored)
				}
				if want := map[bool]int{true: 0, false: 1}[tt.ignored != ""]; m.Totals.Findings != want || m.Totals.Ignored != 1-want {
					t.Errorf("counted as %+v", m.Totals)
				}
			}
		})
	}
}

// TestMergeNew: a finding is new in a merged report if it is new in each report that has it.
func TestMergeNew(t *testing.T) {
	with := func(h *History) *Saved { f := found(verifier.Live, 1); f.History = h; return saved("x", 1, f) }
	fresh, known, scan := with(&History{New: true}), with(&History{}), with(nil)
	for _, tt := range []struct {
		reports []*Saved
		want    bool
	}{{[]*Saved{fresh, fresh}, true}, {[]*Saved{fresh, known}, false}, {[]*Saved{known, fresh}, false}, {[]*Saved{scan, fresh}, true}} {
		if got := merged(t, tt.reports...).Findings[0].History.New; got != tt.want {
			t.Errorf("new %v, want %v", got, tt.want)
		}
	}
}

func TestMergePlaces(t *testing.T) {
	head, old := Location{Path: "b", Line: 3, AtHead: true, Time: day(9)}, Location{Path: "a", Line: 1, Time: day(0)}
	was := head
	was.AtHead = false
	a, b := saved("x", 1, found(verifier.Live, 1, head, old)), saved("y", 2, found(verifier.Live, 1, head))
	a.Findings[0].Omitted, b.Findings[0].Omitted = 5, 7
	f := merged(t, a, b, a).Findings[0]
	var got []string
	for _, l := range f.Locations {
		got = append(got, l.Repo+"/"+l.Path)
	}
	if want := []string{"x/b", "y/b", "x/a"}; !slices.Equal(got, want) || f.Omitted != 12 {
		t.Errorf("of two folders: %q and %d more, want %q and 12", got, f.Omitted, want)
	}
	newer := saved("x", 2, found(verifier.Live, 1, was))
	f = merged(t, a, newer).Findings[0]
	if len(f.Locations) != 2 || f.Locations[0].AtHead || f.Locations[0].Repo != "" {
		t.Errorf("of one folder, scanned twice: %+v", f.Locations)
	}
}

// TestMergeHere: the "." of two scans may be two folders, and its report says nothing else of it
// than the name of its file.
func TestMergeHere(t *testing.T) {
	for _, target := range []string{".", "..", "./", ""} {
		one := saved(target, 1, found(verifier.Live, 1, Location{Path: ".env", Repo: target}))
		other := saved(target, 2, found(verifier.Live, 1, Location{Path: ".env"}))
		one.Name, other.Name = "one.jsonl", "other.jsonl"
		other.Totals.Unread = []Unread{{What: ".env", Why: "bad"}}
		again := *one
		again.Name = "copy.jsonl"
		m := merged(t, one, other, &again)
		var got []string
		for _, l := range m.Findings[0].Locations {
			got = append(got, l.Repo+" "+l.Path)
		}
		if want := []string{"one.jsonl .env", "other.jsonl .env"}; !slices.Equal(got, want) || m.Header.Target != "one.jsonl, other.jsonl" || m.Totals.Unread[0].What != "other.jsonl: .env" {
			t.Errorf("%q: of %s: %q, not read %v", target, m.Header.Target, got, m.Totals.Unread)
		}
		if m = merged(t, one, &again); m.Header.Target != target || m.Findings[0].Locations[0].Repo != target {
			t.Errorf("%q and its copy: %+v", target, m)
		}
	}
}

// TestMergeOrder: findings are ordered by their first places, in whichever order the reports are
// named; one without a place comes last.
func TestMergeOrder(t *testing.T) {
	at := func(id string, l ...Location) Finding {
		f := found(verifier.Live, 1, l...)
		f.Digest = &Digest{Fingerprint: id}
		return f
	}
	a := saved("x", 1, at("nowhere"), at("head", Location{Path: "b", AtHead: true, Time: day(9)}), at("gone", Location{Path: "a", AtHead: true, Time: day(8)}))
	b := saved("x", 2, at("old", Location{Path: "a", Time: day(0)}), at("gone", Location{Path: "a", Time: day(8)}))
	for _, reports := range [][]*Saved{{a, b}, {b, a}} {
		var got []string
		for _, f := range merged(t, reports...).Findings {
			got = append(got, f.Fingerprint())
		}
		if want := []string{"head", "old", "gone", "nowhere"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestMergeFolders: a path says which target it is in if it begins with the whole of it.
func TestMergeFolders(t *testing.T) {
	list := []Location{{Path: "app/x"}, {Path: "app"}, {Path: "app.env"}, {Path: "x"}}
	f := merged(t, saved("app/", 1, found(verifier.Live, 1, list...)), saved("web", 1)).Findings[0]
	var got []string
	for _, l := range f.Locations {
		got = append(got, l.Repo)
	}
	if want := []string{"", "", "app/", "app/"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMergeTotals(t *testing.T) {
	a, b := saved("x", 1), saved("y", 2)
	a.Totals.Unread = []Unread{{What: "one.zip", Why: "bad"}}
	b.Totals.Unread = []Unread{{What: "one.zip", Why: "bad"}, {What: "y/two.zip", Why: "bad"}}
	b.Totals.Stopped = true
	again := *a
	again.Totals.Again = &Again{Asked: 2, Of: 3}
	a.Repositories = []Repository{{Name: "o/n", State: RepositoryFailed, At: day(1)}, {Name: "o/m", State: RepositoryWaiting}}
	b.Repositories = []Repository{{Name: "o/n", State: RepositorySwept, At: day(2)}, {Name: "o/m", State: RepositorySwept, At: day(2)}}
	m := merged(t, b, a, &again, saved("z", 3), saved("w", 0))
	want := Summary{Objects: 101 + 102 + 103 + 100, Bytes: 4000, ElapsedMS: 13, Stopped: true, Again: &Again{Asked: 2, Of: 3},
		Unread: []Unread{{What: "y: one.zip", Why: "bad"}, {What: "y/two.zip", Why: "bad"}, {What: "x: one.zip", Why: "bad"}}}
	if d := cmp.Diff(want, m.Totals); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(Scan{Version: "v", Source: "dir", Target: "y, x, and 2 others", Started: day(0)}, m.Header); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, r := range m.Repositories {
		if r.State != RepositorySwept {
			t.Errorf("%s is %s", r.Name, r.State)
		}
	}
}

// TestMergeRepositories: the newest look at a repository counts, whichever report is named first.
// A scan without a time of the look has that of its beginning.
func TestMergeRepositories(t *testing.T) {
	look := func(began int, state string) *Saved {
		r := saved("x", began)
		r.Repositories = []Repository{{Name: "o/n", State: state}}
		return r
	}
	for _, tt := range []struct{ old, last, want string }{
		{RepositoryFailed, RepositorySwept, RepositorySwept},
		{RepositorySwept, RepositoryFailed, RepositoryFailed},
		{RepositorySwept, RepositorySkipped, RepositorySwept},
		{RepositoryFailed, RepositoryWaiting, RepositoryFailed},
		{RepositorySkipped, RepositoryUnchanged, RepositoryUnchanged},
	} {
		a, b := look(1, tt.old), look(2, tt.last)
		for _, reports := range [][]*Saved{{a, b}, {b, a}} {
			if m := merged(t, reports...); len(m.Repositories) != 1 || m.Repositories[0].State != tt.want {
				t.Errorf("%s, then %s: %+v", tt.old, tt.last, m.Repositories)
			}
		}
	}
}

func TestMergeShards(t *testing.T) {
	for want, targets := range map[string][]string{
		"acme":                                 {"acme, shard 2/2", "acme, shard 1/2"},
		"acme, 2 of 3 shards":                  {"acme, shard 2/3", "acme, shard 1/3", "acme, shard 1/3"},
		"acme, shard 1/2, acme, shard 3/4":     {"acme, shard 1/2", "acme, shard 3/4"},
		"acme, shard 1/2, acme":                {"acme, shard 1/2", "acme"},
		"acme, octo, shard 1/2":                {"acme, shard 1/2", "octo, shard 1/2", "acme, shard 2/2"},
		"acme, shard 3/2, acme, shard x/2":     {"acme, shard 3/2", "acme, shard x/2"},
		"acme, 7 of 8 shards, o, and 2 others": {"acme, shard 1/8", "acme, shard 2/8", "acme, shard 3/8", "acme, shard 4/8", "acme, shard 5/8", "acme, shard 6/8", "acme, shard 8/8", "o", "p", "q"},
	} {
		var reports []*Saved
		for _, target := range targets {
			reports = append(reports, saved(target, 1))
		}
		if got := merged(t, reports...).Header.Target; got != want {
			t.Errorf("%q: %q, want %q", targets, got, want)
		}
	}
}
