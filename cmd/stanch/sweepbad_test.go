//go:build sweep

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

// status returns what stanch sweep status says.
func (o *sweptOrg) status(t *testing.T) (st sweep.Status) {
	t.Helper()
	code, out, errs := o.stanch(t, "status", "--json")
	if err := json.Unmarshal([]byte(out), &st); err != nil || code != 0 {
		t.Fatalf("status: %d, %v: %s", code, err, errs)
	}
	return st
}

// only returns a fault of the requests whose path has all parts.
func only(do func(http.ResponseWriter, *http.Request), parts ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		for _, part := range parts {
			if !strings.Contains(r.URL.RequestURI(), part) {
				return false
			}
		}
		do(w, r)
		return true
	}
}

func code(code int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

// TestSweepFaults breaks one repository, or one request, at a time: the others are read,
// status and report say what failed and why, and the next sweep makes up for it.
func TestSweepFaults(t *testing.T) {
	garbage := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		_, _ = w.Write([]byte("0008NAK\nPACK garbage"))
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := r.BasicAuth()
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(r.Header.Get("Authorization") + " " + token))
	}
	tests := []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
		flags string
		want  []string // while it is broken
		why   string   // that status gives
	}{
		{"gone", only(code(404, "Repository not found."), "/bad.git/"), "", []string{"1: good"}, "404"},
		{"forbidden", only(code(403, "no access"), "/bad.git/"), "", []string{"1: good"}, "the token has no permission to read this repository"},
		{"token_expired", only(code(401, ""), "/bad.git/"), "", []string{"1: good"}, "the server wants a token"},
		{"blocked", only(code(451, "blocked"), "/bad.git/"), "", []string{"1: good"}, "451"},
		{"server_error", only(code(500, "<html>oops</html>"), "/bad.git/"), "", []string{"1: good"}, "500"},
		{"garbage", only(garbage, "/bad.git/git-upload-pack"), "", []string{"1: good"}, "bad.git"},
		{"html_for_refs", only(code(200, "<html>"), "/bad.git/info/refs"), "", []string{"1: good"}, "bad.git"},
		{"echo", only(echo, "/bad.git/"), "", []string{"1: good"}, "Basic [redacted] [redacted]"},
		{"too_large", nil, "--max-fetch 1", []string{"1: good"}, "too large"},
		{"activity_blocked", only(code(451, `{"message":"Repository access blocked"}`), "/repos/acme/bad/activity"), "", []string{"1: good", "2: bad"}, "blocked"},
		{"activity_garbage", only(code(200, `[{"before":`), "/repos/acme/bad/activity"), "", []string{"1: good", "2: bad"}, "activity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
			o.repo(t, "good", "", `leak 1 f; commit 1`)
			o.repo(t, "bad", "", `leak 2 f; head -c 3000000 /dev/urandom >random; commit 1`)
			o.add(t)
			o.setFault(tt.fault)
			if got := o.sweep(t, cli.ExitIncomplete, strings.Fields(tt.flags)...); !slices.Equal(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			st := o.status(t)
			if len(st.Troubled) != 1 || st.Troubled[0].Name != "acme/bad" || !strings.Contains(st.Troubled[0].Why, tt.why) {
				t.Errorf("status says %+v, want %q", st.Troubled, tt.why)
			}
			o.setFault(nil)
			if got, all := o.sweep(t, cli.ExitLeaks), []string{"1: good", "2: bad"}; !slices.Equal(got, all) {
				t.Errorf("after it was mended: found %q, want %q", got, all)
			}
			if st := o.status(t); len(st.Troubled) > 0 {
				t.Errorf("after it was mended, status says %+v", st.Troubled)
			}
		})
	}
}

