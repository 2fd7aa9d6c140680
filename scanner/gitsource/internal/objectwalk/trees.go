package objectwalk

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A parsedTree is kept while other trees are made from it: the entries that they copy need
// not be parsed or looked up again.
type parsedTree struct {
	text   []byte   // of the tree, which is not kept longer than that of its node
	starts []uint32 // where each entry begins, then where the last one ends
	edges  edgeList
	shape  uint32  // of the names of the edges
	names  verdict // of the names of all entries
}

// A newEntry is an entry of a tree that is yet to be looked up.
type newEntry struct {
	edge int    // in the edges of the tree, for now
	name uint32 // noName if it is not known
	objects.TreeEntry
}

// A treeVisitor reads trees: it searches their names and records their edges.
type treeVisitor struct {
	*visitor
	recorder *graph.Recorder
	parts    []pack.Part // of the tree at hand, if it is a delta
	spare    []*parsedTree
	newNames []byte // names of entries that the base does not have, a line each
	renamed  bool   // some of these names are new too
	path     []byte

	newEntries []newEntry // those that the base does not have

	unshared *parsedTree // of trees that no other is made from
}

// Visit implements pack.Visitor.
func (v *treeVisitor) Visit(n *pack.Node) error {
	data, err := n.Data()
	if err != nil {
		return v.Bad(n.Number(), err)
	}
	base := (*parsedTree)(nil)
	if b := n.Base(); b != nil {
		base, _ = b.Note.(*parsedTree)
	}
	l := v.unshared
	if n.Inner() {
		l = v.parsedTree()
		n.Note = l
	}
	v.parts = nil
	if base != nil {
		v.parts = n.Parts()
	}
	node := v.number(n.Number())
	return v.tree(node, data, l, base, v.isFirstCopy(node))
}

// Done implements pack.Visitor.
func (v *treeVisitor) Done(note any) {
	if l, ok := note.(*parsedTree); ok {
		l.text = nil
		v.spare = append(v.spare, l)
	}
}

func (v *treeVisitor) parsedTree() *parsedTree {
	if k := len(v.spare); k > 0 {
		l := v.spare[k-1]
		v.spare = v.spare[:k-1]
		return l
	}
	return &parsedTree{}
}

// tree parses a tree into l, with the entries that v.parts copies from base, and records it
// unless it is a second copy.
func (v *treeVisitor) tree(node int32, data []byte, l, base *parsedTree, record bool) error {
	bad := v.parse(l, data, base)
	l.names = cannotMatch
	if base != nil && base.names != cannotMatch || v.renamed && v.pieceMayMatch(v.newNames) { // more than is new may hold it, or less
		names := joinNames(data, v.Store.Hash)
		if l.names = v.judge(names).highest(); l.names == mayMatch && record {
			if err := v.yieldText(node, finding.KindPath, names); err != nil {
				return err
			}
		}
	}
	v.lookUp(l)
	l.shape = v.shape(l, base)
	if !record {
		return nil
	}
	if l.names != mayMatch && !v.linksOnly {
		v.countPassed(int64(len(data)))
	}
	v.recorder.Record(node, l.edges.nodes, l.shape)
	if bad != nil {
		return v.addFailure(node, bad)
	}
	return nil
}

// shape returns the shape of the edges of a tree, which is mostly that of its base.
func (v *treeVisitor) shape(l, base *parsedTree) uint32 {
	if base != nil && slices.Equal(l.edges.names, base.edges.names) {
		return base.shape
	}
	return v.recorder.Shape(l.edges.names)
}

