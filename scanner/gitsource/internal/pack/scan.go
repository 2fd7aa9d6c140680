package pack

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// scan makes the index of a pack that has none: it inflates the entries one after the other,
// since only the end of one tells where the next begins, and then computes the ids. Objects
// after an entry that cannot be inflated are lost; the error says where that was, and the pack
// is usable as far as it goes.
func (p *Pack) scan() error {
	offsets, lost := p.scanOffsets()
	ids := map[ID]int64{}
	// A round for each link of a chain of deltas by id. git makes chains of 50, and
	// none by id in packs that it finishes.
	const rounds = 64
	for pending, round := len(offsets), 0; round < rounds; round++ {
		// Deltas by id can be read when the id of their base is known.
		p.index = newIndex(p.hash, withUnknown(p.hash, offsets, ids))
		p.DropForest()
		if err := p.identify(ids); err != nil {
			return errors.Join(lost, err)
		}
		left := len(offsets) - len(ids)
		if left == 0 || left == pending {
			break
		}
		pending = left
	}
	if left := len(offsets) - len(ids); left > 0 && (lost == nil || errors.Is(lost, ErrCutOff)) {
		lost = damaged("%d of %d objects have no base, or are deltas of more than %d MiB", left, len(offsets), held>>20)
	}
	p.index = newIndex(p.hash, ids)
	p.DropForest()
	return lost
}

// scanOffsets returns where the entries begin.
func (p *Pack) scanOffsets() (offsets []int64, err error) {
	defer recoverFault(&err)()
	var d inflate.Decoder
	var room []byte
	n := int(uint32(p.file.data[8])<<24 | uint32(p.file.data[9])<<16 | uint32(p.file.data[10])<<8 | uint32(p.file.data[11]))
	at := int64(headerSize)
	for i := range n {
		e, err := p.entry(at)
		if err != nil && p.end < int64(len(p.file.data)) { // a pack that was cut off has no trailer
			p.end = int64(len(p.file.data))
			e, err = p.entry(at)
		}
		size := 0
		switch {
		case err != nil:
		case e.size > held:
			size, err = p.skip(e)
		default:
			if int64(cap(room)) < e.size {
				room = make([]byte, e.size)
			}
			size, err = p.inflate(&d, room[:e.size], e)
		}
		if err != nil {
			if err = fmt.Errorf("object %d of %d and all after it: %w", i+1, n, err); p.endsIn(at) {
				err = cutOff{err}
			}
			return offsets, err
		}
		offsets = append(offsets, at)
		at = e.stream + int64(size)
	}
	switch end := int64(len(p.file.data) - p.hash); {
	case at > end:
		return offsets, cutOff{damaged("the pack was cut off after object %d of %d", n, n)}
	case at < end:
		return offsets, damaged("%d bytes after the last of %d objects", end-at, n)
	}
	return offsets, nil
}

// endsIn reports whether the file ends in the entry at the offset, as far as that can
// be read, or before it.
func (p *Pack) endsIn(at int64) bool {
	data := p.file.data[at:]
	size := slices.IndexFunc(data, func(c byte) bool { return c < 0x80 }) + 1
	if size == 0 {
		return len(data) < binary.MaxVarintLen64
	}
	switch typ := Type(data[0] >> 4 & 7); typ {
	case Commit, Tree, Blob, Tag:
	case ofsDelta:
		base := slices.IndexFunc(data[size:], func(c byte) bool { return c < 0x80 }) + 1
		if base == 0 {
			return len(data)-size < binary.MaxVarintLen64
		}
		size += base
	case refDelta:
		size += p.hash
	default:
		return false
	}
	if size >= len(data) {
		return true
	}
	stream, err := zlib.NewReader(bytes.NewReader(data[size:]))
	if err == nil {
		_, err = io.Copy(io.Discard, stream)
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// held is how large an object is that scan holds in memory.
const held = 64 << 20

// skip is inflate for an object that is too large to be held.
func (p *Pack) skip(e entry) (size int, err error) {
	rest := bytes.NewReader(p.file.data[e.stream:])
	stream, err := zlib.NewReader(rest)
	if err == nil {
		var n int64
		if n, err = io.Copy(io.Discard, io.LimitReader(stream, e.size+1)); err == nil && n != e.size {
			err = errors.New("not of its size")
		}
	}
	if err != nil {
		return 0, damaged("stream at offset %d: %v", e.stream, err)
	}
	return int(rest.Size()) - rest.Len(), nil
}

// withUnknown returns ids, with a made-up one for each offset that has none.
func withUnknown(hash int, offsets []int64, ids map[ID]int64) map[ID]int64 {
	all := make(map[ID]int64, len(offsets))
	known := make(map[int64]bool, len(ids))
	for id, off := range ids {
		all[id] = off
		known[off] = true
	}
	for i, off := range offsets {
		if !known[off] {
			all[ID(fmt.Sprintf("%0*d", hash, i))] = off // printable, unlike any hash but by a miracle
		}
	}
	return all
}

// identify adds the ids of all objects that can be put together.
func (p *Pack) identify(ids map[ID]int64) error {
	var mu sync.Mutex
	add := func(id ID, off int64) {
		mu.Lock()
		defer mu.Unlock()
		ids[id] = off
	}
	return p.Walk(context.Background(), Walk{
		Types:   []Type{Commit, Tree, Blob, Tag},
		Limit:   held,
		Stream:  held,
		Base:    func(ID) (Type, []byte, error) { return broken, nil, errors.New("not in this pack") },
		Visitor: func() Visitor { return &identifier{p, newHash(p.hash), add} },
	})
}

type identifier struct {
	p    *Pack
	hash hash.Hash
	add  func(ID, int64)
}

func (v *identifier) Visit(n *Node) error {
	if b := v.p.budget; b != nil && b.Add(-n.Size) < 0 {
		return damaged("its objects are larger than is read")
	}
	data, err := n.Data()
	if err != nil {
		return v.stream(n)
	}
	v.add(sum(v.hash, n.Type, data), v.p.forest.offsets[n.entry])
	return nil
}

// stream computes the id of an object that is too large to be held.
func (v *identifier) stream(n *Node) error {
	r, err := n.Open()
	if err != nil {
		return nil //nolint:nilerr // it stays without an id, and is counted
	}
	begin(v.hash, n.Type, n.Size)
	if _, err := io.Copy(v.hash, r); err == nil {
		v.add(ID(v.hash.Sum(nil)), v.p.forest.offsets[n.entry])
	}
	return nil
}

func (v *identifier) Bad(int, error) error { return nil }
func (v *identifier) Done(any)             {}

func newHash(size int) hash.Hash {
	if size == sha256.Size {
		return sha256.New()
	}
	return sha1.New()
}

// sum computes the id of an object.
func sum(h hash.Hash, t Type, data []byte) ID {
	begin(h, t, int64(len(data)))
	h.Write(data)
	return ID(h.Sum(nil))
}

// begin hashes the header that comes before the content of an object.
func begin(h hash.Hash, t Type, size int64) {
	h.Reset()
	h.Write(fmt.Appendf(nil, "%s %d\x00", t, size))
}

// Sum computes the id of an object, of hash bytes.
func Sum(hash int, t Type, data []byte) ID { return sum(newHash(hash), t, data) }
