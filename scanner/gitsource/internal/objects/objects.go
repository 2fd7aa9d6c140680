// Package objects reads git objects: the packs and loose objects of a repository, and of
// those that it borrows from (objects/info/alternates).
//
// A Store is opened in one of two ways. Open numbers all objects, for a walk over all of
// them and the graph that it makes. OpenLookup only reads objects by id, and so takes no
// longer for a million loose objects than for none.
//
// git may repack while a store is open. An object that is not found is looked for once
// more in the packs that have come since (packdir.go).
package objects

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

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A Store is where objects are: packs and loose objects, of the repository and of its
// alternates. It numbers the objects: those of each pack by id, then the loose ones by id.
// An object that is stored several times is known by the first of its numbers. Concurrent
// calls are allowed.
type Store struct {
	Hash             int      // bytes of an id
	dirs             []string // object directories
	Packs            []*pack.Pack
	First            []int // number of the first object of each pack, and of the loose ones
	Loose            []Loose
	Problems         []Problem // packs and folders that could not be opened
	Partial          bool      // objects may be missing on purpose
	MissingElsewhere bool      // and they were read elsewhere: partial too
	received         *pack.Received
	// lookupOnly is set if loose objects are not listed, but looked up one by one.
	lookupOnly bool

	mu        sync.Mutex      // of dirs, tried, late and notes, once the store is open
	tried     map[string]bool // files of packs that were opened, or cannot be
	latePacks []*pack.Pack    // that again has opened: they have no numbers

	looseReaders sync.Pool // of *pack.Loose, which have buffers of 150 kB
}

// A Loose is an object in a file of its own.
type Loose struct {
	ID  pack.ID
	dir int // in dirs
}

// LooseFile returns the name of the file of a loose object.
func (s *Store) LooseFile(l Loose) string {
	hex := l.ID.String()
	return filepath.Join(s.allDirs()[l.dir], hex[:2], hex[2:])
}

// A Problem is a file or folder that could not be read, and why.
type Problem struct {
	Path string
	Err  error
}

// ErrMissing says that an object is in no pack and in no file of its own.
var ErrMissing = errors.New("object is missing")

// Options say which objects to open.
type Options struct {
	Dirs             []string // object directories
	Hash             int      // bytes of an id
	Partial          bool     // objects may be missing on purpose
	MissingElsewhere bool     // missing objects were read elsewhere
	ReadBefore       func(*pack.Pack) bool
	Received         *pack.Received // a pack that has no index yet; nil for none
}

// Open opens object directories. It notes in Problems the parts that cannot be opened.
func Open(o Options) *Store {
	s := &Store{Hash: o.Hash, Partial: o.Partial || o.MissingElsewhere, MissingElsewhere: o.MissingElsewhere, received: o.Received}
	for _, dir := range o.Dirs {
		s.addDir(dir)
	}
	for i := 0; i < len(s.dirs); i++ { // alternates may have alternates: dirs grows
		s.addAlternates(s.dirs[i])
		s.addQuarantines(s.dirs[i])
		s.listLoose(i) // first: objects that git gc moves meanwhile are met twice, rather than never
		s.openPacks(filepath.Join(s.dirs[i], "pack"))
	}
	// Packs that were read before come first: a pack that git has fetched thin and completed
	// holds copies of objects of older ones, and the first copy counts.
	slices.SortStableFunc(s.Packs, func(a, b *pack.Pack) int { return rank(o.ReadBefore(b)) - rank(o.ReadBefore(a)) })
	s.number()
	return s
}

func rank(first bool) int {
	if first {
		return 1
	}
	return 0
}

// OpenLookup opens object directories for reads by id alone, which takes
// no longer for many loose objects than for none. It opens the packs that git
// reads, those with an index: a pack without one holds nothing that git can look up.
// Objects have no numbers then.
func OpenLookup(o Options) *Store {
	s := &Store{Hash: o.Hash, Partial: o.Partial, lookupOnly: true}
	for _, dir := range o.Dirs {
		s.addDir(dir)
	}
	for i := 0; i < len(s.dirs); i++ {
		s.addAlternates(s.dirs[i])
		s.openPacks(filepath.Join(s.dirs[i], "pack"))
	}
	return s
}

