package gitsource

import (
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A historyVisitor reads commits and tags.
type historyVisitor struct {
	*visitor
	links links
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
	v.graph.mark(node)
	return v.text(node, kind, data)
}

func (v *historyVisitor) commit(node int32, data []byte) error {
	var err error
	if v.links, err = parseCommit(links{parents: v.links.parents[:0]}, data); err != nil {
		return err
	}
	c := commit{node: node, tree: v.lookup(v.links.tree), when: v.links.when}
	if n := len(v.links.parents); n > 0 {
		c.parents = make([]int32, n)
		for i, p := range v.links.parents {
			c.parents[i] = v.lookup(p)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.graph.commits = append(v.graph.commits, c)
	return nil
}

func (v *historyVisitor) tag(node int32, data []byte) error {
	target, err := parseTag(data)
	if err != nil {
		return err
	}
	t := tag{node, v.lookup(target)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.graph.tags = append(v.graph.tags, t)
	return nil
}

func (v *historyVisitor) lookup(id pack.ID) int32 {
	if n := v.store.find([]byte(id)); n != none {
		return n
	}
	return v.graph.lose(id)
}
