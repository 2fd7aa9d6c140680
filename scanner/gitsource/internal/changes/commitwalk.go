package changes

import (
	"container/heap"
	"context"
	"errors"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// ErrShallow says that history is needed that a shallow clone does not have.
var ErrShallow = errors.New("the clone is shallow, and its history ends too early")

// A walkedCommit is a commit that the walk has come to.
type walkedCommit struct {
	id pack.ID
	objects.CommitLinks
	excluded, visited bool
	isShallow         bool  // its parents are not in the clone
	err               error // it cannot be read
}

// A commitWalk lists the commits that some lead to and others do not, as git
// rev-list does: by date, the latest first, until all that is left is excluded. A
// commit with a wrong date may make it list more, never less.
type commitWalk struct {
	store   *objects.Store
	shallow map[pack.ID]bool
	seen    map[pack.ID]*walkedCommit
	queue   newestFirst
	wanted  int // in the queue, and not excluded
}

func newCommitWalk(d repo.Dir, s *objects.Store) (*commitWalk, error) {
	shallow, err := d.Shallow()
	return &commitWalk{store: s, shallow: shallow, seen: map[pack.ID]*walkedCommit{}}, err
}

// add begins at a commit. An excluded commit that is not here excludes nothing.
func (w *commitWalk) add(id pack.ID, excluded bool) {
	if c := w.seen[id]; c == nil {
		links, err := objects.ReadCommit(w.store, id)
		w.addRead(id, links, err, excluded)
	} else if excluded {
		w.exclude(c)
	}
}

// addRead begins at a commit that was not seen before, and has been read.
func (w *commitWalk) addRead(id pack.ID, links objects.CommitLinks, err error, excluded bool) {
	c := &walkedCommit{id: id, CommitLinks: links, err: err, excluded: excluded}
	c.isShallow = w.shallow[id] // the parents that it names are not here
	w.seen[id] = c
	if c.isShallow {
		c.Parents = nil
	}
	if excluded && c.err != nil {
		return
	}
	heap.Push(&w.queue, c)
	if !excluded {
		w.wanted++
	}
}

// addPeeled begins at the commit that an id names, itself or through tags.
func (w *commitWalk) addPeeled(hex string, excluded bool) {
	if id, ok := pack.ParseID([]byte(hex)); ok {
		if id, ok = objects.Peel(w.store, id); ok {
			w.add(id, excluded)
		}
	}
}

// exclude marks c and its ancestors, as far as they are known.
func (w *commitWalk) exclude(c *walkedCommit) {
	for stack := []*walkedCommit{c}; len(stack) > 0; {
		c, stack = stack[len(stack)-1], stack[:len(stack)-1]
		if c.excluded {
			continue
		}
		c.excluded = true
		if !c.visited {
			w.wanted--
		}
		for _, p := range c.Parents {
			if known := w.seen[p]; known != nil {
				stack = append(stack, known)
			}
		}
	}
}

// slop is how many more commits the walk looks at when it seems to be over, in case dates
// are wrong. git looks at 5 (SLOP in revision.c).
const slop = 64

// list returns the commits, parents before children as far as dates are right.
func (w *commitWalk) list(ctx context.Context) ([]*walkedCommit, error) {
	var found []*walkedCommit
	oldest, left := int64(0), slop
	for n := 0; len(w.queue) > 0; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c, _ := heap.Pop(&w.queue).(*walkedCommit)
		// All commits that are left are excluded, and older than those that were found: unless
		// a date is wrong, they lead to none of these.
		if left--; w.wanted > 0 || len(found) > 0 && c.When >= oldest {
			left = slop
		} else if left <= 0 || len(found) == 0 {
			break
		}
		c.visited = true
		if !c.excluded {
			w.wanted--
			if oldest = c.When; len(found) > 0 {
				oldest = min(oldest, found[len(found)-1].When)
			}
			found = append(found, c)
		}
		for _, p := range c.Parents {
			w.add(p, c.excluded)
		}
	}
	var kept []*walkedCommit
	for i := len(found) - 1; i >= 0; i-- {
		if !found[i].excluded {
			kept = append(kept, found[i])
		}
	}
	return kept, nil
}

// newestFirst is a heap of commits, the latest first.
type newestFirst []*walkedCommit

func (q newestFirst) Len() int           { return len(q) }
func (q newestFirst) Less(i, j int) bool { return q[i].When > q[j].When }
func (q newestFirst) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *newestFirst) Push(c any) { *q = append(*q, c.(*walkedCommit)) }

// Pop implements heap.Interface.
func (q *newestFirst) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
