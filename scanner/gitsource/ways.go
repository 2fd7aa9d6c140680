package gitsource

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxPlaces is how many places of one id are listed. Ten trees with ten entries
// each, all of them the next tree, hold a file at ten billion paths.
const maxPlaces = 1000

// none is the number of no node.
const none int32 = -1

// ways is the graph of the trees that lead to hits. It knows below which of its
// nodes there is a hit that still has room for a place, so that each step down
// leads to one: the work is in proportion to what is listed, not to what is there.
type ways struct {
	hits    map[plumbing.Hash]bool // its keys
	numbers map[wayKey]int32
	nodes   []node
	names   map[int32]map[string]int32 // of trees in HEAD, their entries
}

// A wayKey tells a tree from what is one and is called a file.
type wayKey struct {
	id   plumbing.Hash
	tree bool
}

type node struct {
	wayKey
	hit     bool
	full    bool    // nothing here or below has room
	places  int     // of a hit
	room    int     // how many of entries are not full
	entries []edge  // full ones may be left out
	parents []int32 // one for each entry that is this node
}

// An edge is an entry of a tree. The name of a tree ends with "/".
type edge struct {
	node int32
	name string
}

// A place is an object at a path. The path of a tree is empty or ends with "/"
// or ":".
type place struct {
	node int32
	path string
}

// A step is a place, and what HEAD has at the same path.
type step struct {
	place
	head int32
}

func newWays(hits map[plumbing.Hash]bool) *ways {
	return &ways{hits: hits, numbers: map[wayKey]int32{}, names: map[int32]map[string]int32{}}
}

// number returns the number of a node, a new one at first.
func (w *ways) number(id plumbing.Hash, tree bool) int32 {
	key := wayKey{id, tree}
	n, ok := w.numbers[key]
	if !ok {
		n = int32(len(w.nodes))
		w.numbers[key] = n
		_, hit := w.hits[id]
		w.nodes = append(w.nodes, node{wayKey: key, hit: hit})
	}
	return n
}

// tree returns the number of a tree, none if it leads to no hit.
func (w *ways) tree(id plumbing.Hash) int32 {
	if n, ok := w.numbers[wayKey{id, true}]; ok {
		return n
	}
	return none
}

// add adds an entry of a tree.
func (w *ways) add(tree plumbing.Hash, e entry) {
	parent, child := w.number(tree, true), w.number(e.id, e.tree)
	name := string(e.name)
	if e.tree {
		name += "/"
	}
	p, c := &w.nodes[parent], &w.nodes[child]
	p.entries = append(p.entries, edge{child, name})
	p.room++
	c.parents = append(c.parents, parent)
}

// finish is called after the last add.
func (w *ways) finish() {
	for n := range w.nodes {
		w.fill(int32(n)) // trees that could not be read again
	}
}

// fill notes it if n is full, and those above that are full by that.
func (w *ways) fill(n int32) {
	stack := []int32{n}
	for len(stack) > 0 {
		n := &w.nodes[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		if n.full || n.room > 0 || n.hit && n.places < maxPlaces {
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
		if s.node == none || w.nodes[s.node].full || met[s.place] {
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
		if err := visit(step{place{e.node, cut(f.path + e.name)}, w.sameName(f.step, e)}); err != nil {
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

// sameName returns what HEAD has where s has e, none if nothing there has room.
func (w *ways) sameName(s step, e edge) int32 {
	switch s.head {
	case none:
		return none
	case s.node:
		return e.node
	}
	names := w.names[s.head]
	if names == nil {
		names = map[string]int32{}
		for _, e := range w.nodes[s.head].entries {
			names[e.name] = e.node
		}
		w.names[s.head] = names
	}
	if n, ok := names[e.name]; ok {
		return n
	}
	return none
}
