//go:build sweep

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestSweepForgotten: a target that stays keeps its findings when another goes.
func TestSweepForgotten(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `leak 1 f; commit 1`)
	o.add(t)
	o.sweep(t, cli.ExitLeaks)
	if code, _, errs := o.stanch(t, "add", "acme/a", "--api-url", o.url); code != 0 {
		t.Fatal(errs)
	}
	o.sweep(t, cli.ExitLeaks)
	if _, out, _ := o.stanch(t, "report", "acme/a", "-f", "json"); !slices.Equal(reposOf(t, []byte(out)), []string{"1: a"}) {
		t.Errorf("the report of the other target has %q", reposOf(t, []byte(out)))
	}
	if code, _, errs := o.stanch(t, "remove", "acme", "--yes"); code != 0 {
		t.Fatal(errs)
	}
	if got := o.sweep(t, cli.ExitLeaks); !slices.Equal(got, []string{"1: a"}) {
		t.Errorf("after one of two targets was removed: %q", got)
	}
}

// TestSweepVerifiesCopies holds that a key is asked about again as long as one of the
// repositories that have it is there.
func TestSweepVerifiesCopies(t *testing.T) {
	alice := verifiertest.User(detectorstest.Account, "alice", 1)
	sts := verifiertest.NewSTS(t, alice)
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `leak 1 f; commit 1`)
	o.repo(t, "b", "", `leak 1 f; echo b >>f; commit 1`)
	o.add(t)
	run := func(flags ...string) {
		t.Helper()
		o.stanch(t, append([]string{"run", "--retry-after", "10ms", "-f", "json", "--sts-endpoint", sts.URL}, flags...)...)
	}
	run()
	o.remove(t, "b") // which was listed first
	run("--full")
	before := sts.Count(alice.Credential.ID)
	run()
	if n := sts.Count(alice.Credential.ID) - before; n != 1 {
		t.Errorf("STS was asked %d times", n)
	}
	o.setFault(only(code(500, ""), "/a.git/"))
	run()
	if st := o.status(t); len(st.Troubled) != 1 || !strings.Contains(st.Troubled[0].Why, "asked again about its open findings") {
		t.Errorf("it cannot be asked about, and status says %+v", st.Troubled)
	}
	o.setFault(nil)
	run()
	if st := o.status(t); len(st.Troubled) > 0 {
		t.Errorf("it was asked about, and status says %+v", st.Troubled)
	}
}

// TestSweepGitLimits holds that git may be limited as the API is, and at each step.
func TestSweepGitLimits(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		code       int
	}{
		{"primary", "/bad.git/info/refs", http.StatusTooManyRequests},
		{"secondary", "/bad.git/info/refs", http.StatusForbidden},
		{"pack", "/bad.git/git-upload-pack", http.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
			o.repo(t, "other", "", `leak 2 f; commit 1`)
			o.repo(t, "bad", "", `leak 1 f; commit 1`)
			o.add(t)
			var until atomic.Int64
			o.setFault(func(w http.ResponseWriter, r *http.Request) bool {
				switch {
				case strings.HasPrefix(r.URL.Path, "/api/"):
				case until.Load() == 0 && strings.Contains(r.URL.Path, tt.path):
					until.Store(time.Now().Add(2 * time.Second).UnixMilli())
					w.Header().Set("Retry-After", "2")
					w.WriteHeader(tt.code)
					return true
				case time.Now().UnixMilli() < until.Load():
					t.Errorf("it asks for %s before the time that was named", r.URL.Path)
				}
				return false
			})
			if got, want := o.sweep(t, cli.ExitLeaks, "--scans", "1"), []string{"1: bad", "2: other"}; !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

// TestSweepNeverSwept holds that what was not swept is not reported as clean.
func TestSweepNeverSwept(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `echo a >f; commit 1`)
	o.add(t)
	if code, out, errs := o.stanch(t, "report"); code != cli.ExitIncomplete {
		t.Errorf("exit status %d: %s %s", code, out, errs)
	}
	o.sweep(t, 0)
	if code, out, errs := o.stanch(t, "report"); code != 0 {
		t.Errorf("exit status %d: %s %s", code, out, errs)
	}
}

// TestSweepKeepsNoSecret looks for a secret in all that a sweep leaves behind: it is in a
// file, in its path, in a message, an author, a branch and a tag.
func TestSweepKeepsNoSecret(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `leak 1 f; commit 1; mkdir -p "d/$secret1"; echo x >"d/$secret1/f"; commit "again $secret1"
		git branch "b-$secret1"; git tag "t-$secret1"; git push -q --tags
		leak 2 g; git add -A; git -c user.name="$secret2" -c user.email="$secret2@example.com" commit -qm "$id2 $secret2"`)
	o.add(t)
	o.sweep(t, cli.ExitLeaks)
	store, err := riverqueue.Open(t.Context(), o.database, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var all strings.Builder
	err = store.Repositories(t.Context(), "", func(r sweep.Repository) error {
		_, err := fmt.Fprintf(&all, "%+v\n", r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var refs []byte
	if err := store.SQL.QueryRowContext(t.Context(), `SELECT refs FROM repository`).Scan(&refs); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(refs))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&all, z); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(o.database + "*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, what := range []string{"{secret1}", "{secret2}"} {
		if secret := detectorstest.Fill(what); len(secret) < 20 || strings.Contains(all.String(), secret) {
			t.Errorf("%s is in the database", what)
		}
	}
}

// TestSweepIgnores holds that rules which ignore a finding may come later, and that one
// place which counts is enough.
func TestSweepIgnores(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `mkdir old; leak 1 old/f; leak 2 old/g; leak 3 h; commit 1`)
	o.repo(t, "b", "", `mkdir old; leak 1 old/f; leak 2 g; commit 1`)
	o.add(t)
	o.sweep(t, cli.ExitLeaks)
	config := filepath.Join(t.TempDir(), "rules.toml")
	if err := os.WriteFile(config, []byte("[[allow]]\nreason = 'not ours'\npaths = ['old']\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := func(n int, flags ...string) {
		t.Helper()
		o.sweep(t, cli.ExitLeaks, flags...)
		if st := o.status(t); st.Findings.Open != n {
			t.Errorf("%q: %d findings count, want %d", flags, st.Findings.Open, n)
		}
	}
	want(3)
	want(2, "--config", config)
	want(3)
}
