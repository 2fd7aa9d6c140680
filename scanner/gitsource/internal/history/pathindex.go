package history

import (
	"context"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// ways is the part of the graph that leads to hits. It knows below which of its
// nodes there is a hit that still has room for a place, so that each step down
// leads to one: the work is in proportion to what is listed, not to what is there.
type ways struct {
	graph   *graph.Graph
	numbers []int32 // of objects: their node, plus one
	nodes   []node
	head    objects.TreeLookup // in the trees of HEAD
}

type node struct {
	object  int32
	hit     bool
	inner   bool    // some tree holds it, or a commit
	full    bool    // nothing here or below has room
	places  int     // of a hit
	room    int     // how many of entries are not full
	entries []way   // full ones may be left out
	parents []int32 // one for each entry that is this node
}

// A way is an entry of a tree. The name of a tree ends with "/".
type way struct {
	node int32
	name string
}

// A place is an object at a path. The path of a tree is empty or ends with "/"
// or ":".
type place struct {
	node int32
	path string
}

// A step is a place, and the object that HEAD has at the same path, "" for none.
type step struct {
	place
	head pack.ID
}

// newWays keeps of the graph what leads to hits.
func newWays(g *graph.Graph, hits []int32) *ways {
	w := &ways{graph: g, numbers: make([]int32, g.Store.Len()+len(g.Missing)), head: objects.TreeLookup{Store: g.Store}}
	for _, hit := range hits {
		w.nodes[w.add(hit)].hit = true
	}
	leads := g.Leads(hits)
	for tree, at := range g.At {
		if at == 0 || !leads.Has(int32(tree)) {
			continue
		}
		parent := w.add(int32(tree))
		g.Edges(int32(tree), func(e graph.Edge) {
			if !leads.Has(e.Node) {
				return
			}
			child := w.add(e.Node)
			w.nodes[parent].entries = append(w.nodes[parent].entries, way{child, g.Name(e)})
			w.nodes[child].parents = append(w.nodes[child].parents, parent)
			w.nodes[child].inner = true
		})
		w.nodes[parent].room = len(w.nodes[parent].entries)
	}
	for _, c := range g.Commits {
		if n := w.number(c.Tree); n != objects.None {
			w.nodes[n].inner = true
		}
	}
	return w
}

// add returns the node of an object, a new one at first.
func (w *ways) add(object int32) int32 {
	if n := w.numbers[object]; n > 0 {
		return n - 1
	}
	w.nodes = append(w.nodes, node{object: object})
	w.numbers[object] = int32(len(w.nodes))
	return int32(len(w.nodes)) - 1
}

// number returns the node of an object, none if it leads to no hit.
func (w *ways) number(object int32) int32 {
	if object < 0 {
		return objects.None
	}
	return w.numbers[object] - 1
}

// fill notes it if n is full, and those above that are full by that.
func (w *ways) fill(n int32) {
	stack := []int32{n}
	for len(stack) > 0 {
		n := &w.nodes[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		if n.full || n.room > 0 || n.hit && n.places < repo.MaxPlaces {
			continue
		}
		n.full = true
		for _, p := range n.parents {
			w.nodes[p].room--
		}
		stack = append(stack, n.parents...)
		n.parents = nil
	}
}

// descend calls found for the hits at and below top, those places apart that
// were met before, until they have no room.
func (w *ways) descend(ctx context.Context, top step, met map[place]bool, found func(step) error) error {
	type frame struct {
		step
		next int // in the entries
	}
	var stack []frame
	visit := func(s step) error {
		if s.node == objects.None || w.nodes[s.node].full || met[s.place] {
			return nil
		}
		met[s.place] = true
		n := &w.nodes[s.node]
		if n.hit {
			if err := found(s); err != nil {
				return err
			}
			n.places++
			w.fill(s.node)
		}
		if n.room > 0 {
			w.compact(n)
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
		if f.next == len(entries) || w.nodes[f.node].room == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		e := entries[f.next]
		f.next++
		if w.nodes[e.node].full {
			continue
		}
		if err := visit(step{place{e.node, repo.Cut(f.path + e.name)}, w.sameName(f.step, e)}); err != nil {
			return err
		}
	}
	return nil
}

// compact drops the entries of n that are full, so that they cost nothing at the
// next path of n.
func (w *ways) compact(n *node) {
	if n.room == len(n.entries) {
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
func (w *ways) sameName(s step, e way) pack.ID {
	if s.head == "" {
		return ""
	}
	id, _ := w.head.Child(s.head, strings.TrimSuffix(e.name, "/")) // what cannot be read is not at HEAD
	return id
}
