// Package graph holds the links between the objects of a store: commit to tree and
// parents, tag to target, tree to entries. Package objectwalk fills a graph while it reads
// the objects; package history asks it which paths and commits lead to a hit.
package graph

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"
	"sync"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A Graph holds the links of all commits, tags and trees of a store, whether a ref leads there
// or not. It has the directories among the entries of trees, and only those files that are
// marked.
//
// It is made while the objects are read, so that no object is read twice. So all blobs that
// may hold a match are marked, before detection says which ones do.
type Graph struct {
	Store   *objects.Store
	Commits []Commit
	Tags    []Tag

	Marks Bitset

	mu       sync.Mutex
	chunks   [][]uint32 // see record
	shapes   [][]uint32 // see record
	names    []string
	numbers  map[string]uint32 // of names
	Missing  []pack.ID         // numbered after the objects of the store
	Absent   map[pack.ID]int32 // numbers of missing
	Skipped  int               // missing in a partial clone, of which only the count is kept
	RecordAt []uint32          // of each tree: one more than the index of its record
}

// A Commit is a commit with its links, as numbers of objects.
type Commit struct {
	Node, Tree int32
	Parents    []int32
	When       int64 // of the committer, Unix seconds
}

// A Tag is an annotated tag, and the object that it points to.
type Tag struct{ Node, Target int32 }

// NewGraph makes an empty graph for the objects of a store.
func NewGraph(s *objects.Store) *Graph {
	return &Graph{
		Store: s, Marks: NewBitset(s.Len()), RecordAt: make([]uint32, s.Len()),
		numbers: map[string]uint32{}, Absent: map[pack.ID]int32{},
	}
}

// Mark marks an object. Concurrent calls are allowed.
func (g *Graph) Mark(node int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Marks.Set(node)
}

// maxMissing is how many missing objects are numbered; more are only counted.
const maxMissing = 10_000

// AddMissing returns the number of an object that is not in the store.
func (g *Graph) AddMissing(id pack.ID) int32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, ok := g.Absent[id]
	if ok {
		return n
	}
	n = objects.None
	if objects.IsEmptyTree(id) { // nothing is lost: see store.readBut
		return n
	}
	if g.Store.Partial || len(g.Missing) >= maxMissing {
		g.Skipped++
	} else {
		n = int32(g.Store.Len() + len(g.Missing))
		g.Missing = append(g.Missing, id)
	}
	g.Absent[id] = n
	return n
}

// IsTree reports whether n is a tree that was read.
func (g *Graph) IsTree(n int32) bool { return n >= 0 && int(n) < len(g.RecordAt) && g.RecordAt[n] != 0 }

// IsMissing reports whether n is the number of an object that is not here.
func (g *Graph) IsMissing(n int32) bool { return int(n) >= g.Store.Len() }

// ObjectID returns the id of an object, of a missing one too, "" for none.
func (g *Graph) ObjectID(n int32) pack.ID {
	switch {
	case n == objects.None:
		return ""
	case g.IsMissing(n):
		return g.Missing[int(n)-g.Store.Len()]
	}
	return g.Store.ID(n)
}

// Records of trees are appended to chunks, so no record is ever copied to make room. A
// record is the number of the tree, plus one, the number of a shape, then the numbers of the
// objects. A shape is the list of names of the edges. The names in a directory stay the same
// through most of its versions, so they are kept once. Zeros are behind the last record.
const (
	chunkBits = 16
	chunkSize = 1 << chunkBits
)

// An Edge is an entry of a tree.
type Edge struct {
	Node int32
	name uint32
}

// record returns the numbers of the objects that a tree refers to and the numbers of their
// names; none if the tree was not read.
func (g *Graph) record(tree int32) (nodes, names []uint32) {
	if !g.IsTree(tree) {
		return nil, nil
	}
	at := g.RecordAt[tree] - 1
	record := g.chunks[at>>chunkBits][at&(chunkSize-1):]
	names = g.shapes[record[1]]
	return record[2 : 2+len(names)], names
}

// Edges calls yield for each edge of a tree.
func (g *Graph) Edges(tree int32, yield func(Edge)) {
	nodes, names := g.record(tree)
	for i, n := range nodes {
		yield(Edge{int32(n), names[i]})
	}
}

// Name returns the name of an edge. The name of a directory ends with "/".
func (g *Graph) Name(e Edge) string { return g.names[e.name] }

// LeadingTo returns hits and the trees that lead to them. It goes through all trees again and
// again, until none is added: about once for each folder of a path. To turn the edges round takes
// the memory of all edges, and to follow them down takes far longer, since each step waits for
// memory.
func (g *Graph) LeadingTo(hits []int32) Bitset {
	n := g.Store.Len() + len(g.Missing)
	leads := NewBitset(n)
	for _, hit := range hits {
		leads.Set(hit)
	}
	const passes = 32 // a history that needs more was made to slow down scans
	for range passes {
		if len(hits) == 0 || !g.addParents(leads) {
			return leads
		}
	}
	parents, ends := g.parents(n)
	stack := slices.Collect(leads.All())
	for len(stack) > 0 {
		node := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		from := uint32(0)
		if node > 0 {
			from = ends[node-1]
		}
		for _, p := range parents[from:ends[node]] {
			if !leads.Has(int32(p)) {
				leads.Set(int32(p))
				stack = append(stack, int32(p))
			}
		}
	}
	return leads
}