// parse fills l and v.newNames. Entries after a malformed one are lost.
func (v *treeVisitor) parse(l *parsedTree, data []byte, base *parsedTree) error {
	l.text, l.starts, v.newNames = data, l.starts[:0], v.newNames[:0]
	l.edges.reset()
	v.newEntries, v.renamed = v.newEntries[:0], base == nil
	at, parts := 0, v.parts
	next := position{} // of the entry of base that may have the name of the next one
	for at < len(data) {
		for len(parts) > 0 && int(parts[0].At+parts[0].Len) <= at {
			parts = parts[1:]
		}
		if len(parts) > 0 && parts[0].From >= 0 && base != nil {
			if to := l.copy(base, &next, parts[0], at); to > at {
				at = to
				continue
			}
		}
		e, n := objects.ParseTreeEntry(data[at:], v.Store.Hash)
		if n == 0 {
			l.starts = append(l.starts, uint32(at))
			return fmt.Errorf("%w: entry %d of the tree", objects.ErrMalformed, len(l.starts))
		}
		v.newNames = append(append(v.newNames, e.Name...), '\n')
		name := uint32(noName)
		if base != nil && base.hasName(next.entry, data[at:at+n-len(e.ID)]) {
			name = base.edgeName(&next)
		} else {
			v.renamed = true
		}
		v.Store.Prefetch(e.ID)
		v.newEntries = append(v.newEntries, newEntry{len(l.edges.names), name, e})
		l.edges.add(uint32(at), 0, noName)
		l.starts = append(l.starts, uint32(at))
		at += n
		next.entry++
	}
	l.starts = append(l.starts, uint32(at))
	return nil
}

// hasName reports whether entry k begins with name, which is all of an entry before the id.
func (l *parsedTree) hasName(k int, name []byte) bool {
	return k < len(l.starts)-1 && bytes.HasPrefix(l.text[l.starts[k]:], name)
}

// A position is one in a parsedTree: an entry, and the first edge there or after it, or an edge
// not far from it.
type position struct{ entry, edge int }

// edgeName returns the name of the entry at p, noName if it is no edge.
func (l *parsedTree) edgeName(p *position) uint32 {
	start := l.starts[p.entry]
	if p.edge = l.edges.seek(p.edge, start); p.edge < len(l.edges.starts) && l.edges.starts[p.edge] == start {
		return l.edges.names[p.edge]
	}
	return noName
}

// copy appends the entries of base that p copies whole to at and after, and returns where they
// end, or at if there are none. next is a guess where they are in base, and then the position
// behind the last of them.
func (l *parsedTree) copy(base *parsedTree, next *position, p pack.Part, at int) (to int) {
	from, end := uint32(at)-uint32(p.At)+uint32(p.From), uint32(p.From+p.Len)
	first := next.entry
	if first >= len(base.starts) || base.starts[first] != from {
		ok := false
		if first, ok = slices.BinarySearch(base.starts, from); !ok {
			return at
		}
	}
	last := len(base.starts) - 1
	if base.starts[last] > end {
		ok := false
		if last, ok = slices.BinarySearch(base.starts, end); !ok {
			last-- // end lies in an entry
		}
	}
	if last <= first {
		return at
	}
	shift := uint32(at) - from
	l.starts = appendMoved(l.starts, base.starts[first:last], shift)
	end = base.starts[last]
	i := base.edges.seek(next.edge, from)
	j := base.edges.seek(i, end)
	l.edges.copy(&base.edges, i, j, shift)
	*next = position{last, j}
	return int(end + shift)
}

// lookUp looks up the entries that the base does not have.
func (v *treeVisitor) lookUp(l *parsedTree) {
	if len(v.newEntries) == 0 {
		return
	}
	nodes, names := l.edges.nodes, l.edges.names
	for i := range v.newEntries {
		e := &v.newEntries[i]
		if e.Mode == objects.Submodule {
			continue
		}
		n := v.find(e.ID)
		nodes[e.edge] = uint32(n)
		switch {
		case n == objects.None:
		case e.Mode == objects.Directory && e.name != noName:
			names[e.edge] = e.name
		case e.Mode == objects.Directory:
			v.path = append(append(v.path[:0], e.Name...), '/')
			names[e.edge] = v.recorder.Name(v.path)
		case v.Graph.Marks.Has(n) || v.Graph.IsMissing(n):
			names[e.edge] = v.recorder.Name(e.Name)
		}
	}
	l.edges.dropUnnamed(v.newEntries[0].edge)
}

// find looks up an object of the store, or one that is missing.
func (v *treeVisitor) find(id []byte) int32 {
	n := v.Store.Find(id)
	if n == objects.None {
		return v.Graph.AddMissing(pack.ID(id))
	}
	return n
}

// joinNames returns the names in a tree, a line each.
func joinNames(data []byte, hash int) []byte {
	var names []byte
	for len(data) > 0 {
		e, n := objects.ParseTreeEntry(data, hash)
		if n == 0 {
			break
		}
		names = append(append(names, e.Name...), '\n')
		data = data[n:]
	}
	return names
}
