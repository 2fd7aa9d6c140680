package gitsource

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A graph is what the commits, tags and trees of a store refer to, all of them,
// whether a ref leads there or not: what Locate needs. Of the entries of trees it
// has the directories, and of the files only those that are marked.
//
// It is made while the objects are read, so that no object is read twice; hence
// the marks are those of blobs that may hold something, and not only of those that
// turn out to.
type graph struct {
	store   *store
	commits []commit
	tags    []tag

	marks bitset

	mu      sync.Mutex
	chunks  [][]uint32 // see record
	shapes  [][]uint32 // see record
	names   []string
	numbers map[string]uint32 // of names
	missing []pack.ID         // numbered after the objects of the store
	absent  map[pack.ID]int32 // numbers of missing
	skipped int               // missing in a partial clone, of which only the count is kept
	at      []uint32          // of each tree: one more than the place of its record
}

// A commit, by numbers.
type commit struct {
	node, tree int32
	parents    []int32
	when       int64 // of the committer, Unix seconds
}

// A tag is an annotated tag and what it points to.
type tag struct{ node, target int32 }

func newGraph(s *store) *graph {
	return &graph{
		store: s, marks: newBitset(s.len()), at: make([]uint32, s.len()),
		numbers: map[string]uint32{}, absent: map[pack.ID]int32{},
	}
}

// mark marks an object. Concurrent calls are allowed.
func (g *graph) mark(node int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.marks.set(node)
}

// maxMissing is how many missing objects are numbered; more are only counted.
const maxMissing = 10_000

// lose returns the number of an object that is not in the store.
func (g *graph) lose(id pack.ID) int32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, ok := g.absent[id]
	if ok {
		return n
	}
	n = none
	if isEmptyTree(id) { // nothing is lost: see store.readBut
		return n
	}
	if g.store.partial || len(g.missing) >= maxMissing {
		g.skipped++
	} else {
		n = int32(g.store.len() + len(g.missing))
		g.missing = append(g.missing, id)
	}
	g.absent[id] = n
	return n
}

// isTree reports whether n is a tree that was read.
func (g *graph) isTree(n int32) bool { return n >= 0 && int(n) < len(g.at) && g.at[n] != 0 }

// isMissing reports whether n is the number of an object that is not here.
func (g *graph) isMissing(n int32) bool { return int(n) >= g.store.len() }

// objectID returns the id of an object, of a missing one too, "" for none.
func (g *graph) objectID(n int32) pack.ID {
	switch {
	case n == none:
		return ""
	case g.isMissing(n):
		return g.missing[int(n)-g.store.len()]
	}
	return g.store.id(n)
}

// Records of trees are written one after the other into chunks, so that none is
// ever copied for want of room: the number of the shape, then the numbers of the
// objects. A shape is the names of the edges: those of a directory stay the same
// through most of its versions, and are kept once.
const (
	chunkBits = 16
	chunkSize = 1 << chunkBits
)

// An edge is an entry of a tree.
type edge struct {
	node int32
	name uint32
}

// record returns the numbers of the objects that a tree refers to, and those of
// their names; none if it was not read.
func (g *graph) record(tree int32) (nodes, names []uint32) {
	if !g.isTree(tree) {
		return nil, nil
	}
	at := g.at[tree] - 1
	record := g.chunks[at>>chunkBits][at&(chunkSize-1):]
	names = g.shapes[record[0]]
	return record[1 : 1+len(names)], names
}

// edges calls yield for each edge of a tree.
func (g *graph) edges(tree int32, yield func(edge)) {
	nodes, names := g.record(tree)
	for i, n := range nodes {
		yield(edge{int32(n), names[i]})
	}
}

// name returns the name of an edge. That of a directory ends with "/".
func (g *graph) name(e edge) string { return g.names[e.name] }

// leads returns the hits and the trees that lead to one.
func (g *graph) leads(hits []int32) bitset {
	n := g.store.len() + len(g.missing)
	leads, done := newBitset(n), newBitset(n)
	for _, hit := range hits {
		leads.set(hit)
	}
	type frame struct {
		tree     int32
		children []uint32 // what is left of them
	}
	var stack []frame
	push := func(tree int32) {
		if g.isTree(tree) && !done.has(tree) {
			done.set(tree)
			nodes, _ := g.record(tree)
			stack = append(stack, frame{tree, nodes})
		}
	}
	for tree := range g.at {
		for push(int32(tree)); len(stack) > 0; {
			f := &stack[len(stack)-1]
			if len(f.children) == 0 {
				tree := f.tree
				stack = stack[:len(stack)-1]
				if len(stack) > 0 && leads.has(tree) {
					leads.set(stack[len(stack)-1].tree)
				}
				continue
			}
			child := int32(f.children[0])
			f.children = f.children[1:]
			if leads.has(child) {
				leads.set(f.tree)
			}
			push(child)
		}
	}
	return leads
}

// A recorder adds records to a graph, for one goroutine.
type recorder struct {
	g       *graph
	chunk   []uint32 // what is left of it
	place   uint32   // of chunk[0]
	numbers map[string]uint32
	shapes  map[string]uint32 // those that this goroutine has met
	key     []byte
}

func (g *graph) recorder() *recorder {
	return &recorder{g: g, numbers: map[string]uint32{}, shapes: map[string]uint32{}}
}

// name returns the number of a name.
func (r *recorder) name(name []byte) uint32 {
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

// record records the edges of a tree: the objects with their names.
func (r *recorder) record(tree int32, nodes, names []uint32) {
	size := 1 + len(nodes)
	if size > len(r.chunk) {
		r.chunk = make([]uint32, max(size, chunkSize))
		r.g.mu.Lock()
		r.place = uint32(len(r.g.chunks)) << chunkBits
		r.g.chunks = append(r.g.chunks, r.chunk)
		r.g.mu.Unlock()
	}
	r.chunk[0] = r.shape(names)
	copy(r.chunk[1:], nodes)
	r.g.at[tree] = r.place + 1
	r.chunk = r.chunk[size:]
	r.place += uint32(size)
}

// shape returns the number of a list of names.
func (r *recorder) shape(names []uint32) uint32 {
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

// A bitset is a set of numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, n/64+1) }

func (b bitset) set(n int32)      { b[n/64] |= 1 << (n % 64) }
func (b bitset) has(n int32) bool { return n >= 0 && int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0 }

// hasMarked reports whether the blobs among ids are marked.
func (g *graph) hasMarked(ids []scanner.BlobID) bool {
	for _, n := range numbers(g.store, ids) {
		isBlob := !g.isTree(n) && !slices.ContainsFunc(g.tags, func(t tag) bool { return t.node == n })
		if isBlob && !g.marks.has(n) && !g.isCommit(n) {
			return false
		}
	}
	return true
}

func (g *graph) isCommit(n int32) bool {
	return slices.ContainsFunc(g.commits, func(c commit) bool { return c.node == n })
}

// numbers returns those of the ids that name objects of the store.
func numbers(s *store, ids []scanner.BlobID) []int32 {
	var nodes []int32
	for _, id := range ids {
		if raw, ok := pack.ParseID([]byte(id)); ok {
			if n := s.find([]byte(raw)); n != none {
				nodes = append(nodes, n)
			}
		}
	}
	return nodes
}
