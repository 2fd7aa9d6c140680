package history

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// A history is the commits of a graph, and what leads to them.
type history struct {
	graph *graph.Graph
	at    []int32 // of each object: the number of the commit, one more
	class []class // of each commit
	log   []int32 // of each commit that a reflog leads to: the entry, in refs.logged
	refs  *repo.RefSet
	named []namedCommit
	tags  map[int32]int32 // what each annotated tag points to
	known map[int32]bool  // tags that refs lead to
}

// A class is what leads to a commit.
type class uint8

const (
	byRef class = iota
	byNote
	byLog
	byNothing
	classes
)

// A namedCommit is what a branch or tag points to.
type namedCommit struct {
	name   string
	commit int32
}

func newHistory(g *graph.Graph, refs *repo.RefSet) *history {
	h := &history{graph: g, refs: refs, tags: map[int32]int32{}, known: map[int32]bool{}}
	h.at = make([]int32, g.Store.Len())
	for i, c := range g.Commits {
		h.at[c.Node] = int32(i) + 1
	}
	for _, t := range g.Tags {
		h.tags[t.Node] = t.Target
	}
	h.class = make([]class, len(g.Commits))
	for i := range h.class {
		h.class[i] = byNothing
	}
	h.log = make([]int32, len(g.Commits))
	for _, r := range refs.Roots {
		node := g.Store.Find([]byte(r.Id))
		for t, ok := node, true; ok && !h.known[t]; {
			h.known[t] = true
			t, ok = h.tags[t]
		}
		if c := h.commit(h.peel(node)); c != objects.None && r.Kind() == scanner.KindBlob {
			h.spread(c, byRef, 0)
			if r.Named() {
				h.named = append(h.named, namedCommit{r.Name, c})
			}
		}
	}
	for _, r := range refs.Of(scanner.KindNote) {
		h.spread(h.commit(h.peel(g.Store.Find([]byte(r.Id)))), byNote, 0)
	}
	for i, r := range refs.Logged {
		h.spread(h.commit(h.peel(g.Store.Find([]byte(r.Id)))), byLog, int32(i))
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
func (h *history) commit(node int32) int32 {
	if node < 0 || int(node) >= len(h.at) {
		return objects.None
	}
	return h.at[node] - 1
}

// peel follows annotated tags to what is none.
func (h *history) peel(node int32) int32 {
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

// spread gives c and what it comes from the class, as far as they have none.
func (h *history) spread(c int32, class class, log int32) {
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
		h.class[c], h.log[c] = class, log
		for _, p := range h.graph.Commits[c].Parents {
			if p := h.commit(p); p != objects.None {
				stack = append(stack, p)
			}
		}
	}
}

// unreachable says what leads to a commit if no ref does, and "" if one does.
func (h *history) unreachable(c int32) string {
	switch h.class[c] {
	case byLog:
		name := h.refs.Logged[h.log[c]].Name
		if strings.HasSuffix(name, "}") {
			return "reflog " + name
		}
		return name
	case byNothing:
		return "dangling commit"
	}
	return ""
}

// topological returns the commits, parents first, of those that are free the
// oldest first.
func (h *history) topological() []int32 {
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

// carry returns for each commit the bits of own that it comes from. order is
// topological.
func (h *history) carry(order []int32, own map[int32]uint64) []uint64 {
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

// byDate is a heap of commits, the oldest first, numbers of their objects deciding
// between equals.
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
