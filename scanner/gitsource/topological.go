package gitsource

import (
	"bytes"
	"cmp"
	"container/heap"

	"github.com/go-git/go-git/v5/plumbing"
)

// topological sorts commits: parents first, of those that are free the oldest
// first.
func topological(commits []commit) []*commit {
	children := map[plumbing.Hash][]*commit{}
	known := make(map[plumbing.Hash]bool, len(commits))
	for i := range commits {
		known[commits[i].id] = true
	}
	waits := make(map[plumbing.Hash]int, len(commits))
	var ready byDate
	for i := range commits {
		c := &commits[i]
		for _, p := range c.parents {
			if known[p] {
				waits[c.id]++
				children[p] = append(children[p], c)
			}
		}
		if waits[c.id] == 0 {
			ready = append(ready, c)
		}
	}
	heap.Init(&ready)
	order := make([]*commit, 0, len(commits))
	for len(ready) > 0 {
		c := heap.Pop(&ready).(*commit)
		order = append(order, c)
		for _, child := range children[c.id] {
			if waits[child.id]--; waits[child.id] == 0 {
				heap.Push(&ready, child)
			}
		}
	}
	return order
}

// byDate is a heap of commits, the oldest first, ids deciding between equals.
type byDate []*commit

func (h byDate) Len() int { return len(h) }
func (h byDate) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].when, h[j].when), bytes.Compare(h[i].id[:], h[j].id[:])) < 0
}
func (h byDate) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byDate) Push(c any)   { *h = append(*h, c.(*commit)) }
func (h *byDate) Pop() any {
	c := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return c
}
