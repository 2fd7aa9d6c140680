package pack

import (
	"cmp"
	"slices"
	"sync"
)

// A root is a tree of a forest with the number of bytes that it takes in the pack.
type root struct {
	entry  int32
	weight uint32 // in units of 16 bytes, so that 4 bytes do
}

// A queue hands out the trees of a forest to the goroutines of a walk.
type queue struct {
	mu    sync.Mutex
	roots []root // those that are left
	share uint64 // weight of a batch
}

// newQueue puts the roots of some types in the order of work: the heaviest trees first, so
// that no large tree is left for the end, when the other goroutines have nothing to do. The
// rest come type by type, in the order of types, and then in the order of the pack. typeOf has
// the type of each entry.
func newQueue(roots []root, typeOf, types []Type) *queue {
	rank := [16]int{broken: 1, external: 1} // each walk is told of these
	for i, t := range types {
		rank[t] = i + 1
	}
	total := uint64(0)
	for _, r := range roots {
		total += uint64(r.weight)
	}
	const shares = 1024 // for each goroutine: the last one ends about a share after the first
	q := &queue{share: total / uint64(shares*workers())}
	listOf := func(r root) (k int, wanted bool) { // 0 for the heavy roots, then the types
		k = rank[typeOf[r.entry]]
		if k > 0 && uint64(r.weight) > q.share {
			return 0, true
		}
		return k, k > 0
	}
	counts := make([]int, len(types)+1)
	for _, r := range roots {
		if k, wanted := listOf(r); wanted {
			counts[k]++
		}
	}
	next, all := make([]int, len(counts)), 0 // where the next root of each list goes
	for k, n := range counts {
		next[k], all = all, all+n
	}
	q.roots = make([]root, all)
	for _, r := range roots {
		if k, wanted := listOf(r); wanted {
			q.roots[next[k]] = r
			next[k]++
		}
	}
	slices.SortStableFunc(q.roots[:counts[0]], func(a, b root) int { return cmp.Compare(b.weight, a.weight) })
	return q
}

// take returns the next roots to work on, none at the end.
func (q *queue) take() []root {
	const most = 16 // so many are worth the lock
	q.mu.Lock()
	defer q.mu.Unlock()
	n, weight := 0, uint64(0)
	for n < min(len(q.roots), most) && weight <= q.share {
		weight += uint64(q.roots[n].weight)
		n++
	}
	batch := q.roots[:n]
	q.roots = q.roots[n:]
	return batch
}
