package pack

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/prefetch"
)

// A forest has the objects of a pack as its nodes, each below its delta base. The
// objects are numbered by their place in the pack.
type forest struct {
	offsets []int64  // ascending; one more than there are objects: the end
	numbers []uint32 // in the index
	types   []Type   // of deltas too: that of their base
	// child is the first object made from this one, sibling the next that has the
	// same base; none if there is none.
	child, sibling []int32
	roots          []root
	bad            map[int32]error // whose header or base cannot be read
	outside        map[int32]ID    // deltas whose base is not in this pack
}

const none int32 = -1

// entryAt returns the object at the offset, or none.
func (f *forest) entryAt(off int64) int32 { return f.search(off, 0, len(f.offsets)-1) }

func (f *forest) search(off int64, from, to int) int32 {
	i, ok := slices.BinarySearch(f.offsets[from:to], off)
	if !ok {
		return none
	}
	return int32(from + i)
}

// before returns the object at the offset. It searches backwards from i, since bases are
// nearly always close before it.
func (f *forest) before(i int, off int64) int32 {
	step := 1
	for step < i && f.offsets[i-step] > off {
		step *= 2
	}
	return f.search(off, max(i-step, 0), i)
}

// plant makes the forest.
func (p *Pack) plant() *forest {
	f := &forest{}
	f.sortOffsets(p.index, p.end)
	return p.grow(f, func(id []byte) int32 {
		if k := p.index.Find(id); k >= 0 {
			return f.entryAt(p.index.Offset(k))
		}
		return none
	})
}

// plantAt makes the forest of entries at offsets, in the order of the pack, which have no
// numbers in an index yet: each has that of its place. find returns the entry with an id.
func (p *Pack) plantAt(offsets []int64, find func(id []byte) int32) *forest {
	f := &forest{offsets: append(offsets, p.end), numbers: make([]uint32, len(offsets))}
	for i := range f.numbers {
		f.numbers[i] = uint32(i)
	}
	return p.grow(f, find)
}

// grow makes the trees of f from its offsets. find returns the entry with an id, or none.
func (p *Pack) grow(f *forest, find func(id []byte) int32) *forest {
	f.bad, f.outside = map[int32]error{}, map[int32]ID{}
	n := len(f.numbers)
	f.types = make([]Type, n)
	bases := make([]int32, n)
	p.readHeaders(f, bases, find)
	f.inherit(bases)
	f.link(bases)
	return f
}

// sortOffsets puts the objects into the order of the pack, by a radix sort of
// their numbers.
func (f *forest) sortOffsets(x *Index, end int64) {
	const digit = 1 << 11
	numbers, next := make([]uint32, x.n), make([]uint32, x.n)
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	for shift := 0; int64(1)<<shift <= end && shift < 62; shift += 11 {
		var starts [digit]int
		for i := range x.n {
			starts[uint64(x.Offset(i))>>shift%digit]++
		}
		at := 0
		for i, count := range starts {
			starts[i] = at
			at += count
		}
		for _, k := range numbers {
			d := uint64(x.Offset(int(k))) >> shift % digit
			next[starts[d]] = k
			starts[d]++
		}
		numbers, next = next, numbers
	}
	f.numbers = numbers
	f.offsets = make([]int64, x.n+1)
	for i, k := range numbers {
		f.offsets[i] = x.Offset(int(k))
	}
	if !slices.IsSorted(f.offsets[:x.n]) { // offsets outside of the pack
		slices.SortFunc(f.numbers, func(a, b uint32) int { return cmp.Compare(x.Offset(int(a)), x.Offset(int(b))) })
		slices.Sort(f.offsets[:x.n])
	}
	f.offsets[x.n] = max(end, f.offsets[max(x.n-1, 0)])
}

