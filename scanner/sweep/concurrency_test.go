//go:build sweep

package sweep_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

func TestConcurrency(t *testing.T) {
	onEachDatabase(t, map[string]func(onDatabase){"news": testNewsOnce, "people": testPeople, "search": testSearchAtOnce})
}

// another returns a store of another process on the database of s.
func another(t *testing.T, s *clockedStore) *clockedStore {
	t.Helper()
	if s.Postgres {
		return &clockedStore{&sweeptest.Store{Store: sweep.NewStore(s.SQL, true), Clock: s.Clock}}
	}
	var file string
	if err := database.QueryRow(t.Context(), s.SQL, `SELECT file FROM pragma_database_list WHERE name = 'main'`)(&file); err != nil {
		t.Fatal(err)
	}
	return &clockedStore{&sweeptest.Store{Store: sweep.NewStore(sweeptest.OpenSQLite(t, file), false), Clock: s.Clock}}
}

// at runs functions at the same time, and fails for the first error.
func at(t *testing.T, functions ...func(context.Context) error) {
	t.Helper()
	var begin, end sync.WaitGroup
	begin.Add(1)
	errs := make([]error, len(functions))
	for i, f := range functions {
		end.Go(func() {
			begin.Wait()
			errs[i] = f(t.Context())
		})
	}
	begin.Done()
	end.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// testNewsOnce: of transactions that store one finding at once, one tells that it is new,
// and each change of state is told once, by the one that made it.
func testNewsOnce(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r := s.repositoryNamed(t, "1")
	var mu sync.Mutex
	told := map[string][]sweep.Change{}
	observe := func(_ context.Context, _ *sql.Tx, c sweep.Change) error {
		mu.Lock()
		defer mu.Unlock()
		told[c.Fingerprint] = append(told[c.Fingerprint], c)
		return nil
	}
	isAnswer := func(state verifier.State) bool { return state == verifier.Live || state == verifier.Invalid }
	states := []verifier.State{verifier.Live, verifier.Unknown, verifier.Live, verifier.Invalid, verifier.Live, ""}
	for round := range 20 {
		name := fmt.Sprint("f", round)
		var puts []func(context.Context) error
		for i, state := range states {
			store := s
			if i%2 == 1 {
				store = another(t, s)
			}
			store.Observers = []sweep.Observer{observe}
			puts = append(puts, func(ctx context.Context) error {
				return store.Tx(ctx, func(tx *sql.Tx) error {
					f := sweeptest.Finding(name, state, "", s.Clock.Add(time.Duration(i)*time.Second), finding.Location{Blob: "b", Kind: finding.KindBlob})
					return store.PutFindings(ctx, tx, r, []finding.Finding{f}, false)
				})
			})
		}
		at(t, puts...)
		changes := told[name]
		for i, c := range changes {
			switch {
			case i == 0:
				if c.Before != "" {
					t.Errorf("%s: the first news is %+v", name, c)
				}
			case c.Before != changes[i-1].After && (isAnswer(c.Before) || isAnswer(changes[i-1].After)), c.Before == c.After:
				t.Errorf("%s: news %d is %+v, after %+v", name, i, c, changes[i-1])
			}
		}
		if len(changes) == 0 || s.Known(t)[name].Verdict.State != changes[len(changes)-1].After {
			t.Errorf("%s: it is %s, and the news are %+v", name, s.Known(t)[name].Verdict.State, changes)
		}
	}
}

// testPeople: while a finding is verified again, a person acknowledges it. Neither change
// is lost.
func testPeople(on onDatabase) {
	t, s := on.t, on.store
	s.put(t)
	r := s.repositoryNamed(t, "1")
	s.found(t, r, false, sweeptest.Finding("f", verifier.Live, "", s.Clock, finding.Location{Blob: "b", Kind: finding.KindBlob}))
	person := another(t, s)
	for round := range 20 {
		state := []verifier.State{verifier.Invalid, verifier.Live}[round%2]
		at(t, func(ctx context.Context) error {
			return s.Tx(ctx, func(tx *sql.Tx) error {
				f := sweeptest.Finding("f", state, "", s.Clock.Add(time.Duration(round+1)*time.Minute))
				return s.PutVerdicts(ctx, tx, nil, sweep.Result{Findings: []finding.Finding{f}}, s.Clock)
			})
		}, func(ctx context.Context) error {
			return person.Tx(ctx, func(tx *sql.Tx) error { // as package triage does
				_, err := database.Exec(ctx, tx, `UPDATE finding SET status = 'acknowledged', status_by = 'ada', comment = $1, owner = 'grace', version = version + 1
					WHERE fingerprint = 'f'`, fmt.Sprint("note ", round))
				return err
			})
		})
		got := s.Known(t)["f"]
		if got.Verdict.State != state || got.History.Note != fmt.Sprint("note ", round) || got.History.AcknowledgedBy != "ada" || got.History.Owner != "grace" {
			t.Fatalf("round %d: %s, %+v", round, got.Verdict.State, got.History)
		}
	}
}

// testSearchAtOnce: of two transactions that change one finding at once, the second stores a text
// that has the change of the first.
func testSearchAtOnce(on onDatabase) {
	t, s := on.t, on.store
	target := s.put(t)
	one, two, other := s.repositoryNamed(t, "1"), s.repositoryNamed(t, "2"), another(t, s)
	in := func(path string) finding.Finding {
		return sweeptest.Finding("f", verifier.Unknown, "", s.Clock, finding.Location{Blob: finding.BlobID(path), Kind: finding.KindBlob, Path: path})
	}
	s.found(t, one, false, in("one.env"))
	renamed := make(chan error, 1)
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.PutFindings(ctx, tx, two, []finding.Finding{in("two.env")}, false); err != nil {
			return err
		}
		go func() {
			renamed <- other.Tx(ctx, func(tx *sql.Tx) error {
				_, _, err := other.PutListed(ctx, tx, target, sweep.ListPage{Listed: []sweep.Listed{{ID: "1", Name: "acme/new"}}}, func(string) string { return "" }, sweep.Selection{})
				return err
			})
		}()
		time.Sleep(500 * time.Millisecond) // the other comes to the finding meanwhile; the test cannot fail if it does not
		return nil
	})
	if err := <-renamed; err != nil {
		t.Fatal(err)
	}
	s.wantHolding(t, "after both", map[string]string{"one.env": "f", "two.env": "f", "acme/new": "f", "acme/r1": "", "acme/r2": "f"})
}
