package gitsource

import (
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A store is where objects are: packs and loose objects, of the repository and of
// its alternates. It numbers the objects: those of each pack by id, then the
// loose ones by id. An object that is stored more than once has the first of its
// numbers. Concurrent calls are allowed.
type store struct {
	hash    int      // bytes of an id
	dirs    []string // object directories
	packs   []*pack.Pack
	first   []int // number of the first object of each pack, and of the loose ones
	loose   []loose
	notes   []note // what could not be opened
	partial bool   // objects may be missing on purpose
	rest    bool   // and they were read elsewhere: partial too
	// unlisted is set if loose objects are in no list, but looked for one by one.
	unlisted bool

	mu    sync.Mutex      // of dirs, tried, late and notes, once the store is open
	tried map[string]bool // files of packs that were opened, or cannot be
	late  []*pack.Pack    // that again has opened: they have no numbers
}

// A loose is an object in a file of its own.
type loose struct {
	id  pack.ID
	dir int // in dirs
}

func (s *store) looseFile(l loose) string {
	hex := l.id.String()
	return filepath.Join(s.allDirs()[l.dir], hex[:2], hex[2:])
}

// A note says what could not be read, and why.
type note struct {
	path string
	err  error
}

var errMissing = errors.New("object is missing")

// storeOptions say which objects to open.
type storeOptions struct {
	dirs    []string // object directories
	hash    int      // bytes of an id
	partial bool     // objects may be missing on purpose
	rest    bool     // what is missing was read elsewhere
	seen    func(*pack.Pack) bool
}

// openStore opens object directories. What cannot be opened is noted.
func openStore(o storeOptions) *store {
	s := &store{hash: o.hash, partial: o.partial || o.rest, rest: o.rest}
	for _, dir := range o.dirs {
		s.addDir(dir)
	}
	for i := 0; i < len(s.dirs); i++ { // alternates may have alternates: dirs grows
		s.addAlternates(s.dirs[i])
		s.addQuarantines(s.dirs[i])
		s.listLoose(i) // first: what git gc moves meanwhile is met twice, and not never
		s.openPacks(filepath.Join(s.dirs[i], "pack"))
	}
	// What was read comes first: a pack that git has fetched thin and completed has copies
	// of objects of older ones, and of copies the first counts.
	slices.SortStableFunc(s.packs, func(a, b *pack.Pack) int { return order(o.seen(b)) - order(o.seen(a)) })
	s.number()
	return s
}

func order(first bool) int {
	if first {
		return 1
	}
	return 0
}

// openLookup opens object directories for reads by id alone, which takes
// no longer for many loose objects than for none. It opens the packs that git
// reads, those with an index: a pack without one holds nothing that git can look up.
// Of the numbers of objects, nothing works.
func openLookup(o storeOptions) *store {
	s := &store{hash: o.hash, partial: o.partial, unlisted: true}
	for _, dir := range o.dirs {
		s.addDir(dir)
	}
	for i := 0; i < len(s.dirs); i++ {
		s.addAlternates(s.dirs[i])
		s.openPacks(filepath.Join(s.dirs[i], "pack"))
	}
	return s
}

// number gives each object its number.
func (s *store) number() {
	at := 0
	for _, p := range s.packs {
		s.first = append(s.first, at)
		at += p.Len()
	}
	s.first = append(s.first, at)
	slices.SortFunc(s.loose, func(a, b loose) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.dir, b.dir)) })
}

func (s *store) close() {
	for _, p := range append(s.packs, s.late...) {
		_ = p.Close() // only read from
	}
}

func (s *store) fail(path string, err error) { s.notes = append(s.notes, note{path, err}) }

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

// addQuarantines adds the directories in which git holds what is being pushed
// until the hooks have let it in (git-receive-pack(1), "Quarantine Environment").
// After a crash they stay.
func (s *store) addQuarantines(dir string) {
	entries, _ := os.ReadDir(dir) // an error shows up when the objects are listed
	for _, e := range entries {
		if e.IsDir() && (strings.HasPrefix(e.Name(), "tmp_objdir-") || strings.HasPrefix(e.Name(), "incoming-")) {
			s.addDir(filepath.Join(dir, e.Name()))
		}
	}
}

