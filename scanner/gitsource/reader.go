package gitsource

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

var errMissing = errors.New("object is missing")

// A sizeError says that a text is larger than so many bytes.
type sizeError int64

func (e sizeError) Error() string {
	return fmt.Sprintf("larger than %g MiB; raise --max-size to read it", float64(e)/(1<<20))
}

func isTooLarge(err error) bool {
	var e sizeError
	return errors.As(err, &e)
}

// cacheSize is how much each reader keeps of what it read last: the bases of
// deltas to come.
const cacheSize = 64 << 20

// A reader reads objects, one at a time.
type reader struct {
	store   *store
	cache   cache.Object
	packs   []*openedPack // nil until needed
	inflate io.ReadCloser // of loose objects; nil until needed
	loose   *bufio.Reader // reads from inflate
	data    bytes.Buffer
	entries []entry
}

// An openedPack has positions of its own in the file that all readers share.
type openedPack struct {
	*packfile.Packfile
	headers *packfile.Scanner  // apart from Packfile's: they would disturb each other
	sound   map[int64]struct{} // offsets whose chain of bases is known to end
}

func newReader(s *store) *reader {
	return &reader{store: s, cache: cache.NewObjectLRU(cacheSize), packs: make([]*openedPack, len(s.packs))}
}

// read returns the object id. The data is valid until the next read. The error
// is errMissing if there is no such object, a sizeError if it is larger than
// limit (and limit is not 0), else it says what is damaged. If there are
// several copies of the object, one that can be read is enough.
func (r *reader) read(id plumbing.Hash, limit int64) (typ plumbing.ObjectType, data []byte, err error) {
	var damage []error
	for i, p := range r.store.packs {
		offset, err := p.idx.FindOffset(id)
		if err != nil {
			continue
		}
		if typ, err = r.readPacked(i, offset, id, limit); err == nil || isTooLarge(err) {
			return typ, r.data.Bytes(), err
		}
		damage = append(damage, fmt.Errorf("%s at offset %d: %w", p.name, offset, err))
	}
	for _, dir := range r.store.dirs {
		typ, err = r.readLoose(dir, id, limit)
		switch {
		case err == nil || isTooLarge(err):
			return typ, r.data.Bytes(), err
		case !errors.Is(err, fs.ErrNotExist):
			damage = append(damage, err)
		}
	}
	if damage == nil {
		return 0, nil, errMissing
	}
	return 0, nil, fmt.Errorf("object is damaged: %w", errors.Join(damage...))
}

func (r *reader) readPacked(i int, offset int64, id plumbing.Hash, limit int64) (typ plumbing.ObjectType, err error) {
	defer recoverTo(&err)
	p := r.open(i)
	if err := p.checkChain(r.store.packs[i].idx, offset); err != nil {
		return 0, err
	}
	if limit > 0 {
		if size, err := p.size(offset); err != nil {
			return 0, err
		} else if size > limit {
			return 0, sizeError(limit)
		}
	}
	obj, err := p.GetByOffset(offset)
	if err != nil {
		return 0, err
	}
	// Free of cost: go-git has computed it, as the key in its cache. It finds
	// bases that were damaged too.
	if obj.Hash() != id {
		return 0, fmt.Errorf("content has the id %s", obj.Hash())
	}
	return obj.Type(), r.fill(obj)
}

// fill copies obj, which stays in the cache, so that whoever gets the data may
// do with it what they want.
func (r *reader) fill(obj plumbing.EncodedObject) error {
	content, err := obj.Reader()
	if err != nil {
		return err
	}
	defer content.Close()
	r.data.Reset()
	_, err = io.Copy(&r.data, content)
	return err
}

func (r *reader) open(i int) *openedPack {
	if r.packs[i] == nil {
		p := r.store.packs[i]
		// Without a file system go-git returns objects in memory; with one it
		// would open the pack anew for each that is larger than 16 KiB.
		r.packs[i] = &openedPack{
			packfile.NewPackfileWithCache(p.idx, nil, newPackView(p), r.cache, 0),
			packfile.NewScanner(newPackView(p)),
			map[int64]struct{}{},
		}
	}
	return r.packs[i]
}

// maxChain is the longest chain of deltas that git makes (git-pack-objects(1),
// --depth).
const maxChain = 4095