// addParents adds to leads the trees that hold one of its objects, and reports whether there are
// any.
func (g *Graph) addParents(leads Bitset) (more bool) {
	g.eachRecord(func(tree uint32, nodes []uint32) {
		if leads.Has(int32(tree)) {
			return
		}
		for _, node := range nodes {
			if leads.Has(int32(node)) {
				leads.Set(int32(tree))
				more = true
				return
			}
		}
	})
	return more
}

// parents returns the trees that hold each of the objects below n, one list behind the other,
// and where each list ends.
func (g *Graph) parents(n int) (parents, ends []uint32) {
	starts := make([]uint32, n+1)
	g.eachRecord(func(_ uint32, nodes []uint32) {
		for _, node := range nodes {
			starts[node+1]++
		}
	})
	for i := range n {
		starts[i+1] += starts[i]
	}
	parents = make([]uint32, starts[n])
	g.eachRecord(func(tree uint32, nodes []uint32) {
		for _, node := range nodes {
			parents[starts[node]] = tree
			starts[node]++
		}
	})
	return parents, starts[:n] // by now, each start has come to the end
}

// eachRecord calls yield for each tree, with the objects that it refers to, in the order of
// the memory.
func (g *Graph) eachRecord(yield func(tree uint32, nodes []uint32)) {
	for _, chunk := range g.chunks {
		for len(chunk) > 0 && chunk[0] != 0 {
			end := 2 + len(g.shapes[chunk[1]])
			yield(chunk[0]-1, chunk[2:end])
			chunk = chunk[end:]
		}
	}
}

// A Recorder adds records to a graph, for one goroutine.
type Recorder struct {
	g       *Graph
	chunk   []uint32 // the rest of it
	next    uint32   // index in the graph of chunk[0]
	numbers map[string]uint32
	shapes  map[string]uint32 // those that this goroutine has met
	key     []byte
}

// Recorder returns a recorder for one goroutine.
func (g *Graph) Recorder() *Recorder {
	return &Recorder{g: g, numbers: map[string]uint32{}, shapes: map[string]uint32{}}
}

// Name returns the number of a name.
func (r *Recorder) Name(name []byte) uint32 {
	if n, ok := r.numbers[string(name)]; ok {
		return n
	}
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	n, ok := r.g.numbers[string(name)]
	if !ok {
		n = uint32(len(r.g.names))
		r.g.names = append(r.g.names, string(name))
		r.g.numbers[string(name)] = n
	}
	r.numbers[r.g.names[n]] = n
	return n
}

// Record records the edges of a tree: the objects, and the shape of their names.
func (r *Recorder) Record(tree int32, nodes []uint32, shape uint32) {
	size := 2 + len(nodes)
	if size > len(r.chunk) {
		r.chunk = make([]uint32, max(size, chunkSize))
		r.g.mu.Lock()
		r.next = uint32(len(r.g.chunks)) << chunkBits
		r.g.chunks = append(r.g.chunks, r.chunk)
		r.g.mu.Unlock()
	}
	r.chunk[0], r.chunk[1] = uint32(tree)+1, shape
	copy(r.chunk[2:], nodes)
	r.g.RecordAt[tree] = r.next + 1
	r.chunk = r.chunk[size:]
	r.next += uint32(size)
}

// Shape returns the number of a list of names.
func (r *Recorder) Shape(names []uint32) uint32 {
	r.key = r.key[:0]
	for _, n := range names {
		r.key = binary.LittleEndian.AppendUint32(r.key, n)
	}
	if n, ok := r.shapes[string(r.key)]; ok {
		return n
	}
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	n := uint32(len(r.g.shapes))
	r.g.shapes = append(r.g.shapes, slices.Clone(names))
	r.shapes[string(r.key)] = n
	return n
}

// A Bitset is a set of numbers.
type Bitset []uint64

// NewBitset returns an empty set with room for the numbers below n.
func NewBitset(n int) Bitset { return make(Bitset, n/64+1) }

// Renumbered returns the bitset of the numbers that now returns for those in b. It has the
// size of b.
func (b Bitset) Renumbered(now func(int32) int32) Bitset {
	c := make(Bitset, len(b))
	for n := range b.All() {
		c.Set(now(n))
	}
	return c
}

// Len returns how many numbers the set has.
func (b Bitset) Len() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// All returns the numbers in the set, in order.
func (b Bitset) All() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, word := range b {
			for ; word != 0; word &= word - 1 {
				if !yield(int32(i*64 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// Set adds n.
func (b Bitset) Set(n int32) { b[n/64] |= 1 << (n % 64) }

// Has reports whether the set has n.
func (b Bitset) Has(n int32) bool { return n >= 0 && int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0 }

// HasMarked reports whether the blobs among ids are marked.
func (g *Graph) HasMarked(ids []finding.BlobID) bool {
	for _, n := range Numbers(g.Store, ids) {
		isBlob := !g.IsTree(n) && !slices.ContainsFunc(g.Tags, func(t Tag) bool { return t.Node == n })
		if isBlob && !g.Marks.Has(n) && !g.isCommit(n) {
			return false
		}
	}
	return true
}

func (g *Graph) isCommit(n int32) bool {
	return slices.ContainsFunc(g.Commits, func(c Commit) bool { return c.Node == n })
}

// Numbers returns the numbers of the ids that are in the store.
func Numbers(s *objects.Store, ids []finding.BlobID) []int32 {
	var nodes []int32
	for _, id := range ids {
		if raw, ok := pack.ParseID([]byte(id)); ok {
			if n := s.Find([]byte(raw)); n != objects.None {
				nodes = append(nodes, n)
			}
		}
	}
	return nodes
}
