package pack

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"math"
	"slices"
	"strconv"
	"sync"
)

// ids are the ids of the objects of a pack, in the order of their entries. Concurrent calls of
// set are allowed, one for each entry.
type ids struct {
	size  int    // bytes of an id
	bytes []byte // of all ids
	known []bool
}

func newIDs(size, n int) *ids {
	return &ids{size: size, bytes: make([]byte, n*size), known: make([]bool, n)}
}

func (s *ids) of(entry int32) []byte { return s.bytes[int(entry)*s.size:][:s.size:s.size] }

func (s *ids) set(entry int32, h hash.Hash) {
	h.Sum(s.of(entry)[:0])
	s.known[entry] = true
}

// sorted returns the entries whose ids are known, in the order of the ids.
func (s *ids) sorted() []uint32 {
	type key struct {
		start uint64 // of the id: nearly always enough to compare
		entry uint32
	}
	keys := make([]key, 0, len(s.known))
	for i, known := range s.known {
		if known {
			keys = append(keys, key{binary.BigEndian.Uint64(s.of(int32(i))), uint32(i)})
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.start, b.start), bytes.Compare(s.of(int32(a.entry)), s.of(int32(b.entry))), cmp.Compare(a.entry, b.entry))
	})
	entries := make([]uint32, len(keys))
	for i, k := range keys {
		entries[i] = k.entry
	}
	return entries
}

// finder returns a function that finds an entry by its id. Only packs with deltas by id need it.
func (s *ids) finder() func([]byte) int32 {
	byID := sync.OnceValue(func() map[string]int32 {
		m := map[string]int32{}
		for i, known := range s.known {
			if known {
				m[string(s.of(int32(i)))] = int32(i)
			}
		}
		return m
	})
	return func(id []byte) int32 {
		if entry, ok := byID()[string(id)]; ok {
			return entry
		}
		return none
	}
}

// identify makes the index of a pack whose entries are at offsets. It returns how many objects
// cannot be put together, and are not in the index.
func (p *Pack) identify(offsets []int64) (left int, err error) {
	found := newIDs(p.hash, len(offsets))
	var order []uint32
	// A round for each link of a chain of deltas by id. git makes chains of 50, and
	// none by id in packs that it finishes.
	const rounds = 64
	for pending, round := len(offsets), 0; round < rounds; round++ {
		// Deltas by id can be read when the id of their base is known.
		p.replant(p.plantAt(offsets, found.finder()))
		if err := p.hashAll(found); err != nil {
			p.index = &Index{hash: p.hash}
			return 0, err
		}
		// An id that two entries have is that of the first.
		order = slices.CompactFunc(found.sorted(), func(a, b uint32) bool { return bytes.Equal(found.of(int32(a)), found.of(int32(b))) })
		if left = len(offsets) - len(order); left == 0 || left == pending {
			break
		}
		pending = left
	}
	p.setIndex(found, order, offsets)
	return left, nil
}

// setIndex makes the index of the entries in order, which are at offsets.
func (p *Pack) setIndex(found *ids, order []uint32, offsets []int64) {
	p.index = newIndex(found, order, offsets)
	if len(order) < len(offsets) {
		p.replant(nil) // without the others
		return
	}
	for number, entry := range order {
		p.forest.numbers[entry] = uint32(number)
	}
}

// replant replaces the forest, by one that is made when it is needed if f is nil.
func (p *Pack) replant(f *forest) { p.once, p.forest = sync.Once{}, f }

// hashAll computes the ids of all objects that can be put together.
func (p *Pack) hashAll(found *ids) error {
	return p.Walk(context.Background(), Walk{
		Types:   []Type{Commit, Tree, Blob, Tag},
		Limit:   held,
		Stream:  held,
		Base:    func(ID) (Type, []byte, error) { return broken, nil, errors.New("not in this pack") },
		Visitor: func() Visitor { return &identifier{p: p, hash: newHash(p.hash), ids: found} },
	})
}

// An identifier computes ids.
type identifier struct {
	p    *Pack
	hash hash.Hash
	ids  *ids
}

// Visit implements Visitor.
func (v *identifier) Visit(n *Node) error {
	if b := v.p.budget; b != nil && b.Add(-n.Size) < 0 {
		return damaged("its objects are larger than is read")
	}
	begin(v.hash, n.Type, n.Size)
	data, err := n.Data()
	if err == nil {
		v.hash.Write(data)
	} else if !v.stream(n) {
		return nil // it stays without an id, and is counted
	}
	v.ids.set(n.entry, v.hash)
	return nil
}

// stream hashes an object that is too large to be held. It reports whether it could.
func (v *identifier) stream(n *Node) bool {
	r, err := n.Open()
	if err == nil {
		_, err = io.Copy(v.hash, r)
	}
	return err == nil
}

// Bad implements Visitor.
func (v *identifier) Bad(int, error) error { return nil }

// Done implements Visitor.
func (v *identifier) Done(any) {}

func newHash(size int) hash.Hash {
	if size == sha256.Size {
		return sha256.New()
	}
	return sha1.New()
}

// begin hashes the header that comes before the content of an object.
func begin(h hash.Hash, t Type, size int64) {
	var room [32]byte
	h.Reset()
	text := append(append(room[:0], t.String()...), ' ')
	h.Write(append(strconv.AppendInt(text, size, 10), 0))
}

// Sum computes the id of an object, of hash bytes.
func Sum(hash int, t Type, data []byte) ID {
	h := newHash(hash)
	begin(h, t, int64(len(data)))
	h.Write(data)
	return ID(h.Sum(nil))
}

// newIndex makes the index of the entries in order, which are at offsets.
func newIndex(found *ids, order []uint32, offsets []int64) *Index {
	x := &Index{
		hash: found.size, n: len(order), stride: found.size, offEvery: 4,
		ids: make([]byte, 0, len(order)*found.size), offsets: make([]byte, 0, len(order)*4),
	}
	for _, entry := range order {
		x.ids = append(x.ids, found.of(int32(entry))...)
		off := offsets[entry]
		if off <= math.MaxInt32 {
			x.offsets = binary.BigEndian.AppendUint32(x.offsets, uint32(off))
			continue
		}
		x.offsets = binary.BigEndian.AppendUint32(x.offsets, 1<<31|uint32(len(x.large)/8))
		x.large = binary.BigEndian.AppendUint64(x.large, uint64(off))
	}
	return x
}
