package gitsource

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestDisorderedIndex reads packs of which one index has an id out of order, so
// that it is not found by it, and to which no ref leads: what is there is read, or is an error.
func TestDisorderedIndex(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`put f one; commit 1; git repack -qd; git prune-packed; put f two; commit 2; git repack -qd; git prune-packed
git update-ref -d HEAD; git reflog expire --expire=now --all; rm -f .git/index
`)
	files, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.idx"))
	if len(files) != 2 {
		t.Fatal(files)
	}
	for _, file := range files {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		const ids = 8 + 256*4
		n := int(binary.BigEndian.Uint32(good[ids-4:]))
		for i := range n {
			bad := bytes.Clone(good)
			bad[ids+20*i] ^= 0x80
			if err := os.Remove(file); err != nil { // it is read-only
				t.Fatal(err)
			}
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			got := read(t, open(t, dir))
			if got.contents() != "one two" && len(got.errs) == 0 {
				t.Errorf("id %d of %s: read %q, and no error", i, filepath.Base(file), got.contents())
			}
		}
		if err := os.WriteFile(file, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestThinWithoutIndex reads a pack that a push has left behind: its deltas are on
// objects of another.
func TestThinWithoutIndex(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`seq 2000 >f; commit 1; git repack -qad; (seq 2000; echo key) >f; commit 2
printf '%s\n^%s\n' $(git rev-parse HEAD HEAD~) | git pack-objects --thin --revs --stdout -q >../thin
git reset -q --hard HEAD~; git reflog expire --expire=now --all; rm .git/ORIG_HEAD; git prune; mv ../thin .git/objects/pack/tmp_pack_thin
`)
	got := read(t, open(t, dir))
	if !strings.Contains(got.contents(), "key") && len(got.errs) == 0 {
		t.Errorf("what is new in a thin pack is not read, and there is no error")
	}
	if p, _, err := pack.OpenAlone(filepath.Join(dir, ".git/objects/pack/tmp_pack_thin"), 20); err != nil || p.Len() == 0 {
		t.Errorf("the thin pack: %v", err)
	}
}

// TestCopies: an object that is damaged in one pack is read from the other, once,
// and nothing is reported.
func TestCopies(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`for i in 1 2 3; do seq $i 300 >f; put g$i w$i; commit $i; done; git repack -qad
mkdir ../two; git rev-list --objects --all | cut -d' ' -f1 | git pack-objects -q --window=0 ../two/pack >/dev/null; mv ../two/* .git/objects/pack/
`)
	packs, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	if len(packs) != 2 {
		t.Fatal(packs)
	}
	want := read(t, open(t, dir))
	for _, file := range packs {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for at := 12; at < len(good)-28; at += 17 {
			bad := bytes.Clone(good)
			copy(bad[at:], "\x00\x00\x00\x00\x00\x00\x00\x00")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			got := read(t, open(t, dir))
			// What rots into another valid stream is read as it is: a limitation.
			if len(got.errs) > 0 || len(got.names) != len(want.names) {
				t.Errorf("%s at %d: %d texts, want %d, errors %q", filepath.Base(file), at, len(got.names), len(want.names), got.errs)
			}
		}
		if err := os.WriteFile(file, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
