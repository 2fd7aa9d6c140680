//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

func TestNews(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"put": testPutNews, "while_reading": testNewsWhileReading})
}

// tell puts news of acme/app, which has the id 1 unless n says otherwise.
func (s *clockedStore) tell(t *testing.T, n sweep.News) (jobs []sweep.Job, watched bool) {
	t.Helper()
	q := &sweeptest.Queue{}
	s.Do(t, func(ctx context.Context, tx *sql.Tx) (err error) {
		watched, err = s.PutNews(ctx, tx, q, n)
		return err
	})
	return q.Jobs, watched
}

// testPutNews: news of a repository puts its scan, for each target that has it.
func testPutNews(on onDatabase) {
	t, s := on.t, on.store
	for _, target := range []sweep.Target{{Name: "acme", API: "https://h/"}, {Name: "acme/app", API: "https://H"}, {Name: "other", API: "https://h"}} {
		target.Options = []byte("{}")
		if err := s.PutTarget(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/app", HasWiki: true}, sweep.Listed{ID: "2", Name: "acme/left", Skip: "archived"}, sweep.Listed{ID: "3", Name: "acme/copy", Fork: true})
	for _, n := range due[:2] {
		s.read(t, n, sweep.Swept, nil)
	}
	at := s.Clock.Add(time.Second)
	for _, tt := range []struct {
		name  string
		news  sweep.News
		ranks []sweep.Rank // of the jobs
	}{
		{"in two targets", sweep.News{API: "https://h", ID: "1", Name: "ACME/App", Pushed: at}, []sweep.Rank{sweep.RankPush, sweep.RankPush}},
		{"another host", sweep.News{API: "https://g", ID: "1", Name: "acme/app"}, nil},
		{"nobody's", sweep.News{API: "https://h", ID: "9", Name: "nobody/app"}, nil},
		{"unknown", sweep.News{API: "https://h", ID: "9", Name: "other/new"}, []sweep.Rank{sweep.RankPush}},
		{"left out", sweep.News{API: "https://h", ID: "2", Name: "acme/left"}, nil},
		{"left out, and maybe no more", sweep.News{API: "https://h", ID: "2", Name: "acme/left", Doubt: true}, []sweep.Rank{sweep.RankPush}},
		{"a fork that was never read", sweep.News{API: "https://h", ID: "3", Name: "acme/copy"}, []sweep.Rank{sweep.RankFork}},
		{"a wiki", sweep.News{API: "https://h", ID: "1.wiki", Name: "acme/app.wiki"}, []sweep.Rank{sweep.RankPush, sweep.RankPush}},
		{"a wiki that is not known", sweep.News{API: "https://h", ID: "2.wiki", Name: "acme/left.wiki"}, []sweep.Rank{sweep.RankPush}},
	} {
		jobs, watched := s.tell(t, tt.news)
		var ranks []sweep.Rank
		for _, j := range jobs {
			ranks = append(ranks, j.Rank)
		}
		if !slices.Equal(ranks, tt.ranks) || watched != (len(tt.ranks) > 0) {
			t.Errorf("%s: %+v, watched: %v", tt.name, jobs, watched)
		}
	}
	if r, err := s.Repository(t.Context(), due[0]); err != nil || !r.Pushed.Equal(at) || r.Told != 1 || r.Doubt {
		t.Errorf("the repository is %+v, %v", r, err)
	}
}

// testNewsWhileReading: a repository of which there is news while it is read stays due.
func testNewsWhileReading(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	due, _ := s.list(t, sweep.Selection{}, sweep.Listed{ID: "1", Name: "acme/app"})
	r, _, err := s.Lease(t.Context(), due[0])
	if err != nil {
		t.Fatal(err)
	}
	r.State = sweep.Swept
	store := func() (again bool) {
		t.Helper()
		s.Do(t, func(ctx context.Context, tx *sql.Tx) (err error) {
			again, err = s.PutRepository(ctx, tx, r, 1)
			return err
		})
		return again
	}
	s.tell(t, sweep.News{ID: "1", Name: "acme/app"})
	if !store() {
		t.Error("it is not read again")
	}
	if r, err = s.Repository(t.Context(), due[0]); err != nil || r.Told != 1 {
		t.Errorf("it is %+v, %v", r, err)
	}
	r.State = sweep.Swept
	if store() {
		t.Error("it is read again, and nothing is new")
	}
}
