//go:build sweep

package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// A sweptOrg is a database and the GitHub that is swept into it.
type sweptOrg struct {
	*simulated
	database string
}

func newSweptOrg(t *testing.T, database string) *sweptOrg {
	t.Helper()
	scannertest.Need(t, "git", "sh")
	t.Setenv("GITHUB_TOKEN", gitHubToken)
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	return &sweptOrg{simulated: simulate(t), database: database}
}

// stanch runs a command of stanch sweep.
func (o *sweptOrg) stanch(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"sweep", "--database-url", o.database}, args...)
	status = cli.ExitCode(&errs, run(t.Context(), args, nil, &out, &errs))
	if all := out.String() + errs.String(); strings.Contains(all, gitHubToken) {
		t.Errorf("the token got out: %s", all)
	}
	return status, out.String(), errs.String()
}

func (o *sweptOrg) add(t *testing.T, flags ...string) {
	t.Helper()
	if status, _, errs := o.stanch(t, append([]string{"add", "acme", "--api-url", o.url}, flags...)...); status != 0 {
		t.Fatalf("add: %d: %s", status, errs)
	}
}

// sweep runs a sweep and returns the keys that are known then, each with the
// repositories that it is in.
func (o *sweptOrg) sweep(t *testing.T, wantStatus int, flags ...string) []string {
	t.Helper()
	args := append([]string{"run", "--no-verify", "--retry-after", "10ms", "-f", "json"}, flags...)
	status, out, errs := o.stanch(t, args...)
	if status != wantStatus {
		t.Errorf("exit status %d, want %d: %s\n%s", status, wantStatus, errs, out)
	}
	return reposOf(t, []byte(out))
}

// TestSweep follows an organization through changes: each sweep reads what is new, asks
// GitHub no more than it must, and forgets nothing.
func TestSweep(t *testing.T) {
	for _, mode := range []string{"sqlite", "postgresql"} {
		t.Run(mode, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "sweep.db")
			if mode == "postgresql" {
				database = sweeptest.StartPostgres(t).URL
			}
			o := newSweptOrg(t, database)
			o.repo(t, "app", "", `leak 1 f; commit 1; git rm -q f; commit 2`)
			o.repo(t, "clean", "", `echo x >f; commit 1`)
			o.repo(t, "copy", "app", `leak 2 g; commit 3`)
			o.repo(t, "empty", "", `:`)
			for _, name := range []string{"a", "b", "c", "d"} {
				o.repo(t, name, "", "echo "+name+" >f; commit 1")
			}
			o.add(t, "--forks")
			want := func(status int, keys ...string) {
				t.Helper()
				if got := o.sweep(t, status); !slices.Equal(got, keys) {
					t.Errorf("found %q, want %q", got, keys)
				}
			}
			want(cli.ExitLeaks, "1: app", "2: copy")
			if status, _, errs := o.stanch(t, "report", "--fail-on", "live"); status != cli.ExitIncomplete || !strings.Contains(errs, "AWS gave no answer about 2 keys") {
				t.Errorf("no sweep has asked AWS: %d: %s", status, errs)
			}
			if status, _, errs := o.stanch(t, "report", "--fail-on", "new"); status != cli.ExitLeaks {
				t.Errorf("all findings of a first sweep are new, and --fail-on new exits with %d: %s", status, errs)
			}
			calls, _ := o.taken()
			if n := len(slices.DeleteFunc(calls, func(c string) bool { return c != "/repos/acme/copy" })); n != 1 {
				t.Errorf("what copy is a fork of is asked %d times: it waits for that, and then knows", n)
			}
			want(cli.ExitLeaks, "1: app", "2: copy") // nothing is new
			if calls, git := o.taken(); len(calls) > 1 || len(git) > 0 {
				t.Errorf("a sweep of what has not changed asks %q and %q", calls, git)
			}
			wantNew := func(want int) {
				t.Helper()
				if status, _, errs := o.stanch(t, "report", "--fail-on", "new"); status != want {
					t.Errorf("--fail-on new exits with %d, want %d: %s", status, want, errs)
				}
			}
			wantNew(cli.ExitClean)
			o.push(t, "clean", `leak 3 new; commit 2`)
			want(cli.ExitLeaks, "1: app", "2: copy", "3: clean")
			wantNew(cli.ExitLeaks)
			if calls, git := o.taken(); len(calls) > 4 || slices.ContainsFunc(git, func(s string) bool { return !strings.Contains(s, "/clean.git/") }) {
				t.Errorf("after one push it asks %q and %q", calls, git)
			}
			before := o.head(t, "clean")
			o.push(t, "clean", `git reset -q --hard HEAD~; leak 4 other; commit 3; git checkout -q HEAD~; git branch -f main; git checkout -q main`)
			o.force("clean", before)
			o.push(t, "b", `leak 0 f; commit 2; git branch kept; git reset -q --hard HEAD~`)
			want(cli.ExitLeaks, "0: b", "1: app", "2: copy", "3: clean")
		})
	}
}
