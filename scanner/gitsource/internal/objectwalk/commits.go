package objectwalk

import (
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A commitVisitor reads commits and tags.
type commitVisitor struct {
	*visitor
	links  objects.CommitLinks // of the commit at hand
	target pack.ID             // of the tag at hand
}

// Visit implements pack.Visitor.
func (v *commitVisitor) Visit(n *pack.Node) error {
	data, err := n.Data()
	if err != nil {
		return v.Bad(n.Number(), err)
	}
	node := v.number(n.Number())
	if !v.isFirstCopy(node) {
		return nil
	}
	return v.object(node, n.Type, data)
}

func (v *commitVisitor) object(node int32, typ pack.Type, data []byte) error {
	kind, read, link := finding.KindCommit, v.readCommit, v.linkCommit
	if typ == pack.Tag {
		kind, read, link = finding.KindTag, v.readTag, v.linkTag
	}
	bad := read(data)
	matches := v.textMayMatch(data) // meanwhile the processor loads what link waits for
	if bad == nil {
		link(node)
	} else if err := v.addFailure(node, bad); err != nil {
		return err
	}
	if !matches {
		v.countPassed(int64(len(data)))
		return nil
	}
	v.Graph.Mark(node)
	return v.yieldText(node, kind, data)
}

func (v *commitVisitor) readCommit(data []byte) (err error) {
	if v.links, err = objects.ParseCommit(objects.CommitLinks{Parents: v.links.Parents[:0]}, data); err != nil {
		return err
	}
	v.prefetch(v.links.Tree)
	for _, p := range v.links.Parents {
		v.prefetch(p)
	}
	return nil
}

func (v *commitVisitor) linkCommit(node int32) {
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
}

func (v *commitVisitor) readTag(data []byte) (err error) {
	v.target, err = objects.ParseTag(data)
	return err
}

func (v *commitVisitor) linkTag(node int32) {
	t := graph.Tag{Node: node, Target: v.lookup(v.target)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Graph.Tags = append(v.Graph.Tags, t)
}

func (v *commitVisitor) prefetch(id pack.ID) { v.Store.Prefetch([]byte(id)) }

func (v *commitVisitor) lookup(id pack.ID) int32 {
	if n := v.Store.Find([]byte(id)); n != objects.None {
		return n
	}
	return v.Graph.AddMissing(id)
}
