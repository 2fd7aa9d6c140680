//go:build sweep && unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// build returns a stanch to be killed.
func build(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "stanch")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-tags", "sweep", "-o", name, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return name
}

// process starts a command of stanch sweep.
func (o *sweptOrg) process(t *testing.T, stanch string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(stanch, append([]string{"sweep", "--database-url", o.database}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // git too
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, cmd) })
	return cmd, &out
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// many makes an organization of n repositories with a key each, no two of them with the
// same commits, and returns what a sweep has to find.
func (o *sweptOrg) many(t *testing.T, n int) (want []string) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("r%02d", i)
		o.repo(t, name, "", fmt.Sprintf("echo %s >name; i=0; while [ $i -lt 40 ]; do seq $i 400 >f$i; i=$((i+1)); done; commit 0; leak %d key; commit 1; git rm -q key; commit 2", name, i%5))
		want = append(want, fmt.Sprintf("%d:%s", i%5, name))
	}
	slices.Sort(want)
	return want
}

// known returns what the database has: each key with each repository that it is in, and
// the scans that are done more than once for one sweep.
func (o *sweptOrg) known(t *testing.T) (found, twice []string) {
	t.Helper()
	store, err := riverqueue.Open(t.Context(), o.database, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = store.Findings(t.Context(), "", func(f finding.Finding) error {
		places := f.Locations
		for i := range places {
			f.Locations = places[i : i+1]
			var line strings.Builder
			if err := finding.JSON(&line).Finding(f); err != nil {
				return err
			}
			for _, key := range reposOf(t, []byte(line.String())) {
				found = append(found, strings.ReplaceAll(key, " ", ""))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !store.Postgres {
		var whole string
		if err := store.SQL.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&whole); err != nil || whole != "ok" {
			t.Errorf("the file is damaged: %s, %v", whole, err)
		}
	}
	rows, err := store.SQL.QueryContext(t.Context(), `SELECT args ->> 'what', args ->> 'number', args ->> 'sweep' FROM river_job WHERE state = 'completed' AND args ->> 'what' = 'scan' AND args ->> 'again' IS NULL`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		var what, number, sweep string
		if err := rows.Scan(&what, &number, &sweep); err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprintf("%s of %s in %s", what, number, sweep)
		if seen[key] {
			twice = append(twice, key)
		}
		seen[key] = true
	}
	slices.Sort(found)
	return found, twice
}

// TestSweepKilled kills a sweep at fifty random moments, and breaks the network at
// others. Whatever happened, in the end every repository was scanned to its end once,
// and every finding is there once.
func TestSweepKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	kills := 50
	for _, kind := range []string{"sqlite", "postgresql"} {
		t.Run(kind, func(t *testing.T) {
			database, server := filepath.Join(t.TempDir(), "sweep.db"), (*sweeptest.Postgres)(nil)
			if kind == "postgresql" {
				server = sweeptest.StartPostgres(t)
				database = server.URL
			}
			o := newSweptOrg(t, database)
			want := o.many(t, 15)
			o.add(t)
			stanch := build(t)
			random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
			o.setFault(func(w http.ResponseWriter, _ *http.Request) bool {
				if rand.IntN(12) > 0 {
					return false
				}
				c, _, err := w.(http.Hijacker).Hijack() // the connection is cut
				if err == nil {
					_ = c.Close()
				}
				return true
			})
			args := []string{"run", "--no-verify", "--retry-after", "20ms", "--dead-after", "1s", "-f", "json", "--full"}
			for n := 0; n < kills; {
				cmd, _ := o.process(t, stanch, args...)
				done := make(chan struct{})
				time.AfterFunc(time.Duration(50+random.IntN(700))*time.Millisecond, func() { close(done) })
				<-done
				kill(t, cmd)
				n++
				if server != nil && n%5 == 0 {
					server.Stop(t, "immediate")
					server.Start(t)
				}
			}
			o.setFault(nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for {
				cmd, out := o.process(t, stanch, args...)
				_ = cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); code == cli.ExitLeaks {
					break
				} else if ctx.Err() != nil {
					t.Fatalf("the sweep does not come to its end: %d: %s", code, out)
				}
			}
			found, twice := o.known(t)
			if !slices.Equal(found, want) {
				t.Errorf("found %q, want %q", found, want)
			}
			if len(twice) > 0 {
				t.Errorf("scanned to the end more than once in a sweep: %q", twice)
			}
			if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "stanch-*")); len(left) > 0 && server == nil {
				t.Errorf("%q is left", left)
			}
		})
	}
}

// TestFleet sweeps with four workers, of which one is killed and one is cut off for so
// long that the others take it for dead, and comes back.
func TestFleet(t *testing.T) {
	o := newSweptOrg(t, sweeptest.StartPostgres(t).URL)
	want := o.many(t, 30)
	o.add(t)
	stanch := build(t)
	slow := make(chan struct{})
	o.setFault(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "git-upload-pack") {
			select {
			case <-slow:
			case <-time.After(200 * time.Millisecond):
			}
		}
		return false
	})
	var fleet []*exec.Cmd
	var outs []*bytes.Buffer
	for range 4 {
		cmd, out := o.process(t, stanch, "work", "--no-verify", "--dead-after", "1s", "--retry-after", "20ms")
		fleet, outs = append(fleet, cmd), append(outs, out)
	}
	store, err := riverqueue.Open(t.Context(), o.database, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	q, err := riverqueue.New(riverqueue.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Begin(t.Context(), q, "acme", true); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1200 * time.Millisecond)
	kill(t, fleet[0])
	if err := syscall.Kill(-fleet[1].Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second)
	if err := syscall.Kill(-fleet[1].Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	close(slow)
	deadline := time.Now().Add(time.Minute)
	for {
		targets, err := store.Targets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := q.Open(t.Context()); err == nil && n == 0 && !targets[0].Ended.IsZero() {
			break
		}
		if time.Now().After(deadline) {
			st, _ := store.Status(t.Context())
			t.Fatalf("the sweep does not come to its end: %+v\n%s", st, outs)
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, cmd := range fleet[1:] {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != cli.ExitInterrupted {
			t.Errorf("a worker that is told to end: %v", err)
		}
	}
	found, twice := o.known(t)
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	if len(twice) > 0 {
		t.Errorf("scanned to the end more than once: %q", twice)
	}
}
