//go:build sweep

package sweep

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner"
)

func TestNews(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"put": testPutNews, "while_reading": testNewsWhileReading})
}

// tell puts news of acme/app, which has the id 1 unless n says otherwise.
func (s *clockedStore) tell(t *testing.T, n News) (jobs []Job, watched bool) {
	t.Helper()
	q := &queue{}
	s.do(t, func(ctx context.Context, tx *sql.Tx) (err error) {
		watched, err = s.PutNews(ctx, tx, q, n)
		return err
	})
	return q.jobs, watched
}

// testPutNews: news of a repository puts its scan, for each target that has it.
func testPutNews(on onDatabase) {
	t, s := on.t, on.store
	for _, target := range []Target{{Name: "acme", API: "https://h/"}, {Name: "acme/app", API: "https://H"}, {Name: "other", API: "https://h"}} {
		target.Options = []byte("{}")
		if err := s.PutTarget(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	due, _ := s.list(t, selection{}, Listed{ID: "1", Name: "acme/app", HasWiki: true}, Listed{ID: "2", Name: "acme/left", Skip: "archived"}, Listed{ID: "3", Name: "acme/copy", Fork: true})
	for _, n := range due[:2] {
		s.read(t, n, Swept, nil)
	}
	at := s.clock.Add(time.Second)
	for _, tt := range []struct {
		name  string
		news  News
		ranks []Rank // of the jobs
	}{
		{"in two targets", News{API: "https://h", ID: "1", Name: "ACME/App", Pushed: at}, []Rank{RankPush, RankPush}},
		{"another host", News{API: "https://g", ID: "1", Name: "acme/app"}, nil},
		{"nobody's", News{API: "https://h", ID: "9", Name: "nobody/app"}, nil},
		{"unknown", News{API: "https://h", ID: "9", Name: "other/new"}, []Rank{RankPush}},
		{"left out", News{API: "https://h", ID: "2", Name: "acme/left"}, nil},
		{"left out, and maybe no more", News{API: "https://h", ID: "2", Name: "acme/left", Doubt: true}, []Rank{RankPush}},
		{"a fork that was never read", News{API: "https://h", ID: "3", Name: "acme/copy"}, []Rank{RankFork}},
		{"a wiki", News{API: "https://h", ID: "1.wiki", Name: "acme/app.wiki"}, []Rank{RankPush, RankPush}},
		{"a wiki that is not known", News{API: "https://h", ID: "2.wiki", Name: "acme/left.wiki"}, []Rank{RankPush}},
	} {
		jobs, watched := s.tell(t, tt.news)
		var ranks []Rank
		for _, j := range jobs {
			ranks = append(ranks, j.Rank)
		}
		if !slices.Equal(ranks, tt.ranks) || watched != (len(tt.ranks) > 0) {
			t.Errorf("%s: %+v, watched: %v", tt.name, jobs, watched)
		}
	}
	if r, err := s.repository(t.Context(), due[0]); err != nil || !r.Pushed.Equal(at) || r.Told != 1 || r.Doubt {
		t.Errorf("the repository is %+v, %v", r, err)
	}
}

// testNewsWhileReading: a repository of which there is news while it is read stays due.
func testNewsWhileReading(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, selection{}, Listed{ID: "1", Name: "acme/app"})
	r, _, err := s.lease(t.Context(), due[0])
	if err != nil {
		t.Fatal(err)
	}
	r.State = Swept
	store := func() (again bool) {
		t.Helper()
		s.do(t, func(ctx context.Context, tx *sql.Tx) (err error) {
			again, err = s.putRepository(ctx, tx, r, 1)
			return err
		})
		return again
	}
	s.tell(t, News{ID: "1", Name: "acme/app"})
	if !store() {
		t.Error("it is not read again")
	}
	if r, err = s.repository(t.Context(), due[0]); err != nil || r.Told != 1 {
		t.Errorf("it is %+v, %v", r, err)
	}
	r.State = Swept
	if store() {
		t.Error("it is read again, and nothing is new")
	}
}

// news tells the sweeper of a change of a repository, and does the jobs, outside of a sweep.
func (s *sweeper) news(t *testing.T, n News) (failed []error) {
	t.Helper()
	s.do(t, func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.PutNews(ctx, tx, &s.queue, n)
		return err
	})
	s.clock = s.clock.Add(time.Second)
	return s.work(t)
}

