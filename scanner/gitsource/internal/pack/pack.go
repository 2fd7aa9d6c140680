// Package pack reads the objects of git packs, straight from the file and each
// exactly once.
//
// A pack is mapped into memory. From its index and the headers of its entries a
// forest is made: the objects that are stored whole are the roots, and each
// delta hangs below its base. Walk goes through the trees of the forest base
// first, several trees at once, so that a base is at hand whenever a delta needs
// it and nothing is inflated twice. An object at the end of a chain need not even
// be put together: its delta says which bytes are new (Node.AppendFresh).
//
// gitformat-pack(5) documents the formats. Everything that a pack or an index says is
// checked before it is used: sizes against the stored bytes, offsets against the file,
// chains for circles.
package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// A Pack is an open pack. Concurrent calls of its methods are allowed.
type Pack struct {
	Name string // of the file, without the extension

	index  *Index
	file   *mapping
	hash   int   // bytes of an id
	end    int64 // of the entries: where the trailer begins
	once   sync.Once
	forest *forest // made when it is needed: trees
	felled error   // why it could not be made

	readers sync.Pool // of *objectReader, for Read: the tables of one take 16 kB
	bases   baseCache // for Read

	unknown *ids   // of objects that have no numbers yet; nil if they have some
	stem    string // of the file of such a pack, with its folder

	budget *atomic.Int64 // bytes that may still be unpacked to find the ids; nil for no limit
}

// Open opens the pack at stem.pack with its index at stem.idx, for objects with ids of hash
// bytes. The files may be unlinked afterwards, as git gc does.
//
// A note says that something is wrong: objects are missing from a pack that was cut off; or
// the index is missing or damaged, and the pack has been read in sequence. A missing index
// alone is no reason for a note. The error is for packs that cannot be read at all.
func Open(stem string, hash int) (p *Pack, note, err error) {
	return open(stem+".pack", stem+".idx", hash, false)
}

// OpenIndexed is Open, but a missing index is an error, as a missing pack is: git
// looks nothing up in such a pack.
func OpenIndexed(stem string, hash int) (p *Pack, note, err error) {
	return open(stem+".pack", stem+".idx", hash, true)
}

// OpenAlone opens a pack that has no index, whatever its name: one that git is about to
// receive. If the pack is not complete yet, the error, or the note, is ErrCutOff.
func OpenAlone(file string, hash int) (p *Pack, note, err error) { return open(file, "", hash, false) }

// OpenBytes is OpenAlone for a pack in memory, which must not change before Close. A stranger
// may have made it to unpack to far more than it should: if its objects have more than budget
// bytes together, that is the error.
func OpenBytes(data []byte, hash int, budget int64) (p *Pack, note, err error) {
	p = &Pack{hash: hash, file: &mapping{data: data}, budget: new(atomic.Int64)}
	p.budget.Store(budget)
	if err := p.checkHeader(); err != nil {
		return nil, nil, err
	}
	note = p.scan()
	if p.budget.Load() < 0 {
		return nil, nil, note
	}
	return p, note, nil
}

func open(file, index string, hash int, indexed bool) (_ *Pack, note, err error) {
	p := &Pack{Name: strings.TrimSuffix(filepath.Base(file), ".pack"), hash: hash}
	if p.file, err = openMapping(file); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = p.Close()
		}
	}()
	defer recoverFault(&err)()
	if err := p.checkHeader(); err != nil {
		return nil, nil, err
	}
	if index != "" {
		err := p.openIndex(index)
		if err == nil {
			return p, p.checkEnd(), nil
		}
		if missing := errors.Is(err, fs.ErrNotExist); missing && indexed {
			return nil, nil, err
		} else if !missing {
			note = fmt.Errorf("its index: %w", err)
		}
	}
	return p, errors.Join(note, p.scan()), nil
}

// Close unmaps the files. No other call may be under way or follow.
func (p *Pack) Close() error {
	var err error
	if p.index != nil {
		err = p.index.close()
	}
	return errors.Join(err, p.file.close())
}

// Len returns the number of objects.
func (p *Pack) Len() int { return p.index.n }

// Count returns how many objects of a type p has, 0 if that cannot be read.
func (p *Pack) Count(t Type) (n int) {
	f, err := p.trees()
	if err != nil { // Walk says so
		return 0
	}
	for _, of := range f.types {
		if of == t {
			n++
		}
	}
	return n
}

// Index returns the index, which numbers the objects by id.
func (p *Pack) Index() *Index { return p.index }

// trees returns the forest.
func (p *Pack) trees() (*forest, error) {
	p.once.Do(func() {
		defer recoverFault(&p.felled)()
		if p.forest == nil {
			p.forest = p.plant()
		}
	})
	return p.forest, p.felled
}

// DropForest gives back the memory that Walk and Count keep: 21 bytes an object. They make it
// anew. No other call may be under way.
func (p *Pack) DropForest() { p.once, p.forest = sync.Once{}, nil }

const headerSize = 12 // "PACK", version, number of objects

func (p *Pack) checkHeader() error {
	data := p.file.data
	if len(data) < headerSize+p.hash && strings.HasPrefix("PACK", string(data[:min(len(data), 4)])) {
		return cutOff{damaged("not a pack")}
	}
	if len(data) < headerSize+p.hash || string(data[:4]) != "PACK" {
		return damaged("not a pack")
	}
	if v := binary.BigEndian.Uint32(data[4:]); v != 2 && v != 3 {
		return damaged("version %d of the format, which git does not write", v)
	}
	p.end = int64(len(data) - p.hash)
	return nil
}

// checkEnd compares the checksum at the end of the pack with the one in the index. If they
// differ, the end of the file is not the end of the pack.
func (p *Pack) checkEnd() error {
	if string(p.file.data[p.end:]) == string(p.index.checksum) {
		return nil
	}
	p.end = int64(len(p.file.data))
	return damaged("the pack was cut off, or is not that of its index")
}

// openIndex opens the index and compares it with the pack.
func (p *Pack) openIndex(name string) error {
	idx, err := OpenIndex(name, p.hash)
	if err != nil {
		return err
	}
	if n := binary.BigEndian.Uint32(p.file.data[8:]); int64(n) != int64(idx.n) {
		return errors.Join(damaged("index of %d objects for a pack of %d", idx.n, n), idx.close())
	}
	p.index = idx
	return nil
}
