package pack

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// maxChain is the longest chain of deltas that git makes (git-pack-objects(1),
// --depth).
const maxChain = 4095

// Read returns object i of the index, on its own: it reads the bases of this object only,
// and makes no forest, which would take too long for callers that want a few objects.
// Objects of more than limit bytes are a TooLargeError. base returns the object with an id
// that is not in the pack.
func (p *Pack) Read(i int, limit int64, base func(ID) (Type, []byte, error)) (typ Type, data []byte, err error) {
	defer recoverFault(&err)()
	var chain []entry // the object first
	for off := p.index.Offset(i); ; {
		e, err := p.entry(off)
		if err != nil {
			return broken, nil, err
		}
		if len(chain) > maxChain {
			return broken, nil, damaged("a chain of more than %d deltas, or its bases lead to itself", maxChain)
		}
		chain = append(chain, e)
		if e.typ == ofsDelta {
			off = e.base
			continue
		}
		if e.typ == refDelta {
			if k := p.index.Find(e.baseID); k >= 0 {
				off = p.index.Offset(k)
				continue
			}
			if typ, data, err = base(ID(e.baseID)); err != nil {
				return broken, nil, fmt.Errorf("base %s: %w", ID(e.baseID), err)
			}
		}
		break
	}
	d, ok := p.decoders.Get().(*inflate.Decoder)
	if !ok {
		d = &inflate.Decoder{}
	}
	defer p.decoders.Put(d)
	for k := len(chain) - 1; k >= 0; k-- {
		if typ, data, err = p.step(d, typ, data, chain[k], limit); err != nil {
			return broken, nil, err
		}
	}
	return typ, data, nil
}

// step makes the object of e, on base if it is a delta.
func (p *Pack) step(d *inflate.Decoder, typ Type, base []byte, e entry, limit int64) (Type, []byte, error) {
	if !e.fits(limit) {
		return broken, nil, &TooLargeError{e.size, limit}
	}
	data := make([]byte, e.size)
	if _, err := p.inflate(d, data, e); err != nil {
		return broken, nil, err
	}
	if e.typ != ofsDelta && e.typ != refDelta {
		return e.typ, data, nil
	}
	var ops delta
	if err := ops.parse(data, len(base)); err != nil {
		return broken, nil, err
	}
	if ops.size > limit {
		return broken, nil, &TooLargeError{ops.size, limit}
	}
	made := make([]byte, ops.size)
	ops.apply(made, base)
	return typ, made, nil
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
