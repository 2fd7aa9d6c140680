package objectwalk

import (
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A historyVisitor reads commits and tags.
type historyVisitor struct {
	*visitor
	links objects.Links
}

// Visit implements pack.Visitor.
func (v *historyVisitor) Visit(n *pack.Node) error {
	data, err := n.Data()
	if err != nil {
		return v.Bad(n.Number(), err)
	}
	node := v.number(n.Number())
	if !v.canonical(node) {
		return nil
	}
	return v.whole(node, n.Type, data)
}

func (v *historyVisitor) whole(node int32, typ pack.Type, data []byte) error {
	kind, link := scanner.KindCommit, v.commit
	if typ == pack.Tag {
		kind, link = scanner.KindTag, v.tag
	}
	if err := link(node, data); err != nil {
		if err := v.unread(node, err); err != nil {
			return err
		}
	}
	if !v.holds(data) {
		v.pass(int64(len(data)))
		return nil
	}
	v.Graph.Mark(node)
	return v.text(node, kind, data)
}

func (v *historyVisitor) commit(node int32, data []byte) error {
	var err error
	if v.links, err = objects.ParseCommit(objects.Links{Parents: v.links.Parents[:0]}, data); err != nil {
		return err
	}
	c := graph.Commit{Node: node, Tree: v.lookup(v.links.Tree), When: v.links.When}
	if n := len(v.links.Parents); n > 0 {
		c.Parents = make([]int32, n)
		for i, p := range v.links.Parents {
			c.Parents[i] = v.lookup(p)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Graph.Commits = append(v.Graph.Commits, c)
	return nil
}

func (v *historyVisitor) tag(node int32, data []byte) error {
	target, err := objects.ParseTag(data)
	if err != nil {
		return err
	}
	t := graph.Tag{Node: node, Target: v.lookup(target)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Graph.Tags = append(v.Graph.Tags, t)
	return nil
}

func (v *historyVisitor) lookup(id pack.ID) int32 {
	if n := v.Store.Find([]byte(id)); n != objects.None {
		return n
	}
	return v.Graph.Lose(id)
}
