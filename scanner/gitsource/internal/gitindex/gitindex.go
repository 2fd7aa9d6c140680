// Package gitindex reads the index of a work tree, the file with all that is staged, in
// each of its formats: versions 2 to 4, split, and sparse.
package gitindex

import (
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// An Index lists the staged files (gitformat-index(5)). go-git's reader is not used: it knows
// neither split nor sparse indexes, no SHA-256, and takes an index without a checksum
// (index.skipHash) for a damaged one.
type Index struct {
	Entries []Entry // by path, then by stage
	Tree    *CacheTree
}

// An Entry is an entry of an index.
type Entry struct {
	Path  string // of a folder, with "/" at its end, in a sparse index
	ID    pack.ID
	Mode  objects.Mode
	Stage uint8 // 1 to 3 in a conflict
	// Intent marks a file without content yet ("git add -N").
	Intent bool
	// The time of the last change and the size of the file when it was staged, both without
	// the bits above 32.
	Seconds, Nanoseconds, Size uint32
}

// A CacheTree holds the ids of the trees that folders of the index would make, as git last
// computed them ("Cache tree" in gitformat-index(5)).
type CacheTree struct {
	name     string
	id       pack.ID // empty if something was staged in the folder since
	children []CacheTree
}

// Child returns the folder with the name, nil if the cache does not have it. git sorts
// shorter names first (subtree_name_cmp in cache-tree.c).
func (c *CacheTree) Child(name string) *CacheTree {
	if c == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(c.children, name, func(c CacheTree, name string) int {
		return cmp.Or(cmp.Compare(len(c.name), len(name)), strings.Compare(c.name, name))
	})
	if !ok {
		return nil
	}
	return &c.children[i]
}

// Valid returns the tree that c is known to make, or "".
func (c *CacheTree) Valid() pack.ID {
	if c == nil {
		return ""
	}
	return c.id
}

// errIndex is wrapped by all errors about the content of an index.
var errIndex = errors.New(`the index is damaged, or of a format that stanch does not know ("git reset", with the file moved away, makes a new one)`)

func badIndex(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errIndex, fmt.Sprintf(format, args...))
}

