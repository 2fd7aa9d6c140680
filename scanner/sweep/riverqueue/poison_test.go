//go:build sweep && unix

package riverqueue

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// The environment of a process that does jobs: the database, and the repository that kills
// it, or "machine" if it is killed whatever it reads.
const (
	databaseVariable = "STANCH_TEST_DATABASE"
	poisonVariable   = "STANCH_TEST_POISON"
)

// TestPoisonedWorker is no test but the process that the others start.
func TestPoisonedWorker(t *testing.T) {
	name := os.Getenv(databaseVariable)
	if name == "" {
		t.Skip("is started by other tests")
	}
	s := openStore(t, name)
	q := queue(t, s)
	poison, _ := strconv.ParseInt(os.Getenv(poisonVariable), 10, 64)
	q.do = func(ctx context.Context, j sweep.Job, _ bool, done sweep.Done) error {
		fmt.Printf("begin %d\n", j.Number)
		time.Sleep(50 * time.Millisecond)
		if j.Number == poison || os.Getenv(poisonVariable) == "machine" {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
	}
	if err := q.Run(t.Context(), &engine.Engine{Store: s, Queue: q}, true); err != nil {
		t.Fatal(err)
	}
}

// aWorker starts such a process.
func aWorker(t *testing.T, name, poison string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPoisonedWorker$")
	cmd.Env = append(os.Environ(), databaseVariable+"="+name, poisonVariable+"="+poison)
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// names are the names of an empty database of each kind.
func names() map[string]func(*testing.T) string {
	return map[string]func(*testing.T) string{
		"sqlite":     func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "sweep.db") },
		"postgresql": func(t *testing.T) string { t.Helper(); return sweeptest.StartPostgres(t).URL },
	}
}

// repositories puts n repositories, and a scan of each, into a database.
func repositories(t *testing.T, s *sweep.Store, n int) {
	t.Helper()
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	var jobs []sweep.Job
	for i := range n {
		jobs = append(jobs, sweep.Job{Kind: sweep.KindScan, Number: int64(i + 1)})
		if _, err := s.SQL.ExecContext(t.Context(), `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at)
			VALUES ($1, 'acme', $1, '', 0, 0, 0, 0, 0, 'new', 0)`, strconv.Itoa(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, queue(t, s), jobs...)
}

// TestPoison: a repository that kills its worker is begun four times, is set aside with its
// reason, and takes none of the others with it. In a later job it is begun once.
func TestPoison(t *testing.T) {
	for kind, name := range names() {
		t.Run(kind, func(t *testing.T) {
			name := name(t)
			s := openStore(t, name)
			repositories(t, s, 8)
			work := func() (begun int) {
				for range 20 {
					cmd, out := aWorker(t, name, "3")
					err := cmd.Wait()
					begun += strings.Count(out.String(), "begin 3\n")
					if err == nil {
						return begun
					}
				}
				t.Fatal("the queue does not come to its end")
				return 0
			}
			if n := work(); n != maxDeaths {
				t.Errorf("it was begun %d times", n)
			}
			if got := text(t, s, `SELECT name || ' ' || deaths || ' ' || why FROM repository WHERE deaths <> 0`); !strings.HasPrefix(got, "3 4 set aside: 4 workers") || strings.Count(got, "set aside") != 1 {
				t.Errorf("set aside: %s", got)
			}
			st, err := s.Status(t.Context())
			if err != nil || len(st.Troubled) != 1 || st.Troubled[0].State != sweep.Failed {
				t.Errorf("the status is %+v, %v", st, err)
			}
			put(t, queue(t, s), sweep.Job{Kind: sweep.KindScan, Number: 3})
			if n := work(); n != 1 {
				t.Errorf("later it was begun %d times", n)
			}
		})
	}
}

// TestMachineDies: workers that die together blame no repository, however often that
// happens.
func TestMachineDies(t *testing.T) {
	name := sweeptest.StartPostgres(t).URL
	s := openStore(t, name)
	repositories(t, s, 8)
	for range 6 {
		a, _ := aWorker(t, name, "machine")
		b, _ := aWorker(t, name, "machine")
		_, _ = a.Wait(), b.Wait()
		time.Sleep(1100 * time.Millisecond) // their silence
	}
	if got := text(t, s, `SELECT name FROM repository WHERE deaths > 1`); got != "" {
		t.Errorf("set aside or nearly so: %s", got)
	}
	cmd, out := aWorker(t, name, "")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := text(t, s, `SELECT state FROM river_job WHERE state <> 'completed'`) + text(t, s, `SELECT name FROM repository WHERE deaths > 0`); got != "" {
		t.Errorf("left: %s", got)
	}
}

// TestGate: one that has to be alone waits for the others, and they for it.
func TestGate(t *testing.T) {
	var g gate
	enter := func(alone, want bool) {
		t.Helper()
		if got := g.enter(alone); got != want {
			t.Errorf("entered: %t", got)
		}
	}
	enter(false, true)
	enter(false, true)
	enter(true, false)
	enter(false, false) // they make way
	g.leave()
	g.leave()
	enter(true, true)
	enter(false, false)
	enter(true, false)
	g.leave()
	enter(false, true)
	enter(true, false)
	g.way = time.Now().Add(-2 * time.Minute)
	enter(false, true)
	enter(true, false)
	enter(false, true)
}
