package gitsource

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/filelock"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

func openMirror(t *testing.T, url, dir, reference string) *Repository {
	t.Helper()
	r, err := Mirror(t.Context(), url, dir, reference)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMirrorOfFork: what the parent has is neither fetched nor, with what was seen there,
// read again.
func TestMirrorOfFork(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, states+"put f parent; commit 1; next; put g fork; commit 2; next\n")
	base, folder := scannertest.GitServer(t, filepath.Dir(dir)), t.TempDir()
	parent := openMirror(t, base+"/state1", filepath.Join(folder, "parent"), "")
	parent.Seen = &State{}
	if got := read(t, parent).contents(); got != "parent" {
		t.Errorf("the parent has %q", got)
	}
	fork := openMirror(t, base+"/state2", filepath.Join(folder, "fork"), filepath.Join(folder, "parent"))
	if got := read(t, fork).contents(); got != "fork parent" {
		t.Errorf("the fork has %q", got)
	}
	fork.Seen = &State{}
	fork.Seen.Add(parent.Next)
	if got := read(t, fork); got.contents() != "fork" || len(got.errs) > 0 {
		t.Errorf("the fork has %q of its own, unread %q", got.contents(), got.errs)
	}
	objects := scannertest.Git(t, filepath.Join(folder, "fork"), "count-objects", "-v")
	if !strings.Contains(objects, "in-pack: 3\n") {
		t.Errorf("the fork fetched more than is its own: %s", objects)
	}
	_, err := Mirror(t.Context(), base+"/state2", filepath.Join(folder, "orphan"), filepath.Join(folder, "none"))
	if err == nil || !strings.Contains(err.Error(), "the mirror to share objects with") {
		t.Errorf("without the parent: %v", err)
	}
}

// TestMirrorAfterCrash: what a git that was killed has left is not in the way.
func TestMirrorAfterCrash(t *testing.T) {
	dir := scannertest.Repo(t, states+"put f 1; commit 1; next; put f 2; commit 2; git branch b; next\n")
	base, mirror := scannertest.GitServer(t, filepath.Dir(dir)), filepath.Join(t.TempDir(), "mirror")
	for _, half := range []string{"packed-refs.lock", "HEAD.lock", "shallow.lock", "refs/heads/main.lock", "refs/heads/b.lock", "objects/pack/tmp_pack_x", "objects/pack/tmp_idx_x", "config.lock"} {
		openMirror(t, base+"/state1", mirror, "")
		file := filepath.Join(mirror, half)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("PACK"), 0o600)); err != nil {
			t.Fatal(err)
		}
		r := openMirror(t, base+"/state2", mirror, "")
		if got := read(t, r); got.contents() != "1 2" || len(got.errs) > 0 {
			t.Errorf("after %s: %q, unread %q", half, got.contents(), got.errs)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(filepath.Join(mirror, "HEAD"), nil, 0o600); err != nil { // the disk was full
		t.Fatal(err)
	}
	if got := read(t, openMirror(t, base+"/state2", mirror, "")).contents(); got != "1 2" {
		t.Errorf("after a HEAD that was not written: %q", got)
	}
	lock, err := filelock.Acquire(filepath.Join(mirror, "stanch.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Mirror(t.Context(), base+"/state2", mirror, ""); !errors.Is(err, transport.ErrMirrorBusy) {
		t.Errorf("two at once: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}

// TestMirrorBrokenOff: a fetch that ends in the middle leaves the mirror as it was.
func TestMirrorBrokenOff(t *testing.T) {
	dir := scannertest.Repo(t, states+"put f 1; commit 1; next; seq 1 50000 >f; commit 2; next\n")
	base, mirror := scannertest.GitServer(t, filepath.Dir(dir)), filepath.Join(t.TempDir(), "mirror")
	openMirror(t, base+"/state1", mirror, "")
	before := scannertest.Git(t, mirror, "for-each-ref")
	late, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer srv.Close()
	defer srv.CloseClientConnections()
	for url, want := range map[string]string{srv.URL: "context deadline exceeded", base + "/none": "/none: git ls-remote: "} {
		ctx := t.Context()
		if url == srv.URL {
			ctx = late
		}
		if _, err := Mirror(ctx, url, mirror, ""); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "word-of-mine") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if after := scannertest.Git(t, mirror, "for-each-ref"); after != before {
		t.Errorf("refs were\n%s\nand are\n%s", before, after)
	}
	checkNoPassword(t, mirror)
	if r := openMirror(t, base+"/state2", mirror, ""); len(read(t, r).errs) > 0 {
		t.Error("cannot go on")
	}
}
