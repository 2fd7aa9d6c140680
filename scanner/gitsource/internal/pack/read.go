package pack

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"slices"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// maxChain is the longest chain of deltas that git makes (git-pack-objects(1),
// --depth).
const maxChain = 4095

// Read returns object i of the index, on its own: it reads the bases of this object only,
// and makes no forest, which would take too long for callers that want a few objects.
// Objects of more than limit bytes are a TooLargeError. external returns the object with an id
// that is not in the pack. The caller must not change data, which may be the base of others.
func (p *Pack) Read(i int, limit int64, external func(ID) (Type, []byte, error)) (typ Type, data []byte, err error) {
	defer recoverFault(&err)()
	var chain []link // the object first
	var made base    // what the last link of chain is a delta on
	for off := p.index.Offset(i); ; {
		if held, ok := p.bases.get(off); ok && int64(len(held.data)) <= limit {
			made = held
			break
		}
		e, err := p.entry(off)
		if err != nil {
			return broken, nil, err
		}
		if len(chain) > maxChain {
			return broken, nil, damaged("a chain of more than %d deltas, or its bases lead to itself", maxChain)
		}
		chain = append(chain, link{e, off})
		if e.typ == ofsDelta {
			off = e.base
			continue
		}
		if e.typ == refDelta {
			if k := p.index.Find(e.baseID); k >= 0 {
				off = p.index.Offset(k)
				continue
			}
			if made.typ, made.data, err = external(ID(e.baseID)); err != nil {
				return broken, nil, fmt.Errorf("base %s: %w", ID(e.baseID), err)
			}
		}
		break
	}
	made, err = p.makeAll(chain, made, limit)
	return made.typ, made.data, err
}

// A link is an entry of a chain of deltas, and its offset.
type link struct {
	entry
	offset int64
}

// makeAll makes the objects of a chain, the last of which is a delta on made, or is none. It
// returns the first, and holds the others: the next object to be read may be a delta on them.
func (p *Pack) makeAll(chain []link, made base, limit int64) (_ base, err error) {
	r, ok := p.readers.Get().(*objectReader)
	if !ok {
		r = &objectReader{}
	}
	defer p.readers.Put(r)
	for k, l := range slices.Backward(chain) {
		if made, err = r.step(p, made, l.entry, limit); err != nil {
			return base{}, err
		}
		if k > 0 {
			p.bases.put(l.offset, made)
		}
	}
	return made, nil
}

// An objectReader has the memory that reading an object takes.
type objectReader struct {
	decoder inflate.Decoder
	ops     delta
	text    []byte // of ops
}

// step makes the object of e, on base if it is a delta.
func (r *objectReader) step(p *Pack, on base, e entry, limit int64) (base, error) {
	if !e.fits(limit) {
		return base{}, &TooLargeError{e.size, limit}
	}
	if e.typ != ofsDelta && e.typ != refDelta {
		data := make([]byte, e.size)
		_, err := p.inflate(&r.decoder, data, e)
		return base{e.typ, data}, err
	}
	r.text = slices.Grow(r.text[:0], int(e.size))[:e.size]
	if _, err := p.inflate(&r.decoder, r.text, e); err != nil {
		return base{}, err
	}
	if err := r.ops.parse(r.text, len(on.data)); err != nil {
		return base{}, err
	}
	if r.ops.size > limit {
		return base{}, &TooLargeError{r.ops.size, limit}
	}
	made := make([]byte, r.ops.size)
	r.ops.apply(made, on.data)
	return base{on.typ, made}, nil
}

// Open returns a reader of an object that is stored whole, for objects that are too large
// for Data. It is valid until Visit returns. If the file was cut off meanwhile, a read
// beyond its end is a fault, which ends the visit.
func (n *Node) Open() (io.Reader, error) {
	if n.base != nil {
		return nil, &TooLargeError{n.Size, n.w.limit}
	}
	return zlib.NewReader(bytes.NewReader(n.w.p.file.data[n.head.stream:]))
}
