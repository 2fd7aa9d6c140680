//go:build sweep

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// TestSweepReadsAgain adds a rule between two sweeps: the next one reads all repositories
// again, on whichever page of the list they are, and the one after that none.
func TestSweepReadsAgain(t *testing.T) {
	for _, mode := range []string{"sqlite", "postgresql"} {
		t.Run(mode, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "sweep.db")
			if mode == "postgresql" {
				database = sweeptest.StartPostgres(t).URL
			}
			o := newSweptOrg(t, database)
			for i := range 7 { // two pages
				o.repo(t, fmt.Sprintf("r%02d", i), "", fmt.Sprintf("echo internal-%06d >f; commit 1", i))
			}
			o.push(t, "r00", "leak 1 g; commit 2")
			for i := range 6 {
				o.push(t, fmt.Sprintf("r%02d", i+1), "echo x >x; commit 2")
			}
			o.repo(t, "copy", "r01", ":")
			o.add(t, "--forks")
			rule := filepath.Join(t.TempDir(), "rule.toml")
			if err := os.WriteFile(rule, []byte("[[rules]]\nid = 'internal'\ndescription = 'a number'\nregex = '''internal-00000[036]'''\nkeywords = ['internal']\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				flags string
				want  []string
				read  int // repositories
			}{
				{"", []string{"1: r00"}, 8},
				{"", []string{"1: r00"}, 0},
				{"--config " + rule, []string{"1: r00", "?: r00", "?: r03", "?: r06"}, 8},
				{"--config " + rule, []string{"1: r00", "?: r00", "?: r03", "?: r06"}, 0},
				{"--config " + rule + " --min-confidence high", []string{"1: r00", "?: r00", "?: r03", "?: r06"}, 8},
				{"--config " + rule + " --min-confidence high", []string{"1: r00", "?: r00", "?: r03", "?: r06"}, 0},
			} {
				o.taken()
				if got := o.sweep(t, cli.ExitLeaks, strings.Fields(step.flags)...); !slices.Equal(got, step.want) {
					t.Errorf("%q: found %q, want %q", step.flags, got, step.want)
				}
				calls, git := o.taken()
				read := map[string]bool{}
				for _, request := range git {
					_, path, _ := strings.Cut(request, "/acme/")
					name, _, _ := strings.Cut(path, ".git/")
					read[name] = true
				}
				if len(read) != step.read || step.read == 0 && len(calls) != 1 {
					t.Errorf("%q: it read %d repositories, want %d, by the calls %q", step.flags, len(read), step.read, calls)
				}
			}
		})
	}
}

// TestSweepOutdated holds that status and report count the repositories that another
// detector has read, until they are read again: by the next sweep, or by one that goes on.
func TestSweepOutdated(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	for i := range 12 {
		o.repo(t, fmt.Sprintf("r%02d", i), "", fmt.Sprintf("echo %d >f; commit 1", i))
	}
	o.add(t)
	o.sweep(t, 0)
	o.remove(t, "r02")
	set := func(statements ...string) {
		t.Helper()
		store, err := riverqueue.Open(t.Context(), o.database, true)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		for _, statement := range statements {
			if _, err := store.SQL.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	const old = `UPDATE repository SET detector = 'old', at = at - 1000 WHERE name IN ('acme/r00', 'acme/r01', 'acme/r02')`
	for _, step := range []struct {
		name, statement string
	}{
		{"ended", `UPDATE target SET full_at = full_at`},
		{"goes on", `UPDATE target SET ended = 0`},
		{"clock set back", `UPDATE repository SET at = at + 200000000, sweep = CASE WHEN detector = 'old' THEN 0 ELSE sweep END`},
	} {
		set(old, step.statement)
		if step.name != "goes on" { // r02 is gone
			want := 3
			if step.name != "ended" {
				want = 2
			}
			if st := o.status(t); st.Targets[0].Outdated != want {
				t.Errorf("%s: status says %+v, want %d", step.name, st.Targets[0], want)
			}
			text := fmt.Sprintf("%d of its repositories were read with an earlier build, other rules or other flags", want)
			if status, out, _ := o.stanch(t, "report"); status != cli.ExitIncomplete || !strings.Contains(out, text) {
				t.Errorf("%s: exit status %d: the report says %s", step.name, status, out)
			}
			if _, out, _ := o.stanch(t, "status"); !strings.Contains(out, fmt.Sprintf("%d read with an earlier build", want)) {
				t.Errorf("%s: status says %s", step.name, out)
			}
		}
		o.taken()
		o.sweep(t, 0)
		if _, git := o.taken(); len(git) != 4 || !slices.ContainsFunc(git, func(s string) bool { return strings.Contains(s, "/r00.git/") }) {
			t.Errorf("%s: it asks %q", step.name, git)
		}
		if st := o.status(t); st.Targets[0].Outdated != 0 || st.Targets[0].States[sweep.Gone] != 1 {
			t.Errorf("%s: afterwards, status says %+v", step.name, st.Targets[0])
		}
	}
}
