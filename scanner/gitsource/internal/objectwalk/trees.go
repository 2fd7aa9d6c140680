package objectwalk

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A parsedTree is kept while other trees are made from it: the entries that they copy need
// not be parsed or looked up again.
type parsedTree struct {
	text    []byte // of the tree, which is not kept longer than that of its node
	entries []parsedEntry
	size    int     // of the entries
	names   verdict // of its names
}

// A parsedEntry is an entry of a parsedTree.
type parsedEntry struct {
	start uint32 // in the tree
	node  int32  // none for submodules
	name  uint32 // noName if it is no edge
}

// A newEntry is an entry of a tree that is yet to be looked up, as number at of its parsedTree.
type newEntry struct {
	at int
	objects.TreeEntry
}

const noName = 1<<32 - 1

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
	unknownIDs [][]byte   // of these, but for those in recent
	recent     *recentIDs
	warmth     uint32 // see objects.Store.Warm

	nodes, names []uint32 // of edges
	unshared     *parsedTree
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
		if l.names = v.judge(names); l.names == mayMatch && record {
			if err := v.yieldText(node, finding.KindPath, names); err != nil {
				return err
			}
		}
	}
	if !record {
		return nil
	}
	if l.names != mayMatch && !v.linksOnly {
		v.countPassed(int64(len(data)))
	}
	v.record(node, l)
	if bad != nil {
		return v.addFailure(node, bad)
	}
	return nil
}

// record records the edges of a tree.
func (v *treeVisitor) record(node int32, l *parsedTree) {
	v.nodes, v.names = v.nodes[:0], v.names[:0]
	for i := range l.entries {
		if e := &l.entries[i]; e.name != noName {
			v.nodes, v.names = append(v.nodes, uint32(e.node)), append(v.names, e.name)
		}
	}
	v.recorder.Record(node, v.nodes, v.names)
}

// parse fills l and v.newNames. Entries after a malformed one are lost.
func (v *treeVisitor) parse(l *parsedTree, data []byte, base *parsedTree) error {
	l.text, l.entries, l.size, v.newNames = data, l.entries[:0], len(data), v.newNames[:0]
	v.newEntries, v.renamed = v.newEntries[:0], base == nil
	defer v.lookUp(l)
	parts, next := v.parts, 0 // the entry of base that may have the name of the next one
	for at := 0; at < len(data); {
		for len(parts) > 0 && int(parts[0].At+parts[0].Len) <= at {
			parts = parts[1:]
		}
		if len(parts) > 0 && parts[0].From >= 0 && base != nil {
			if to, k := l.copy(base, parts[0], at); to > at {
				at, next = to, k
				continue
			}
		}
		e, n := objects.ParseTreeEntry(data[at:], v.Store.Hash)
		if n == 0 {
			l.size = at
			return fmt.Errorf("%w: entry %d of the tree", objects.ErrMalformed, len(l.entries)+1)
		}
		v.newNames = append(append(v.newNames, e.Name...), '\n')
		v.newEntries = append(v.newEntries, newEntry{len(l.entries), e})
		l.entries = append(l.entries, parsedEntry{uint32(at), objects.None, noName})
		v.renamed = v.renamed || !base.hasName(next, data[at:at+n-len(e.ID)])
		at, next = at+n, next+1
	}
	return nil
}

// hasName reports whether entry k begins with name, which is all of an entry before the id.
func (l *parsedTree) hasName(k int, name []byte) bool {
	return k < len(l.entries) && bytes.HasPrefix(l.text[l.entries[k].start:], name)
}

// copy appends the entries of base that p copies whole to at and after. It returns where they
// end, or at if there are none, and the entry of base behind the last of them.
func (l *parsedTree) copy(base *parsedTree, p pack.Part, at int) (to, next int) {
	from := at - int(p.At) + int(p.From)
	k := sort.Search(len(base.entries), func(i int) bool { return int(base.entries[i].start) >= from })
	if k == len(base.entries) || int(base.entries[k].start) != from {
		return at, 0
	}
	for end := int(p.From + p.Len); k < len(base.entries); k++ {
		next := base.size
		if k+1 < len(base.entries) {
			next = int(base.entries[k+1].start)
		}
		if next > end {
			break
		}
		e := base.entries[k]
		shift := at - int(e.start)
		e.start = uint32(at)
		l.entries = append(l.entries, e)
		at = next + shift
	}
	return at, k
}

// lookUp looks up the entries that the base does not have.
func (v *treeVisitor) lookUp(l *parsedTree) {
	v.unknownIDs = v.unknownIDs[:0]
	for i := range v.newEntries {
		e := &v.newEntries[i]
		if e.Mode == objects.Submodule {
			continue
		}
		x := &l.entries[e.at]
		if x.node = v.recent.find(e.ID); x.node == objects.None {
			v.unknownIDs = append(v.unknownIDs, e.ID)
		}
	}
	v.warmth += v.Store.Warm(v.unknownIDs)
	for i := range v.newEntries {
		e := &v.newEntries[i]
		if e.Mode == objects.Submodule {
			continue
		}
		x := &l.entries[e.at]
		if x.node == objects.None {
			x.node = v.find(e.ID)
		}
		switch {
		case x.node == objects.None:
		case e.Mode == objects.Directory:
			v.path = append(append(v.path[:0], e.Name...), '/')
			x.name = v.recorder.Name(v.path)
		case v.Graph.Marks.Has(x.node) || v.Graph.IsMissing(x.node):
			x.name = v.recorder.Name(e.Name)
		}
	}
}

// find looks up an object of the store, or one that is missing.
func (v *treeVisitor) find(id []byte) int32 {
	n := v.Store.Find(id)
	if n == objects.None {
		return v.Graph.AddMissing(pack.ID(id))
	}
	v.recent.add(id, n)
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
