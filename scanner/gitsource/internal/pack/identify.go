package pack

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
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
	// The first four bytes of an id and the entry: a sort of numbers, with few left to compare.
	keys := make([]uint64, 0, len(s.known))
	for i, known := range s.known {
		if known {
			keys = append(keys, uint64(binary.BigEndian.Uint32(s.of(int32(i))))<<32|uint64(i))
		}
	}
	slices.Sort(keys)
	entries := make([]uint32, len(keys))
	for from := 0; from < len(keys); {
		to := from
		for ; to < len(keys) && keys[to]>>32 == keys[from]>>32; to++ {
			entries[to] = uint32(keys[to])
		}
		slices.SortStableFunc(entries[from:to], func(a, b uint32) int { return bytes.Compare(s.of(int32(a)), s.of(int32(b))) })
		from = to
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

// identify computes the ids of the objects of a pack without an index, whose entries are at
// offsets. order has the entries in the order of their ids, without those that cannot be put
// together. If two entries have an id, only the first is there.
func (p *Pack) identify(offsets []int64) (found *ids, order []uint32, err error) {
	found = newIDs(p.hash, len(offsets))
	// A round for each link of a chain of deltas by id. git makes chains of 50, and
	// none by id in packs that it finishes.
	const rounds = 64
	for pending, round := len(offsets), 0; round < rounds; round++ {
		// Deltas by id can be read when the id of their base is known.
		p.replant(p.plantAt(offsets, found.finder()))
		if err := p.hashAll(found); err != nil {
			return nil, nil, err
		}
		order = slices.CompactFunc(found.sorted(), func(a, b uint32) bool { return bytes.Equal(found.of(int32(a)), found.of(int32(b))) })
		left := len(offsets) - len(order)
		if left == 0 || left == pending {
			break
		}
		pending = left
	}
	return found, order, nil
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
	x := &Index{hash: found.size, n: len(order), stride: found.size, offEvery: 4}
	for i, entry := range order {
		x.ids = append(x.ids, found.of(int32(entry))...)
		// All offsets are written as large ones: that is simple, and rarely needed.
		x.offsets = binary.BigEndian.AppendUint32(x.offsets, 1<<31|uint32(i))
		x.large = binary.BigEndian.AppendUint64(x.large, uint64(offsets[entry]))
	}
	return x
}