// listLoose lists the loose objects in dirs[dir]: objects/12/3456….
func (s *store) listLoose(dir int) {
	for i := range 256 {
		name := fmt.Sprintf("%02x", i)
		files, err := os.ReadDir(filepath.Join(s.dirs[dir], name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.fail(filepath.Join(s.dirs[dir], name), err)
		}
		for _, f := range files {
			if id, ok := pack.ParseID([]byte(name + f.Name())); ok && len(id) == s.hash {
				s.loose = append(s.loose, loose{id, dir})
			}
		}
	}
}

// packed is the number of objects in packs, and of the first loose one.
func (s *store) packed() int { return s.first[len(s.packs)] }

// len is the number of objects, those that are stored twice counted twice.
func (s *store) len() int { return s.packed() + len(s.loose) }

// find returns the number of the object with the id, none if it is not here.
func (s *store) find(id []byte) int32 {
	for i, p := range s.packs {
		if k := p.Index().Find(id); k >= 0 {
			return int32(s.first[i] + k)
		}
	}
	if i := s.findLoose(id); i >= 0 {
		return int32(s.packed() + i)
	}
	return none
}

func (s *store) findLoose(id []byte) int {
	i := sort.Search(len(s.loose), func(i int) bool { return string(s.loose[i].id) >= string(id) })
	if i < len(s.loose) && string(s.loose[i].id) == string(id) {
		return i
	}
	return -1
}

// copies returns the loose objects with the id, one a directory at most.
func (s *store) copies(id pack.ID) []loose {
	if s.unlisted {
		return s.stored(id)
	}
	from := max(s.findLoose([]byte(id)), 0)
	to := from
	for to < len(s.loose) && s.loose[to].id == id {
		to++
	}
	return s.loose[from:to]
}

// stored is copies for those that are there now, in a list or not.
func (s *store) stored(id pack.ID) (found []loose) {
	for dir := range s.allDirs() {
		l := loose{id, dir}
		if _, err := os.Lstat(s.looseFile(l)); err == nil {
			found = append(found, l)
		}
	}
	return found
}

// none is the number of no object.
const none int32 = -1

// packOf returns the number of the pack that an object is in, and len(packs) for
// loose ones.
func (s *store) packOf(n int32) int {
	return sort.Search(len(s.first), func(i int) bool { return s.first[i] > int(n) }) - 1
}

// id returns the id of an object.
func (s *store) id(n int32) pack.ID {
	i := s.packOf(n)
	if i >= len(s.packs) {
		return s.loose[int(n)-s.packed()].id
	}
	return s.packs[i].Index().ID(int(n) - s.first[i])
}

// read reads an object on its own. The error is errMissing if it is not here, a
// *pack.TooLargeError if it is larger than limit, else it says what is damaged. If
// there are several copies, one that can be read is enough.
func (s *store) read(id pack.ID, limit int64) (pack.Type, []byte, error) {
	return s.readBut(id, limit, nil, 0)
}

// maxHops is how often a base may be in another pack. Only thin packs refer to
// others at all, and git completes them before it keeps them.
const maxHops = 10

// readBut is read without the copy in the pack but. An object that is not found is looked
// for once more in the packs that have come since: git moves objects while others read.
func (s *store) readBut(id pack.ID, limit int64, but *pack.Pack, hops int) (pack.Type, []byte, error) {
	if hops > maxHops {
		return 0, nil, fmt.Errorf("%w: packs refer to each other", pack.ErrDamaged)
	}
	r := &objectRead{store: s, id: id, limit: limit, but: but, hops: hops}
	if r.packed(s.packs) || r.loose(s.copies(id)) || r.packed(s.latePacks()) || r.packed(s.again()) ||
		r.damage == nil && r.loose(s.stored(id)) {
		return r.typ, r.data, nil
	}
	switch {
	case r.damage != nil:
		return 0, nil, errors.Join(r.damage...)
	case isEmptyTree(id): // git has it built in (object-file.c), and need not fetch it
		return pack.Tree, nil, nil
	}
	return 0, nil, errMissing
}

// An objectRead looks for a copy of an object that can be read.
type objectRead struct {
	store *store
	id    pack.ID
	limit int64
	but   *pack.Pack
	hops  int

	typ    pack.Type
	data   []byte
	damage []error // of copies that cannot be read
}

func (r *objectRead) packed(packs []*pack.Pack) (ok bool) {
	for _, p := range packs {
		k := p.Index().Find([]byte(r.id))
		if k < 0 || p == r.but {
			continue
		}
		base := func(base pack.ID) (pack.Type, []byte, error) { return r.store.readBut(base, r.limit, p, r.hops+1) }
		var err error
		if r.typ, r.data, err = p.Read(k, r.limit, base); err == nil {
			return true
		}
		r.damage = append(r.damage, fmt.Errorf("%s: %w", p.Name, err))
	}
	return false
}

func (r *objectRead) loose(copies []loose) (ok bool) {
	for _, l := range copies {
		var err error
		if r.typ, r.data, err = r.store.readLoose(l, r.limit); err == nil {
			return true
		}
		if !errors.Is(err, fs.ErrNotExist) { // else it is in a pack by now
			r.damage = append(r.damage, fmt.Errorf("loose object: %w", err))
		}
	}
	return false
}

// isEmptyTree reports whether id is that of the tree without entries, of SHA-1 or
// SHA-256.
func isEmptyTree(id pack.ID) bool {
	const object = "tree 0\x00"
	short, long := sha1.Sum([]byte(object)), sha256.Sum256([]byte(object))
	return string(id) == string(short[:]) || string(id) == string(long[:])
}

func (s *store) readLoose(l loose, limit int64) (pack.Type, []byte, error) {
	var files pack.Loose
	o, err := files.Open(s.looseFile(l))
	if err != nil {
		return 0, nil, err
	}
	defer o.Close()
	if o.Size > limit {
		return 0, nil, &pack.TooLargeError{Size: o.Size, Limit: limit}
	}
	data, err := o.Data(s.hash, l.id)
	return o.Type, data, err
}

// minGraphLimit is what a commit, tag or tree may have whatever the limit: one
// that is not read hides all that it leads to.
const minGraphLimit = 32 << 20

// noLimit is the limit of a Repository with MaxBlobSize 0.
const noLimit = math.MaxInt64
