package history

import (
	"context"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// pathIndex is the subgraph of trees that lead to a hit. Each node counts the entries that may
// still produce a location, so a walk never enters a subtree with nothing left to report: the
// work is in proportion to the list of locations, not to the size of the graph.
type pathIndex struct {
	graph   *graph.Graph
	nodesOf []int32 // of objects: their node, plus one
	nodes   []node
	head    objects.TreeLookup // in the trees of HEAD
}

type node struct {
	object      int32
	hit         bool
	hasParent   bool        // some tree holds it, or a commit
	full        bool        // nothing here or below has room
	locations   int         // of a hit
	openEntries int         // how many of entries are not full
	entries     []treeEntry // full ones may be left out
	parents     []int32     // one for each entry that is this node
}

// A treeEntry is an entry of a tree. The name of a tree ends with "/".
type treeEntry struct {
	node int32
	name string
}

// A location is an object at a path. The path of a tree is empty or ends with "/"
// or ":".
type location struct {
	node int32
	path string
}

// A step is a location, and the object that HEAD has at the same path, "" for none.
type step struct {
	location
	atHead pack.ID
}

// newPathIndex takes from the graph the trees that lead to hits.
func newPathIndex(g *graph.Graph, hits []int32) *pathIndex {
	w := &pathIndex{graph: g, nodesOf: make([]int32, g.Store.Len()+len(g.Missing)), head: objects.TreeLookup{Store: g.Store}}
	leads := g.LeadingTo(hits)
	w.nodes = make([]node, 0, leads.Len())
	for _, hit := range hits {
		w.nodes[w.add(hit)].hit = true
	}
	for tree, at := range g.RecordAt {
		if at == 0 || !leads.Has(int32(tree)) {
			continue
		}
		parent := w.add(int32(tree))
		g.Edges(int32(tree), func(e graph.Edge) {
			if !leads.Has(e.Node) {
				return
			}
			child := w.add(e.Node)
			w.nodes[parent].entries = append(w.nodes[parent].entries, treeEntry{child, g.Name(e)})
			w.nodes[child].parents = append(w.nodes[child].parents, parent)
			w.nodes[child].hasParent = true
		})
		w.nodes[parent].openEntries = len(w.nodes[parent].entries)
	}
	for _, c := range g.Commits {
		if n := w.nodeOf(c.Tree); n != objects.None {
			w.nodes[n].hasParent = true
		}
	}
	return w
}

// add returns the node of an object, and makes it if there is none.
func (w *pathIndex) add(object int32) int32 {
	if n := w.nodesOf[object]; n > 0 {
		return n - 1
	}
	w.nodes = append(w.nodes, node{object: object})
	w.nodesOf[object] = int32(len(w.nodes))
	return int32(len(w.nodes)) - 1
}

// nodeOf returns the node of an object, none if it leads to no hit.
func (w *pathIndex) nodeOf(object int32) int32 {
	if object < 0 {
		return objects.None
	}
	return w.nodesOf[object] - 1
}

// markFull marks n if it is full, and then the nodes above it that are full as a result.
func (w *pathIndex) markFull(n int32) {
	stack := []int32{n}
	for len(stack) > 0 {
		n := &w.nodes[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		if n.full || n.openEntries > 0 || n.hit && n.locations < repo.MaxLocations {
			continue
		}
		n.full = true
		for _, p := range n.parents {
			w.nodes[p].openEntries--
		}
		stack = append(stack, n.parents...)
		n.parents = nil
	}
}

// descend calls found for the hits at and below top, except for locations that it has met
// before, until no hit has room for another location.
func (w *pathIndex) descend(ctx context.Context, top step, met map[location]bool, found func(step) error) error {
	type frame struct {
		step
		next int // in the entries
	}
	var stack []frame
	visit := func(s step) error {
		if s.node == objects.None || w.nodes[s.node].full || met[s.location] {
			return nil
		}
		met[s.location] = true
		n := &w.nodes[s.node]
		if n.hit {
			if err := found(s); err != nil {
				return err
			}
			n.locations++
			w.markFull(s.node)
		}
		if n.openEntries > 0 {
			w.dropFull(n)
			stack = append(stack, frame{step: s})
		}
		return ctx.Err()
	}
	if err := visit(top); err != nil {
		return err
	}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		entries := w.nodes[f.node].entries
		if f.next == len(entries) || w.nodes[f.node].openEntries == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		e := entries[f.next]
		f.next++
		if w.nodes[e.node].full {
			continue
		}
		if err := visit(step{location{e.node, repo.CutPath(f.path + e.name)}, w.sameName(f.step, e)}); err != nil {
			return err
		}
	}
	return nil
}

// dropFull drops the full entries of n, so that they cost nothing at the next path of n.
func (w *pathIndex) dropFull(n *node) {
	if n.openEntries == len(n.entries) {
		return
	}
	kept := n.entries[:0]
	for _, e := range n.entries {
		if !w.nodes[e.node].full {
			kept = append(kept, e)
		}
	}
	n.entries = kept
}

// sameName returns the object that HEAD has where s has e, "" for none.
func (w *pathIndex) sameName(s step, e treeEntry) pack.ID {
	if s.atHead == "" {
		return ""
	}
	id, _ := w.head.Child(s.atHead, strings.TrimSuffix(e.name, "/")) // a folder that cannot be read is not at HEAD
	return id
}