// TestSweepListFails breaks the listing: nothing is taken for gone, and the exit code
// says that the sweep is not complete.
func TestSweepListFails(t *testing.T) {
	tests := []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
		why   string
	}{
		{"revoked", only(code(401, `{"message":"Bad credentials"}`), "/api/v3/"), "Bad credentials"},
		{"no_rights", only(code(200, `[]`), "/orgs/acme/repos"), "lists no repository"},
		{"page_two", only(code(502, ``), "/orgs/acme/repos", "page=2"), "502"},
		{"garbage", only(code(200, `<html>`), "/orgs/acme/repos"), "JSON"},
		{"impossible_name", only(code(200, `[{"id":9,"full_name":"../../etc"}]`), "/orgs/acme/repos"), "which is none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
			for n := range 6 {
				o.repo(t, fmt.Sprintf("r%d", n), "", fmt.Sprintf("leak %d f; commit 1", n%3))
			}
			o.add(t)
			all := o.sweep(t, cli.ExitLeaks)
			o.setFault(tt.fault)
			if got := o.sweep(t, cli.ExitIncomplete, "--full"); !slices.Equal(got, all) {
				t.Errorf("found %q, want %q", got, all)
			}
			if st := o.status(t); !strings.Contains(st.Targets[0].Why, tt.why) {
				t.Errorf("status says %+v, want %q", st.Targets[0], tt.why)
			}
			o.setFault(nil)
			if got := o.sweep(t, cli.ExitLeaks, "--full"); !slices.Equal(got, all) {
				t.Errorf("after it was mended: found %q, want %q", got, all)
			}
			if st := o.status(t); st.Targets[0].Why != "" || st.Targets[0].Ended.IsZero() {
				t.Errorf("after it was mended, status says %+v", st.Targets[0])
			}
		})
	}
}

// TestSweepChanges holds what becomes of repositories that are renamed, removed, left
// out and come back.
func TestSweepChanges(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `leak 1 f; commit 1`)
	o.repo(t, "b", "", `leak 2 f; commit 1`)
	o.add(t)
	want := func(step string, status int, keys ...string) {
		t.Helper()
		if got := o.sweep(t, status, "--full"); !slices.Equal(got, keys) {
			t.Errorf("%s: found %q, want %q", step, got, keys)
		}
	}
	want("first", cli.ExitLeaks, "1: a", "2: b")
	o.remove(t, "a")
	want("removed: the key is as alive as before", cli.ExitLeaks, "1: a", "2: b")
	o.add(t, "--skip", "b")
	want("left out: nothing is left to sweep", cli.ExitIncomplete, "1: a", "2: b")
	if st := o.status(t); st.Targets[0].States[sweep.Gone] != 1 || st.Targets[0].States[sweep.Skipped] != 1 {
		t.Errorf("status says %+v", st.Targets[0])
	}
	if code, _, errs := o.stanch(t, "remove", "acme", "--yes"); code != 0 {
		t.Error(errs)
	}
	o.add(t)
	want("forgotten", cli.ExitLeaks, "2: b")
}

// TestSweepRefuses holds what a sweep does not begin with.
func TestSweepRefuses(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	says := func(what string, code int, args ...string) {
		t.Helper()
		got, out, errs := o.stanch(t, args...)
		if got != code || !strings.Contains(errs, what) {
			t.Errorf("%q: exit status %d, want %d; it says %q, want %q\n%s", args, got, code, errs, what, out)
		}
	}
	says("there is no target", cli.ExitUsage, "run")
	says("there is no target", cli.ExitUsage, "report")
	o.add(t)
	says("nobody: there is no such target", cli.ExitUsage, "run", "nobody", "--no-verify")
	says("nobody: there is no such target", cli.ExitIncomplete, "remove", "nobody")
	says("must be a minute or more", cli.ExitUsage, "add", "acme", "--every", "1s")
	says("--archived yes", cli.ExitUsage, "add", "acme", "--archived", "yes")
	says("others can reach that", cli.ExitUsage, "serve", "--listen", ":0")

	lock, err := riverqueue.Lock(t.Context(), o.database)
	if err != nil {
		t.Fatal(err)
	}
	says("another stanch sweeps with this database", cli.ExitIncomplete, "run", "--no-verify")
	says("", 0, "status")
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}

	store, err := riverqueue.Open(t.Context(), o.database, true)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(statement string) {
		t.Helper()
		if _, err := store.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TRIGGER broken BEFORE UPDATE ON target BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END`)
	says("beginning the sweep of acme: constraint failed: the disk is broken", cli.ExitIncomplete, "run", "--no-verify")
	exec(`UPDATE stanch_schema SET version = 99`)
	store.Close()
	says("used by a newer one", cli.ExitIncomplete, "run", "--no-verify")
	says("used by a newer one", cli.ExitIncomplete, "status")

	o.database = "postgres://stanch:pass-of-the-test@127.0.0.1:1/x"
	got, _, errs := o.stanch(t, "status")
	if got != cli.ExitIncomplete || strings.Contains(errs, "pass-of-the-test") || !strings.Contains(errs, "127.0.0.1:1") {
		t.Errorf("exit status %d: %s", got, errs)
	}
}