// TestNewsOutsideSweep: news is read at once, though no sweep is under way, and without a
// listing.
func TestNewsOutsideSweep(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.repository(t, "old", "", "echo key-5 >f; commit 1")
	s.sweep(t, false)
	ended := s.get(t).Ended
	s.push(t, "app", "echo key-2 >f; commit 2")
	s.taken()
	s.news(t, News{ID: "100", Name: "acme/app", Pushed: s.listed[0].Pushed})
	s.wants(t, "pushed to", "key-1 key-2 key-5", "app swept", "old swept")
	if calls := s.taken(); slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "list") }) || !slices.Contains(calls, "lost acme/app") {
		t.Errorf("it asks %q", calls)
	}
	if got := s.get(t); !got.Ended.Equal(ended) || got.Sweep != 1 {
		t.Errorf("the sweep was ended, and is %+v", got)
	}
	s.sweep(t, false)
	if calls := s.taken(); slices.Contains(calls, "lost acme/app") {
		t.Errorf("the next sweep asks again: %q", calls)
	}

	s.repository(t, "new", "", "echo key-3 >f; commit 1")
	s.news(t, News{ID: "102", Name: "acme/new", Doubt: true})
	s.wants(t, "made", "key-1 key-2 key-3 key-5", "app swept", "new swept", "old swept")

	s.unlisted, s.listed = s.listed[:1:1], s.listed[1:] // new
	s.unlisted[0].Name = "acme/renamed"
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "git /acme/renamed") {
			return 404, nil
		}
		return 0, nil
	}
	if failed := s.news(t, News{ID: "102", Name: "acme/renamed", Doubt: true}); len(failed) != 1 {
		t.Errorf("its new name is not asked for: %v", failed)
	}
	s.unlisted = nil
	s.news(t, News{ID: "102", Name: "acme/renamed", Doubt: true})
	s.wants(t, "deleted", "key-1 key-2 key-3 key-5", "app swept", "old swept", "renamed gone")
	for i := range s.listed {
		s.listed[i].Skip = "skipped"
	}
	s.news(t, News{ID: "101", Name: "acme/old", Doubt: true})
	s.wants(t, "left out", "key-1 key-2 key-3 key-5", "app swept", "old skipped", "renamed gone")
}

// TestNewsDuringScan: a push that is told of while its repository is read is read as well.
func TestNewsDuringScan(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	read, scan := 0, s.engine.Scan
	s.engine.Scan = func(ctx context.Context, src scanner.Source, page string) (Result, error) {
		if read++; read == 1 {
			s.push(t, "app", "echo key-2 >f; commit 2")
			s.do(t, func(ctx context.Context, tx *sql.Tx) error {
				_, err := s.PutNews(ctx, tx, &queue{}, News{ID: "100", Name: "acme/app", Pushed: s.listed[0].Pushed})
				return err
			})
		}
		return scan(ctx, src, page)
	}
	s.sweep(t, false)
	s.wants(t, "both", "key-1 key-2", "app swept")
	if got := s.get(t); got.Ended.IsZero() {
		t.Errorf("the sweep has not ended: %+v", got)
	}
}

// TestNewsDoubt: a repository is not gone because the host could not be asked.
func TestNewsDoubt(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.sweep(t, false)
	s.fail = func(call string) (int, error) {
		if strings.HasPrefix(call, "repository") {
			return 0, errors.New("502")
		}
		return 0, nil
	}
	if failed := s.news(t, News{ID: "100", Name: "acme/app", Doubt: true}); len(failed) != 1 {
		t.Errorf("it fails with %v", failed)
	}
	s.wants(t, "unknown", "key-1", "app failed")
}