// LoadIndex reads the index in file. If the index is split, it also reads the shared index
// in gitDir. A file that does not exist is an empty index, as for git.
func LoadIndex(file, gitDir string, hash int) (*Index, error) {
	data, err := boundedfile.ReadText(file, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return &Index{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	x, link, err := ParseIndex(data, hash)
	if err == nil && link != nil {
		err = joinShared(x, link, gitDir, hash)
	}
	if err == nil && !slices.IsSortedFunc(x.Entries, compareStaged) {
		err = badIndex("its entries are not in order")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return x, nil
}

// maxIndex bounds the size of an index: Windows has three million files, in 300 MB.
const maxIndex = 2 << 30

// joinShared adds the entries of the shared index that x is based on.
func joinShared(x *Index, l *link, gitDir string, hash int) error {
	name := "sharedindex." + l.base.String()
	data, err := boundedfile.ReadText(filepath.Join(gitDir, name), maxIndex)
	if err != nil {
		return fmt.Errorf("reading the shared index: %w", err)
	}
	shared, deeper, err := ParseIndex(data, hash)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if deeper != nil {
		return badIndex("%s is based on another", name)
	}
	x.Entries, err = l.join(shared.Entries, x.Entries)
	return err
}

func compareStaged(a, b Entry) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	return int(a.Stage) - int(b.Stage)
}

// ParseIndex reads an index file: versions 2 to 4, with ids of hash bytes. link is
// set if the index is split.
func ParseIndex(data string, hash int) (*Index, *link, error) {
	if len(data) < 12+hash || data[:4] != "DIRC" {
		return nil, nil, badIndex("it does not begin as one")
	}
	var check errgroup.Group // beside: it takes as long as all the rest
	check.Go(func() error { return checkSum(data, hash) })
	x, link, err := parseEntries(data, hash)
	if sumErr := check.Wait(); sumErr != nil {
		err = sumErr
	}
	return x, link, err
}

// parseEntries cuts paths and ids out of data, and copies none.
func parseEntries(data string, hash int) (*Index, *link, error) {
	p := &indexParser{rest: data[:len(data)-hash], hash: hash}
	version, n := p.number(4, 4), p.number(8, 4)
	p.version, p.rest = int(version), p.rest[12:]
	if version < 2 || version > 4 {
		return nil, nil, badIndex("version %d", version)
	}
	x := &Index{}
	if uint64(n)*uint64(statSize+hash) > uint64(len(data)) {
		return nil, nil, badIndex("%d entries in %d bytes", n, len(data))
	}
	x.Entries = make([]Entry, 0, n)
	for range n {
		e, err := p.entry()
		if err != nil {
			return nil, nil, err
		}
		x.Entries = append(x.Entries, e)
	}
	link, err := p.extensions(x)
	return x, link, err
}

// checkSum compares the checksum at the end of data. With index.skipHash it is all
// zeros, and nothing to compare with.
func checkSum(data string, hash int) error {
	body, sum := data[:len(data)-hash], data[len(data)-hash:]
	h := sha1.New()
	if hash == sha256.Size {
		h = sha256.New()
	}
	piece := make([]byte, 32<<10)
	for len(body) > 0 {
		n := copy(piece, body)
		h.Write(piece[:n])
		body = body[n:]
	}
	if string(h.Sum(nil)) != sum && strings.Trim(sum, "\x00") != "" {
		return badIndex("its checksum is wrong")
	}
	return nil
}

// An indexParser reads the entries of an index, one after the other.
type indexParser struct {
	rest          string
	hash, version int
	path          string // of the last entry: version 4 leaves out the part that the next repeats
}

// Before the id of an entry stand ten numbers that stat(2) gave; the mode is the
// seventh. After it come two bytes of flags, and two more if a bit says so.
const (
	statSize, mtimeAt, modeAt, sizeAt = 40, 8, 24, 36

	flagExtended, flagStage, flagName = 0x4000, 0x3000, 0x0fff
	flagIntent                        = 0x2000 // in the second two
)

func (p *indexParser) entry() (Entry, error) {
	size := statSize + p.hash + 2
	if len(p.rest) < size {
		return Entry{}, badIndex("it is cut off")
	}
	flags := uint16(p.number(size-2, 2))
	e := Entry{
		ID: pack.ID(p.rest[statSize : statSize+p.hash]), Stage: uint8(flags & flagStage >> 12),
		Mode: fileMode(p.number(modeAt, 4)), Seconds: p.number(mtimeAt, 4), Nanoseconds: p.number(mtimeAt+4, 4), Size: p.number(sizeAt, 4),
	}
	if flags&flagExtended != 0 && p.version > 2 {
		if len(p.rest) < size+2 {
			return e, badIndex("it is cut off")
		}
		e.Intent = p.number(size, 2)&flagIntent != 0
		size += 2
	}
	var err error
	if p.version == 4 {
		err = p.shortName(size)
	} else {
		err = p.paddedName(size)
	}
	e.Path = p.path
	return e, err
}

// number reads a number of size bytes.
func (p *indexParser) number(at, size int) (n uint32) {
	for _, c := range []byte(p.rest[at : at+size]) {
		n = n<<8 | uint32(c)
	}
	return n
}

// paddedName reads a name that ends with one to eight NULs, so that the entry has
// a multiple of eight bytes.
func (p *indexParser) paddedName(at int) error {
	end := strings.IndexByte(p.rest[at:], 0)
	if end < 0 {
		return badIndex("a name has no end")
	}
	p.path = p.rest[at : at+end]
	size := (at + end + 8) &^ 7
	if size > len(p.rest) {
		return badIndex("it is cut off")
	}
	p.rest = p.rest[size:]
	return nil
}

// maxName is more than any system lets a path have (PATH_MAX of Linux).
const maxName = 4096

// shortName reads how many bytes to drop from the end of the last name, and the bytes that
// replace them, up to a NUL.
func (p *indexParser) shortName(at int) error {
	drop, next := ofsVarint(p.rest, at)
	if next < 0 || drop > len(p.path) {
		return badIndex("a name is longer than the one that it begins as")
	}
	end := strings.IndexByte(p.rest[next:], 0)
	if end < 0 {
		return badIndex("a name has no end")
	}
	if len(p.path)-drop+end > maxName { // else a small file could name terabytes
		return badIndex("a name of more than %d bytes", maxName)
	}
	p.path = p.path[:len(p.path)-drop] + p.rest[next:next+end]
	p.rest = p.rest[next+end+1:]
	return nil
}

// ofsVarint reads a number of 7 bits a byte, the highest first, with one added at
// each byte but the last, as in the offset of a delta. next is -1 if it has no end.
func ofsVarint(b string, at int) (n, next int) {
	for range 5 {
		if at >= len(b) {
			break
		}
		c := b[at]
		at++
		n |= int(c & 0x7f)
		if c < 0x80 {
			return n, at
		}
		n = (n + 1) << 7
	}
	return 0, -1
}

// extensions reads the rest of the index, after the entries: a name of four letters and a
// length each. Those that begin with a capital may be passed over.
func (p *indexParser) extensions(x *Index) (l *link, err error) {
	for len(p.rest) > 0 {
		if len(p.rest) < 8 {
			return nil, badIndex("an extension is cut off")
		}
		name, size := p.rest[:4], p.number(4, 4)
		if uint64(size) > uint64(len(p.rest)-8) {
			return nil, badIndex("an extension is cut off")
		}
		data := p.rest[8 : 8+size]
		p.rest = p.rest[8+size:]
		switch {
		case name == "TREE":
			if tree, _, ok := parseCacheTree(data, p.hash, 0); ok { // without it, more is compared
				x.Tree = &tree
			}
		case name == "link":
			if l, err = parseLink([]byte(data), p.hash); err != nil {
				return nil, err
			}
		case name == "sdir": // folders as entries: they have a mode of their own
		case name[0] < 'A' || name[0] > 'Z':
			return nil, badIndex("extension %q", name)
		}
	}
	return l, nil
}

// MaxFolders is how deep folders may lie in each other.
const MaxFolders = 4096

// parseCacheTree reads a folder and those in it: "<name> NUL <entries> SP <folders> LF
// <id>"; the number of entries is negative, and the id left out, if something has changed.
// It returns false if the data makes no sense.
func parseCacheTree(data string, hash, depth int) (c CacheTree, rest string, ok bool) {
	name, data, ok := strings.Cut(data, "\x00")
	line, rest, ok2 := strings.Cut(data, "\n")
	covered, below, ok3 := strings.Cut(line, " ")
	entries, err1 := strconv.Atoi(covered)
	folders, err2 := strconv.Atoi(below)
	if !ok || !ok2 || !ok3 || err1 != nil || err2 != nil || depth > MaxFolders {
		return c, "", false
	}
	c.name = name
	if entries >= 0 {
		if len(rest) < hash {
			return c, "", false
		}
		c.id, rest = pack.ID(rest[:hash]), rest[hash:]
	}
	if folders > 0 {
		c.children = make([]CacheTree, 0, min(folders, len(rest)/4))
	}
	for range folders {
		var child CacheTree
		if child, rest, ok = parseCacheTree(rest, hash, depth+1); !ok {
			return c, "", false
		}
		c.children = append(c.children, child)
	}
	return c, rest, true
}

// fileMode is the mode that a number means, in an index or a tree.
func fileMode(m uint32) objects.Mode {
	switch m & 0o170000 {
	case 0o040000:
		return objects.Directory
	case 0o160000:
		return objects.Submodule
	}
	return objects.File
}

// At returns the entry at path, or the first below it if path is a folder; "." is
// the root.
func (x *Index) At(path string) (Entry, bool) {
	i := sort.Search(len(x.Entries), func(i int) bool { return x.Entries[i].Path >= path })
	if i < len(x.Entries) && x.Entries[i].Path == path {
		return x.Entries[i], true
	}
	prefix := path + "/"
	if path == "." {
		prefix = ""
	}
	i = sort.Search(len(x.Entries), func(i int) bool { return x.Entries[i].Path >= prefix })
	if i < len(x.Entries) && strings.HasPrefix(x.Entries[i].Path, prefix) {
		return Entry{Path: path, Mode: objects.Directory}, true
	}
	return Entry{}, false
}
