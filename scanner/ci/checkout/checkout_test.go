package checkout

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestFile: what configures the scan of a pull request is read from its base,
// whatever the work tree says.
func TestFile(t *testing.T) {
	dir := scannertest.Repo(t, `commit base; echo theirs >.stanch.toml; echo new >'a b'; commit head; echo none >.stanch.toml
-- .stanch.toml --
ours
-- folder/f --
deep
`)
	c := &Checkout{Dir: dir}
	base := scannertest.Git(t, dir, "rev-parse", "HEAD~")
	if text, err := c.File(t.Context(), base, ".stanch.toml"); string(text) != "ours\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	for _, none := range []string{"a b", "folder", "folder/", "../x", "/x", "*", ".", "", "--help", ":/folder/f"} {
		if _, err := c.File(t.Context(), base, none); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", none, err)
		}
	}
	if text, err := c.File(t.Context(), base, "folder/f"); string(text) != "deep\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := c.File(t.Context(), "HEAD", "a b"); string(text) != "new\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := c.File(t.Context(), strings.Repeat("5e", 20), "x"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a commit that is not there has no such file: %v", err)
	}
}

// TestResolveLeavesTheCheckoutAlone: no ref, no file and no configuration of a shallow
// checkout changes, no hook runs, and no commit is lost that was there.
func TestResolveLeavesTheCheckoutAlone(t *testing.T) {
	server := scannertest.Repo(t, `for i in $(seq 60); do printf 'commit refs/heads/main\ncommitter C <c@example.com> %s +0000\ndata 2\nm\n\n' $((now + i)); done | git fast-import --quiet
git branch side HEAD~50; git config uploadpack.allowAnySHA1InWant true
git clone -q --depth=5 "file://$PWD" ../checkout
cd ../checkout; mkdir -p .git/hooks
for h in reference-transaction post-checkout pre-auto-gc post-rewrite; do printf '#!/bin/sh\necho $0 >>../ran\n' >.git/hooks/$h; chmod +x .git/hooks/$h; done
git config core.fsmonitor 'echo fsmonitor >>../ran; false'
case $(git version) in *' 2.54'*) ;; *) git config hook.x.command 'echo hook >>../ran'; git config hook.x.event reference-transaction ;; esac`)
	dir := server + "/../checkout"
	side, head := scannertest.Git(t, server, "rev-parse", "side"), scannertest.Git(t, server, "rev-parse", "HEAD")
	state := func() string {
		var s []string
		for _, args := range [][]string{{"for-each-ref"}, {"config", "--local", "--list"}, {"-c", "core.fsmonitor=", "status", "--porcelain", "--ignored"}} {
			s = append(s, scannertest.Git(t, dir, args...))
		}
		return strings.Join(s, "\n")
	}
	before := state()
	for _, want := range []struct {
		base string
		n    int
	}{{side, 50}, {"", 60}} {
		e := ci.Event{}.Given(want.base, head)
		r, err := (&Checkout{Dir: dir}).Resolve(t.Context(), &e)
		if err != nil || r.Commits != want.n || r.Unread != nil || !slices.Equal(r.Include, []string{head}) {
			t.Fatalf("%+v, %v; want %d commits", r, err, want.n)
		}
	}
	if after := state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if ran, err := os.ReadFile(filepath.Join(server, "../ran")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("hooks ran: %s, %v", ran, err)
	}
	if n := scannertest.Git(t, dir, "rev-list", "--count", "HEAD"); n != "60" {
		t.Errorf("%s commits", n)
	}
}

// TestErrorsHoldNoPassword: git quotes the URL of a remote.
func TestErrorsHoldNoPassword(t *testing.T) {
	dir := scannertest.Repo(t, `commit 1; git remote add origin http://ci:word-of-mine@127.0.0.1:1/x.git`)
	var log strings.Builder
	e := ci.Event{Service: "x", Name: "push", Kind: ci.Commits, Head: strings.Repeat("5e", 20)}
	_, err := (&Checkout{Dir: dir, Log: func(s string) { log.WriteString(s) }}).Resolve(t.Context(), &e)
	if !errors.Is(err, ErrNoHead) || strings.Contains(err.Error()+log.String(), "word-of-mine") {
		t.Errorf("%v, %s", err, log.String())
	}
}

// TestOldCommit: a server that does not let stanch in has not forgotten the old commit.
func TestOldCommit(t *testing.T) {
	server := scannertest.Repo(t, `commit a; commit b; git config uploadpack.allowAnySHA1InWant true; git clone -q "file://$PWD" ../checkout`)
	dir, head := filepath.Join(server, "../checkout"), scannertest.Git(t, server, "rev-parse", "HEAD")
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer closed.Close()
	for url, want := range map[string]string{"file://" + server: "is no longer on the server", closed.URL: "could not be fetched"} {
		scannertest.Git(t, dir, "remote", "set-url", "origin", url)
		e := ci.Event{Service: "x", Name: "push", Kind: ci.Commits, Ref: "refs/heads/main", Base: strings.Repeat("5e", 20), Head: head}
		r, err := (&Checkout{Dir: dir}).Resolve(t.Context(), &e)
		if err != nil || len(r.Notes) == 0 || r.Notes[0] != "The old commit 5e5e5e5e5e "+want+"." {
			t.Errorf("%s: %q, %v", url, r.Notes, err)
		}
	}
}
