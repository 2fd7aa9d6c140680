package history

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// A commitIndex finds the commits of a graph by object, and says which refs or reflogs lead to
// each.
type commitIndex struct {
	graph          *graph.Graph
	commitAt       []int32    // of each object: the number of the commit, one more
	class          []refClass // of each commit
	reflogEntry    []int32    // of each commit that a reflog leads to: the entry, in refs.logged
	refs           *repo.RefSet
	named          []namedCommit
	tags           map[int32]int32 // from each annotated tag to its target
	referencedTags map[int32]bool  // tags that refs lead to
}

// A refClass says which kind of ref leads to a commit.
type refClass uint8

const (
	byRef refClass = iota
	byNote
	byLog
	byNothing
	classes
)

// A namedCommit is a branch or tag, and its commit.
type namedCommit struct {
	name   string
	commit int32
}

func newCommitIndex(g *graph.Graph, refs *repo.RefSet) *commitIndex {
	h := &commitIndex{graph: g, refs: refs, tags: map[int32]int32{}, referencedTags: map[int32]bool{}}
	h.commitAt = make([]int32, g.Store.Len())
	for i, c := range g.Commits {
		h.commitAt[c.Node] = int32(i) + 1
	}
	for _, t := range g.Tags {
		h.tags[t.Node] = t.Target
	}
	h.class = make([]refClass, len(g.Commits))
	for i := range h.class {
		h.class[i] = byNothing
	}
	h.reflogEntry = make([]int32, len(g.Commits))
	for _, r := range refs.Refs {
		node := g.Store.Find([]byte(r.ID))
		for t, ok := node, true; ok && !h.referencedTags[t]; {
			h.referencedTags[t] = true
			t, ok = h.tags[t]
		}
		if c := h.commit(h.peel(node)); c != objects.None && r.Kind() == finding.KindBlob {
			h.markAncestors(c, byRef, 0)
			if r.IsNamed() {
				h.named = append(h.named, namedCommit{r.Name, c})
			}
		}
	}
	for _, r := range refs.OfKind(finding.KindNote) {
		h.markAncestors(h.commit(h.peel(g.Store.Find([]byte(r.ID)))), byNote, 0)
	}
	for i, r := range refs.Reflogs() {
		h.markAncestors(h.commit(h.peel(g.Store.Find([]byte(r.ID)))), byLog, int32(i))
	}
	slices.SortStableFunc(h.named, func(a, b namedCommit) int { return cmp.Or(rank(a.name)-rank(b.name), cmp.Compare(a.name, b.name)) })
	return h
}

// rank orders refs by how much they say to a person.
func rank(name string) int {
	for i, prefix := range []string{"refs/heads/", "refs/tags/", "refs/remotes/"} {
		if strings.HasPrefix(name, prefix) {
			return i
		}
	}
	return 3
}

// commit returns the number of the commit that an object is, or none.
func (h *commitIndex) commit(node int32) int32 {
	if node < 0 || int(node) >= len(h.commitAt) {
		return objects.None
	}
	return h.commitAt[node] - 1
}

// peel follows annotated tags to an object that is no tag.
func (h *commitIndex) peel(node int32) int32 {
	const most = 100 // people make two at most
	for range most {
		target, ok := h.tags[node]
		if !ok {
			return node
		}
		node = target
	}
	return objects.None
}

// markAncestors gives the class to c and to all its ancestors that have none.
func (h *commitIndex) markAncestors(c int32, class refClass, log int32) {
	if c == objects.None {
		return
	}
	stack := []int32{c}
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if h.class[c] != byNothing {
			continue
		}
		h.class[c], h.reflogEntry[c] = class, log
		for _, p := range h.graph.Commits[c].Parents {
			if p := h.commit(p); p != objects.None {
				stack = append(stack, p)
			}
		}
	}
}

// unreachable names the reflog that leads to a commit, or says that it is dangling. It returns
// "" if a ref leads to it.
func (h *commitIndex) unreachable(c int32) string {
	switch h.class[c] {
	case byLog:
		name := h.refs.Reflogs()[h.reflogEntry[c]].Name
		if strings.HasSuffix(name, "}") {
			return "reflog " + name
		}
		return name
	case byNothing:
		return "dangling commit"
	}
	return ""
}

// topological returns the commits, parents first. Where that leaves a choice, the oldest
// comes first.
func (h *commitIndex) topological() []int32 {
	commits := h.graph.Commits
	waits := make([]int32, len(commits))
	children := make([][]int32, len(commits))
	ready := byDate{commits: commits}
	for i, c := range commits {
		for _, p := range c.Parents {
			if p := h.commit(p); p != objects.None {
				waits[i]++
				children[p] = append(children[p], int32(i))
			}
		}
		if waits[i] == 0 {
			ready.heap = append(ready.heap, int32(i))
		}
	}
	heap.Init(&ready)
	order := make([]int32, 0, len(commits))
	for len(ready.heap) > 0 {
		c := heap.Pop(&ready).(int32)
		order = append(order, c)
		for _, child := range children[c] {
			if waits[child]--; waits[child] == 0 {
				heap.Push(&ready, child)
			}
		}
	}
	return order
}

// propagate returns for each commit the bits of own that it comes from. order is
// topological.
func (h *commitIndex) propagate(order []int32, own map[int32]uint64) []uint64 {
	masks := make([]uint64, len(h.graph.Commits))
	for _, c := range order {
		m := own[c]
		for _, p := range h.graph.Commits[c].Parents {
			if p := h.commit(p); p != objects.None {
				m |= masks[p]
			}
		}
		masks[c] = m
	}
	return masks
}

// byDate is a heap of commits, the oldest first. Between equal dates, the number of the
// object decides.
type byDate struct {
	commits []graph.Commit
	heap    []int32
}

func (h *byDate) Len() int { return len(h.heap) }
func (h *byDate) Less(i, j int) bool {
	a, b := &h.commits[h.heap[i]], &h.commits[h.heap[j]]
	return cmp.Or(cmp.Compare(a.When, b.When), cmp.Compare(a.Node, b.Node)) < 0
}
func (h *byDate) Swap(i, j int) { h.heap[i], h.heap[j] = h.heap[j], h.heap[i] }
func (h *byDate) Push(c any)    { h.heap = append(h.heap, c.(int32)) }
func (h *byDate) Pop() any {
	c := h.heap[len(h.heap)-1]
	h.heap = h.heap[:len(h.heap)-1]
	return c
}