// readHeaders notes for each object its base and the type in its header, which may be a
// delta type.
func (p *Pack) readHeaders(f *forest, bases []int32, find func(id []byte) int32) {
	var mu sync.Mutex // of the maps, for the few that go there
	err := parallel(len(bases), func(from, to int) error {
		for i := from; i < to; i++ {
			prefetch.Line(p.file.data, int(f.offsets[min(i+8, to)]))
			typ, base, outside, err := p.readHeader(f, i, find)
			f.types[i], bases[i] = typ, base
			if err == nil && outside == "" {
				continue
			}
			mu.Lock()
			if err != nil {
				f.bad[int32(i)] = err
			} else {
				f.outside[int32(i)] = outside
			}
			mu.Unlock()
		}
		return nil
	})
	if err == nil {
		return
	}
	for i, t := range f.types { // the file was cut off: objects that were not reached have the type broken
		if t == broken && f.bad[int32(i)] == nil {
			bases[i] = none
			f.bad[int32(i)] = err
		}
	}
}

// readHeader returns the own type of an object, and its base: its number, or its id
// if it is not in this pack.
func (p *Pack) readHeader(f *forest, i int, find func(id []byte) int32) (typ Type, base int32, outside ID, err error) {
	e, err := p.entry(f.offsets[i])
	switch {
	case err != nil:
		return broken, none, "", err
	case e.typ == ofsDelta:
		if base = f.before(i, e.base); base == none {
			return broken, none, "", damaged("delta at offset %d: there is no object at the offset %d of its base", f.offsets[i], e.base)
		}
		return e.typ, base, "", nil
	case e.typ == refDelta:
		if base = find(e.baseID); base != none {
			return e.typ, base, "", nil
		}
		return external, none, ID(e.baseID), nil
	}
	return e.typ, none, "", nil
}

// inherit gives deltas the type of their base. Deltas by id may come before their base, or
// may be their own base.
func (f *forest) inherit(bases []int32) {
	isDelta := func(i int32) bool { return f.types[i] == ofsDelta || f.types[i] == refDelta }
	const visiting = math.MaxUint8
	var chain []int32
	for i := range bases {
		chain = chain[:0]
		at := int32(i)
		for isDelta(at) {
			chain = append(chain, at)
			f.types[at] = visiting
			at = bases[at]
		}
		typ := f.types[at]
		if typ == visiting {
			typ = broken
			for _, k := range chain {
				bases[k] = none
				f.bad[k] = damaged("delta at offset %d: its bases lead to itself", f.offsets[k])
			}
		}
		for _, k := range chain {
			f.types[k] = typ
		}
	}
}

// link makes the lists of children and of roots, in the memory of bases. Children without
// children of their own come first: they need only their base. The child with the heaviest tree
// comes last: a walk can let go of the base before it goes down there, and so never holds more
// than log(n) bases at once.
func (f *forest) link(bases []int32) {
	n := len(bases)
	weights, heaviest := make([]uint32, n), make([]int32, n)
	for i := range heaviest {
		heaviest[i] = none
	}
	for i := n - 1; i >= 0; i-- {
		w := uint64(weights[i]) + uint64(f.offsets[i+1]-f.offsets[i])/16 + 1
		weights[i] = uint32(min(w, math.MaxUint32))
		b := bases[i]
		if b == none {
			f.roots = append(f.roots, root{int32(i), weights[i]})
			continue
		}
		weights[b] = uint32(min(uint64(weights[b])+uint64(weights[i]), math.MaxUint32))
		if h := heaviest[b]; h == none || weights[i] > weights[h] {
			heaviest[b] = int32(i)
		}
	}
	slices.Reverse(f.roots)
	f.sibling, f.child = bases, slices.Clone(heaviest)
	for _, leaves := range []bool{false, true} { // each goes before those that are there
		for i := n - 1; i >= 0; i-- {
			if (heaviest[i] == none) != leaves {
				continue // this is its only turn: where its base was, its sibling is from then on
			}
			b := bases[i]
			switch {
			case b == none:
			case heaviest[b] == int32(i):
				f.sibling[i] = none
			default:
				f.sibling[i] = f.child[b]
				f.child[b] = int32(i)
			}
		}
	}
}
