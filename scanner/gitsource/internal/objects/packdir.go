package objects

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// git repack and git gc write a pack, then its index, and only then remove the packs
// and loose objects that it replaces. So an object that is not where it was a moment
// ago is in a pack that is there now.

const (
	// A file that vanishes before it is opened, or an index without its pack, is an error
	// once it was listed packPatience times. packPause, the time between two listings, is
	// longer than git takes to remove the index after the pack.
	packPatience = 5
	packPause    = 10 * time.Millisecond
	// maxListings is how often a folder is listed while packs come and go in it.
	maxListings = 100
)

// openPacks opens the packs in dir, in the order of their names, so that two runs
// number alike. If one vanishes meanwhile, the folder is listed again.
func (s *Store) openPacks(dir string) {
	if s.tried == nil {
		s.tried = map[string]bool{}
	}
	missed := map[string]int{}
	for range maxListings {
		moved := false
		for _, file := range s.listPacks(dir) {
			err := s.openPack(file)
			if err == nil {
				continue
			}
			if missed[file]++; missed[file] == packPatience {
				s.AddProblem(file, err)
			}
			moved = moved || missed[file] < packPatience
		}
		if !moved {
			return
		}
		time.Sleep(packPause)
	}
	s.AddProblem(dir, fmt.Errorf("packs come and go: listed %d times, and each time one was gone when it was opened", maxListings))
}

// listPacks returns the files in a folder of packs.
func (s *Store) listPacks(dir string) (files []string) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !s.tried[dir] {
		s.tried[dir] = true
		s.AddProblem(dir, err)
	}
	for _, e := range entries {
		files = append(files, filepath.Join(dir, e.Name()))
	}
	return files
}

// openPack opens a pack, given the name of the pack or of its index, unless that was tried
// before. It returns an error only if the pack is not there. Other problems are noted.
func (s *Store) openPack(file string) error {
	stem, isPack := strings.CutSuffix(file, ".pack")
	index, isIndex := strings.CutSuffix(file, ".idx")
	alone := strings.HasPrefix(filepath.Base(file), "tmp_pack_")
	if s.lookupOnly && isIndex {
		file = index + ".pack"
	}
	var p *pack.Pack
	var note, err error
	switch {
	case strings.HasSuffix(file, ".promisor"):
		s.Partial = true
		return nil
	case s.tried[file]:
		return nil
	case s.lookupOnly && isIndex:
		if p, note, err = pack.OpenIndexed(index, s.Hash); errors.Is(err, fs.ErrNotExist) {
			return nil // git passes over it too
		}
	case s.lookupOnly:
		return nil
	case isIndex:
		if _, err := os.Lstat(index + ".pack"); err != nil {
			return fmt.Errorf("opening the pack of this index: %w", err)
		}
		return nil
	case isPack && s.received != nil && filepath.Base(s.received.Stem) == filepath.Base(stem):
		p, err = s.received.Unnumbered()
	case isPack:
		p, note, err = pack.Open(stem, s.Hash)
	case alone:
		p, note, err = openUnfinished(file, s.Hash)
	default:
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening pack: %w", err)
	}
	s.tried[file] = true
	if err = errors.Join(note, err); err != nil {
		s.AddProblem(file, fmt.Errorf("opening pack: %w", err))
	}
	if p != nil {
		s.Packs = append(s.Packs, p)
	}
	return nil
}

// openUnfinished opens a pack that git is writing, or was writing when it was stopped. git
// itself never reads one, but it may have brought in a key. A missing end is not reported:
// bytes that were never written are not in the repository.
func openUnfinished(file string, hash int) (p *pack.Pack, note, err error) {
	p, note, err = pack.OpenAlone(file, hash)
	if errors.Is(err, pack.ErrCutOff) {
		return nil, nil, nil
	}
	if errors.Is(note, pack.ErrCutOff) {
		note = nil
	}
	const why = "a fetch is under way, or broke off and git gc --prune=now removes it: %w"
	if note != nil {
		note = fmt.Errorf(why, note)
	}
	if err != nil {
		err = fmt.Errorf(why, err)
	}
	return p, note, err
}

// openNewPacks opens the packs that have come since the store was opened: git does so too when
// it does not find an object (reprepare_packed_git). It returns all of them, since another
// goroutine may have opened some between two look-ups of this one.
func (s *Store) openNewPacks() []*pack.Pack {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := &Store{Hash: s.Hash, dirs: slices.Clone(s.dirs), lookupOnly: true, tried: s.tried}
	for i := 0; i < len(fresh.dirs); i++ {
		fresh.addAlternates(fresh.dirs[i])
		for _, file := range fresh.listPacks(filepath.Join(fresh.dirs[i], "pack")) {
			_ = fresh.openPack(file) // a pack that has vanished again holds nothing
		}
	}
	s.dirs = fresh.dirs
	s.latePacks = append(s.latePacks, fresh.Packs...)
	return s.latePacks
}

// listLatePacks returns the packs that openNewPacks has opened.
func (s *Store) listLatePacks() []*pack.Pack {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latePacks
}

// allDirs returns the object directories, to which again adds.
func (s *Store) allDirs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dirs
}
