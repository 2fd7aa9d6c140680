//go:build sweep

package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// TestSweepFailing sweeps an organization with a repository that cannot be read. Quiet
// sweeps try it again, on whichever page it is, and ask for no more of the list.
func TestSweepFailing(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	for i := range 12 { // three pages
		o.repo(t, fmt.Sprintf("r%02d", i), "", fmt.Sprintf("echo %d >f; commit 1", i))
	}
	o.push(t, "r00", "leak 1 f; commit 2")
	o.push(t, "r01", "leak 2 f; commit 2")
	for i := range 7 {
		o.push(t, fmt.Sprintf("r%02d", 5+i), "commit 2 || :")
	}
	broken := func(_ http.ResponseWriter, r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/acme/r00") || strings.HasPrefix(r.URL.Path, "/acme/r11")
	}
	o.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if !broken(w, r) {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	o.add(t)
	want := []string{"2: r01"}
	if got := o.sweep(t, cli.ExitIncomplete); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	o.taken()
	if got := o.sweep(t, cli.ExitIncomplete); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if calls, git := o.taken(); len(calls) > 1 || !slices.ContainsFunc(git, func(s string) bool { return strings.Contains(s, "/r00.git/") }) {
		t.Errorf("a quiet sweep asks %q and %q", calls, git)
	}
	o.setFault(nil)
	if got := o.sweep(t, cli.ExitLeaks); !slices.Equal(got, []string{"1: r00", "2: r01"}) {
		t.Errorf("when it can be read again, found %q", got)
	}
}

// TestSweepAddSays: "add" says how a target is swept from now on, and "list" shows it.
func TestSweepAddSays(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	for _, tt := range []struct{ typed, says, listed string }{
		{"add acme --every 1h", "stanch: acme: added, every 1h, --api-url http", "--api-url http"},
		{"add acme --forks --skip *-old,acme/x --deleted=false", "stanch: acme: changed, by hand, --deleted=false --forks --skip '*-old,acme/x' --api-url http", "--deleted=false --forks --skip '*-old,acme/x'"},
		{"add acme --archived only --visibility public --topic a,b --only c --max-repo-size 5 --include gists", "--include gists --archived only --visibility public --topic a,b --only c --max-repo-size 5", "--include gists"},
	} {
		status, _, errs := o.stanch(t, append(strings.Fields(tt.typed), "--api-url", o.url)...)
		if status != 0 || !strings.Contains(errs, tt.says) || !strings.Contains(errs, "next: stanch sweep run, with the same --database-url\n") {
			t.Errorf("%s: %d: %s", tt.typed, status, errs)
		}
		if _, list, _ := o.stanch(t, "list"); !strings.Contains(list, tt.listed) {
			t.Errorf("after %s, it lists:\n%s", tt.typed, list)
		}
	}
	if status, _, errs := o.stanch(t, "remove", "acme"); status != 0 || errs != "stanch: acme: removed\n" {
		t.Errorf("remove: %d: %s", status, errs)
	}
}

// TestSweepFlagOfAnother: a flag that another command of sweeps has is no flag of another tool.
func TestSweepFlagOfAnother(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	for typed, says := range map[string]string{
		"run --skip gone":    `"stanch sweep run" has no flag --skip, but "stanch sweep add" has`,
		"run --only x":       `but "stanch sweep add" has`,
		"status --fail-on x": `but "stanch sweep report" or "stanch sweep run" has`,
		"run --exclude x":    `an [[allow]] entry`,
	} {
		if status, _, errs := o.stanch(t, strings.Fields(typed)...); status != cli.ExitUsage || !strings.Contains(errs, says) {
			t.Errorf("%s: %d: %s", typed, status, errs)
		}
	}
}

// TestSweepTargetURLs: a target may be named by its URL, also where it is known already.
func TestSweepTargetURLs(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "app", "", "leak 1 f; commit 1")
	page := strings.TrimSuffix(o.url, "/api/v3") + "/acme/"
	if status, _, errs := o.stanch(t, "add", page, "--api-url", o.url); status != 0 {
		t.Fatalf("add: %d: %s", status, errs)
	}
	if _, list, _ := o.stanch(t, "list"); !strings.HasPrefix(list[strings.IndexByte(list, '\n')+1:], "acme ") {
		t.Errorf("it lists:\n%s", list)
	}
	if got := o.sweep(t, cli.ExitLeaks, page); !slices.Equal(got, []string{"1: app"}) {
		t.Errorf("found %q", got)
	}
	if status, out, errs := o.stanch(t, "report", page); status != cli.ExitLeaks {
		t.Errorf("report: %d: %s%s", status, out, errs)
	}
	for _, tt := range []struct{ target, says string }{{"https://github.com/acme", "no such target"}, {page, ""}} {
		if status, _, errs := o.stanch(t, "remove", tt.target, "--yes"); (status == 0) != (tt.says == "") || !strings.Contains(errs, tt.says) {
			t.Errorf("remove %s: %d: %s", tt.target, status, errs)
		}
	}
	if status, _, errs := o.stanch(t, "add", "https://gitlab.example/acme", "--api-url", o.url); status != cli.ExitUsage || !strings.Contains(errs, "the GitHub that is asked is 127.0.0.1") {
		t.Errorf("another host: %d: %s", status, errs)
	}
}
