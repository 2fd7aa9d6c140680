package gitsource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"github.com/stanch-dev/stanch/scanner"
)

// A store is where objects are: packs and loose objects, of the repository and
// of its alternates. It may be used concurrently; readers may not.
//
// go-git's ObjectStorage is not used: one damaged pack index makes it lose all
// packs that come after, in no certain order, and it opens each alternate anew
// for each object. Its decoders of the formats are.
type store struct {
	dirs    []string // object directories
	packs   []*pack
	unread  []scanner.Blob // packs and alternates that could not be opened
	partial bool           // objects may be missing on purpose
}

// A pack is kept open, so that a gc that unlinks it does no harm.
type pack struct {
	name string
	idx  *idxfile.MemoryIndex
	file *os.File
	size int64
}

// openStore opens all packs. What cannot be opened is noted in unread.
func openStore(common string) *store {
	s := &store{partial: isPartial(common)}
	s.addDir(filepath.Join(common, "objects"))
	for i := 0; i < len(s.dirs); i++ { // alternates may have alternates: dirs grows
		s.addAlternates(s.dirs[i])
		s.openPacks(filepath.Join(s.dirs[i], "pack"))
	}
	return s
}

func (s *store) close() {
	for _, p := range s.packs {
		_ = p.file.Close() // only read from
	}
}

func (s *store) fail(path string, err error) {
	s.unread = append(s.unread, scanner.Blob{ID: scanner.BlobID(path), Kind: scanner.KindBlob, Name: path, Err: err})
}

// addDir adds an object directory once, however alternates refer to each other,
// by symbolic links too.
func (s *store) addDir(dir string) {
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	if !slices.Contains(s.dirs, dir) {
		s.dirs = append(s.dirs, dir)
	}
}

// addAlternates reads info/alternates: the path of an object directory a line,
// relative to dir, quoted if need be, "#" for comments (gitrepository-layout(5)).
func (s *store) addAlternates(dir string) {
	file := filepath.Join(dir, "info", "alternates")
	text, err := readSmall(file, maxSmall)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.fail(file, err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if unquoted, err := strconv.Unquote(line); err == nil {
			line = unquoted
		}
		if !filepath.IsAbs(line) {
			line = filepath.Join(dir, line)
		}
		if _, err := os.Stat(line); err != nil {
			s.fail(line, fmt.Errorf("opening alternate object directory: %w", err))
			continue
		}
		s.addDir(filepath.Clean(line))
	}
}

// openPacks opens the packs in dir, in the order of their names, so that two
// runs read alike.
func (s *store) openPacks(dir string) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.fail(dir, err)
	}
	var last string
	for _, f := range files { // sorted: .idx comes before .pack
		ext := filepath.Ext(f.Name())
		s.partial = s.partial || ext == ".promisor"
		stem := filepath.Join(dir, strings.TrimSuffix(f.Name(), ext))
		if !strings.HasPrefix(f.Name(), "pack-") || ext != ".pack" && ext != ".idx" || stem == last {
			continue
		}
		last = stem
		p, err := openPack(stem)
		if err != nil {
			s.fail(stem+".pack", fmt.Errorf("opening pack: %w", err))
			continue
		}
		s.packs = append(s.packs, p)
	}
}

func openPack(stem string) (_ *pack, err error) {
	defer recoverTo(&err) // go-git, on an index made to hurt
	idx, err := openIndex(stem + ".idx")
	if err != nil {
		return nil, fmt.Errorf("%s.idx: %w", filepath.Base(stem), err)
	}
	file, size, err := openRegular(stem + ".pack")
	if err != nil {
		return nil, err
	}
	return &pack{filepath.Base(stem), idx, file, size}, nil
}

func openIndex(name string) (*idxfile.MemoryIndex, error) {
	// Not through a bufio.Reader: of an *os.File the decoder checks the size
	// against the number of objects before it allocates.
	f, _, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	idx := idxfile.NewMemoryIndex()
	return idx, idxfile.NewDecoder(f).Decode(idx)
}

// find returns the first pack that holds id and where, or len(packs) for
// objects that are loose or missing.
func (s *store) find(id plumbing.Hash) (pack int, offset int64) {
	for i, p := range s.packs {
		if offset, err := p.idx.FindOffset(id); err == nil {
			return i, offset
		}
	}
	return len(s.packs), 0
}

// recoverTo turns a panic of go-git into an error: on damaged data it slices
// out of bounds in places.
func recoverTo(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errMalformed, p)
	}
}