// checkChain returns an error unless the bases of the object at offset lead to
// one that is no delta. go-git follows them by recursion, and would not come back
// from deltas that refer to each other in a circle.
func (p *openedPack) checkChain(idx idxfile.Index, offset int64) error {
	var chain []int64
	for {
		if _, ok := p.sound[offset]; ok {
			break
		}
		if len(chain) > maxChain {
			return fmt.Errorf("a chain of more than %d deltas, or a circle", maxChain)
		}
		chain = append(chain, offset)
		h, err := p.headers.SeekObjectHeader(offset)
		if err != nil {
			return err
		}
		switch h.Type {
		case plumbing.OFSDeltaObject:
			offset = h.OffsetReference
			continue
		case plumbing.REFDeltaObject:
			if base, err := idx.FindOffset(h.Reference); err == nil {
				offset = base
				continue
			} // else it is in another pack, which is for go-git to find
		}
		break
	}
	for _, offset := range chain {
		p.sound[offset] = struct{}{}
	}
	return nil
}

// size returns the size of the object at offset and inflates no more than the
// first bytes of a delta, which begins with the sizes of base and result (git's
// Documentation/gitformat-pack, "Deltified representation").
func (p *openedPack) size(offset int64) (int64, error) {
	h, err := p.headers.SeekObjectHeader(offset)
	if err != nil {
		return 0, err
	}
	if h.Type != plumbing.OFSDeltaObject && h.Type != plumbing.REFDeltaObject {
		return h.Length, nil
	}
	delta, err := p.headers.ReadObject()
	if err != nil {
		return 0, err
	}
	defer delta.Close()
	head := make([]byte, 20) // two numbers of at most 10 bytes
	n, err := io.ReadFull(delta, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, err
	}
	_, head = varint(head[:n])
	size, _ := varint(head)
	return max(size, h.Length), nil // git makes no delta that is larger than its result
}

// varint reads a number of 7 bits a byte, the lowest first.
func varint(b []byte) (n int64, rest []byte) {
	for i, c := range b {
		n |= int64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return n, b[i+1:]
		}
	}
	return n, nil
}

func (r *reader) readLoose(dir string, id plumbing.Hash, limit int64) (plumbing.ObjectType, error) {
	hex := id.String()
	f, stored, err := openRegular(filepath.Join(dir, hex[:2], hex[2:]))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	typ, size, err := r.looseHeader(io.LimitReader(f, stored))
	if err != nil {
		return 0, err
	}
	if limit > 0 && size > limit {
		return 0, sizeError(limit)
	}
	r.data.Reset()
	// One byte more than said, to see that there is none.
	if n, err := io.Copy(&r.data, io.LimitReader(r.loose, size+1)); err != nil {
		return 0, err
	} else if n != size {
		return 0, errMalformed
	}
	if sum := plumbing.ComputeHash(typ, r.data.Bytes()); sum != id {
		return 0, fmt.Errorf("content has the id %s", sum)
	}
	return typ, nil
}

// looseHeader reads "<type> SP <size> NUL", with which a loose object begins,
// and leaves the rest to r.loose. go-git's objfile is not used: it reads on
// until there is a NUL, through gigabytes that few bytes inflate to.
func (r *reader) looseHeader(src io.Reader) (typ plumbing.ObjectType, size int64, err error) {
	if r.inflate == nil {
		r.inflate, err = zlib.NewReader(src)
		r.loose = bufio.NewReader(r.inflate)
	} else {
		err = r.inflate.(zlib.Resetter).Reset(src, nil)
		r.loose.Reset(r.inflate)
	}
	if err != nil {
		return 0, 0, err
	}
	head, err := r.loose.ReadSlice(0) // of no more than the buffer
	if err != nil {
		return 0, 0, fmt.Errorf("%w header: %w", errMalformed, err)
	}
	name, number, _ := strings.Cut(string(head[:len(head)-1]), " ")
	if typ, err = plumbing.ParseObjectType(name); err != nil {
		return 0, 0, err
	}
	size, err = strconv.ParseInt(number, 10, 64)
	return typ, size, err
}

// A packView is a pack as go-git wants it, with a position of its own. What
// would write is not there: it would panic on the nil File.
type packView struct {
	billy.File
	*io.SectionReader
	name string
}

func newPackView(p *pack) *packView {
	return &packView{SectionReader: io.NewSectionReader(p.file, 0, p.size), name: p.name}
}

func (v *packView) Name() string                            { return v.name }
func (v *packView) Read(b []byte) (int, error)              { return v.SectionReader.Read(b) }
func (v *packView) ReadAt(b []byte, off int64) (int, error) { return v.SectionReader.ReadAt(b, off) }
func (v *packView) Seek(off int64, whence int) (int64, error) {
	return v.SectionReader.Seek(off, whence)
}
func (v *packView) Close() error { return nil }