// number gives each object its number.
func (s *Store) number() {
	at := 0
	for _, p := range s.Packs {
		s.First = append(s.First, at)
		at += p.Len()
	}
	s.First = append(s.First, at)
	slices.SortFunc(s.Loose, func(a, b Loose) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.dir, b.dir)) })
}

// Close closes the packs.
func (s *Store) Close() {
	for _, p := range append(s.Packs, s.latePacks...) {
		_ = p.Close() // only read from
	}
}

// AddProblem notes a file that could not be read.
func (s *Store) AddProblem(path string, err error) {
	s.Problems = append(s.Problems, Problem{path, err})
}

// addDir adds an object directory once, however alternates refer to each other,
// by symbolic links too.
func (s *Store) addDir(dir string) {
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	if !slices.Contains(s.dirs, dir) {
		s.dirs = append(s.dirs, dir)
	}
}

// addAlternates reads info/alternates: the path of an object directory a line,
// relative to dir, quoted if need be, "#" for comments (gitrepository-layout(5)).
func (s *Store) addAlternates(dir string) {
	file := filepath.Join(dir, "info", "alternates")
	text, err := boundedfile.ReadSmall(file, boundedfile.MaxSmall)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.AddProblem(file, err)
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
			s.AddProblem(line, fmt.Errorf("opening alternate object directory: %w", err))
			continue
		}
		s.addDir(filepath.Clean(line))
	}
}

// addQuarantines adds the directories in which git holds pushed objects until the hooks have
// let them in (git-receive-pack(1), "Quarantine Environment"). After a crash they stay.
func (s *Store) addQuarantines(dir string) {
	entries, _ := os.ReadDir(dir) // an error shows up when the objects are listed
	for _, e := range entries {
		if e.IsDir() && (strings.HasPrefix(e.Name(), "tmp_objdir-") || strings.HasPrefix(e.Name(), "incoming-")) {
			s.addDir(filepath.Join(dir, e.Name()))
		}
	}
}

