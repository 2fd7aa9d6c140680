package objects

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestMovedWhileListed: a pack that has gone when it is to be opened is no problem, and
// the one in its place is opened.
func TestMovedWhileListed(t *testing.T) {
	for _, unlisted := range []bool{true, false} {
		dir := scannertest.Repo(t, "for i in 1 2 3 4; do seq $i 300 >f; echo w$i >g$i; commit $i; done; git tag -am t t; git repack -adq; echo new >h; commit 5\n")
		s := &Store{Hash: 20, dirs: []string{filepath.Join(dir, ".git", "objects")}, lookupOnly: unlisted, tried: map[string]bool{}}
		packs := filepath.Join(s.dirs[0], "pack")
		listed := s.listPacks(packs)
		scannertest.Git(t, dir, "repack", "-adq")
		for _, file := range listed {
			if err := s.openPack(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", file, err)
			}
		}
		if len(s.Packs)+len(s.Problems) > 0 {
			t.Errorf("%d packs, %v", len(s.Packs), s.Problems)
		}
		s.openPacks(packs)
		if len(s.Packs) != 1 || s.Packs[0].Len() < 20 || len(s.Problems) > 0 {
			t.Errorf("%d packs, %v", len(s.Packs), s.Problems)
		}
		s.Close()
	}
}

// TestMovedBesideOthers: of many that look for a moved object at once, the first opens its
// new pack, and all find it.
func TestMovedBesideOthers(t *testing.T) {
	dir := scannertest.Repo(t, "echo a >a; commit 1\n")
	id, _ := pack.ParseID([]byte(scannertest.Git(t, dir, "rev-parse", "HEAD")))
	s := OpenLookup(Options{Dirs: []string{filepath.Join(dir, ".git", "objects")}, Hash: 20})
	defer s.Close()
	scannertest.Git(t, dir, "repack", "-adq")
	known := s.listLatePacks() // of a reader that is about to look for new packs
	if _, _, err := s.Read(id, NoLimit); err != nil {
		t.Fatal(err) // another has found them
	}
	if late := s.openNewPacks()[len(known):]; len(late) != 1 {
		t.Errorf("%d new packs", len(late))
	}
}
