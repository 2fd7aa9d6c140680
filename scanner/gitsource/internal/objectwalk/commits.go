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
	links objects.CommitLinks
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
	kind, link := finding.KindCommit, v.commit
	if typ == pack.Tag {
		kind, link = finding.KindTag, v.tag
	}
	if err := link(node, data); err != nil {
		if err := v.addFailure(node, err); err != nil {
			return err
		}
	}
	if !v.textMayMatch(data) {
		v.countPassed(int64(len(data)))
		return nil
	}
	v.Graph.Mark(node)
	return v.yieldText(node, kind, data)
}

func (v *commitVisitor) commit(node int32, data []byte) error {
	var err error
	if v.links, err = objects.ParseCommit(objects.CommitLinks{Parents: v.links.Parents[:0]}, data); err != nil {
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

func (v *commitVisitor) tag(node int32, data []byte) error {
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

func (v *commitVisitor) lookup(id pack.ID) int32 {
	if n := v.Store.Find([]byte(id)); n != objects.None {
		return n
	}
	return v.Graph.AddMissing(id)
}