// listLoose lists the loose objects in dirs[dir]: objects/12/3456….
func (s *Store) listLoose(dir int) {
	for i := range 256 {
		name := fmt.Sprintf("%02x", i)
		files, err := os.ReadDir(filepath.Join(s.dirs[dir], name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.AddProblem(filepath.Join(s.dirs[dir], name), err)
		}
		for _, f := range files {
			if id, ok := pack.ParseID([]byte(name + f.Name())); ok && len(id) == s.Hash {
				s.Loose = append(s.Loose, Loose{id, dir})
			}
		}
	}
}

// Packed is the number of objects in packs, and of the first loose one.
func (s *Store) Packed() int { return s.First[len(s.Packs)] }

// Len is the number of objects. An object that is stored twice counts twice.
func (s *Store) Len() int { return s.Packed() + len(s.Loose) }

// Find returns the number of the object with the id, none if it is not here.
func (s *Store) Find(id []byte) int32 {
	for i, p := range s.Packs {
		if k := p.Index().Find(id); k >= 0 {
			return int32(s.First[i] + k)
		}
	}
	if i := s.findLoose(id); i >= 0 {
		return int32(s.Packed() + i)
	}
	return None
}

func (s *Store) findLoose(id []byte) int {
	i := sort.Search(len(s.Loose), func(i int) bool { return string(s.Loose[i].ID) >= string(id) })
	if i < len(s.Loose) && string(s.Loose[i].ID) == string(id) {
		return i
	}
	return -1
}

// LooseCopies returns the loose objects with the id, one a directory at most. After OpenLookup
// it returns one for each directory, whether it is there or not.
func (s *Store) LooseCopies(id pack.ID) []Loose {
	if s.lookupOnly {
		return s.anyLoose(id)
	}
	from := max(s.findLoose([]byte(id)), 0)
	to := from
	for to < len(s.Loose) && s.Loose[to].ID == id {
		to++
	}
	return s.Loose[from:to]
}

// anyLoose returns where an object may be, listed or not: to open a file tells as much as to
// ask for it before.
func (s *Store) anyLoose(id pack.ID) (places []Loose) {
	for dir := range s.allDirs() {
		places = append(places, Loose{id, dir})
	}
	return places
}

// None is the number of no object.
const None int32 = -1

// PackOf returns the number of the pack that an object is in, and len(packs) for
// loose ones.
func (s *Store) PackOf(n int32) int {
	return sort.Search(len(s.First), func(i int) bool { return s.First[i] > int(n) }) - 1
}

// ID returns the id of an object.
func (s *Store) ID(n int32) pack.ID {
	i := s.PackOf(n)
	if i >= len(s.Packs) {
		return s.Loose[int(n)-s.Packed()].ID
	}
	return s.Packs[i].Index().ID(int(n) - s.First[i])
}

// Read reads an object on its own. The error is ErrMissing if it is not here, a
// *pack.TooLargeError if it is larger than limit, and else says where it is damaged. If there
// are several copies, one that can be read is enough.
func (s *Store) Read(id pack.ID, limit int64) (pack.Type, []byte, error) {
	return s.ReadExcept(id, limit, nil, 0)
}

// MaxHops bounds a chain of bases in different packs. Only thin packs refer to others at
// all, and git completes them before it keeps them.
const MaxHops = 10

// ReadExcept is Read without the copy in the pack that but names. An object that is not
// found is looked for once more in the packs that have come since: git moves objects while
// others read.
func (s *Store) ReadExcept(id pack.ID, limit int64, but *pack.Pack, hops int) (pack.Type, []byte, error) {
	if hops > MaxHops {
		return 0, nil, fmt.Errorf("%w: packs refer to each other", pack.ErrDamaged)
	}
	r := &objectRead{store: s, id: id, limit: limit, but: but, hops: hops}
	if r.packed(s.Packs) || r.loose(s.LooseCopies(id)) || r.late() ||
		r.damage == nil && r.loose(s.anyLoose(id)) {
		return r.typ, r.data, nil
	}
	switch {
	case r.damage != nil:
		return 0, nil, errors.Join(r.damage...)
	case IsEmptyTree(id): // git has it built in (object-file.c), and need not fetch it
		return pack.Tree, nil, nil
	}
	return 0, nil, ErrMissing
}

// An objectRead looks for a copy of an object that can be read.
type objectRead struct {
	store *Store
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
		base := func(base pack.ID) (pack.Type, []byte, error) { return r.store.ReadExcept(base, r.limit, p, r.hops+1) }
		var err error
		if r.typ, r.data, err = p.Read(k, r.limit, base); err == nil {
			return true
		}
		r.damage = append(r.damage, fmt.Errorf("%s: %w", p.Name, err))
	}
	return false
}

// late looks in the packs that have come since the store was opened.
func (r *objectRead) late() (ok bool) {
	known := r.store.listLatePacks()
	return r.packed(known) || r.packed(r.store.openNewPacks()[len(known):])
}

func (r *objectRead) loose(copies []Loose) (ok bool) {
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

// IsEmptyTree reports whether id is the id of the empty tree, in SHA-1 or SHA-256.
func IsEmptyTree(id pack.ID) bool {
	const object = "tree 0\x00"
	short, long := sha1.Sum([]byte(object)), sha256.Sum256([]byte(object))
	return string(id) == string(short[:]) || string(id) == string(long[:])
}

func (s *Store) readLoose(l Loose, limit int64) (pack.Type, []byte, error) {
	files, ok := s.looseReaders.Get().(*pack.Loose)
	if !ok {
		files = &pack.Loose{}
	}
	defer s.looseReaders.Put(files)
	o, err := files.Open(s.LooseFile(l))
	if err != nil {
		return 0, nil, err
	}
	defer o.Close()
	if o.Size > limit {
		return 0, nil, &pack.TooLargeError{Size: o.Size, Limit: limit}
	}
	data, err := o.Data(s.Hash, l.ID)
	return o.Type, data, err
}

// MinGraphLimit is the size up to which a commit, tag or tree is read despite the limit: an
// unread one hides everything that it leads to.
const MinGraphLimit = 32 << 20

// NoLimit is the limit of a Repository with MaxBlobSize 0.
const NoLimit = math.MaxInt64
