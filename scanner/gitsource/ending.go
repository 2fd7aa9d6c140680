package gitsource

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// An ending is what can be said of a reading only when all is read.
type ending struct {
	*reading
	refs    *refSet
	shallow map[pack.ID]bool // commits whose parents are missing by intent
	yield   func(scanner.Blob) error
	// seen says that something was read before, and is not in the graph. Of what was
	// missing then, seenMissing is the number.
	seen        bool
	seenMissing int

	incomplete bool // objects are missing that ought to be here
}

// maxNamed is how many unread objects are reported one by one.
const maxNamed = 1000

// unread yields the objects that are damaged, each under a path, and those that
// are missing, if a ref leads to them.
func (e *ending) unread(ctx context.Context) error {
	nodes := slices.DeleteFunc(slices.Clone(e.badIDs), func(n int32) bool { return e.bad[n] == nil })
	lost := e.lost()
	e.incomplete = len(lost)+len(e.reading.lost) > 0 || e.graph.skipped > 0 && !e.store.partial
	all := append(nodes, lost...)
	names := map[int32]string{}
	if len(all) > 0 {
		var err error
		if names, err = e.names(ctx, all[:min(len(all), maxNamed)]); err != nil {
			return err
		}
	}
	count := 0
	report := func(n int32, err error) error {
		if count++; count > maxNamed {
			return nil
		}
		id := e.graph.objectID(n).String()
		return e.yield(scanner.Blob{
			ID: scanner.BlobID(id), Kind: scanner.KindBlob, Name: cmp.Or(names[n], id),
			Err: fmt.Errorf("%s: %w", describe(id, names[n]), err),
		})
	}
	for _, n := range nodes {
		if err := report(n, explain(e.bad[n])); err != nil {
			return err
		}
	}
	for _, n := range lost {
		if err := report(n, errMissing); err != nil {
			return err
		}
	}
	if count > maxNamed {
		return e.yield(scanner.Blob{ID: "more", Kind: scanner.KindBlob, Name: "objects", Err: fmt.Errorf("%d more objects are damaged or missing", count-maxNamed)})
	}
	return e.partial()
}

// partial reports, in one blob, what a partial clone left out.
func (e *ending) partial() error {
	n := e.missing()
	if n == 0 || e.store.rest {
		return nil
	}
	why := fmt.Errorf("%d objects are not in this partial clone and are never fetched; clone again without --filter", n)
	if !e.store.partial {
		why = fmt.Errorf("%d more objects are missing", e.graph.skipped)
	}
	return e.yield(scanner.Blob{ID: "partial clone", Kind: scanner.KindBlob, Name: "partial clone", Err: why})
}

// missing is how many objects a partial clone does not hold, as far as is known:
// what was seen before is not counted again.
func (e *ending) missing() int {
	if e.store.partial {
		return max(e.graph.skipped, e.seenMissing)
	}
	return e.graph.skipped
}

// lost returns the missing objects that a ref leads to. Others are of no concern:
// git prunes old objects that newer dangling ones refer to. The parents of shallow
// commits are missing by intent.
func (e *ending) lost() []int32 {
	g := e.graph
	refs := make([]int32, 0)
	for _, r := range e.refs.roots {
		if r.id == "" {
			continue
		}
		n := e.store.find([]byte(r.id))
		if n == none {
			n = g.lose(r.id)
		}
		refs = append(refs, n)
	}
	if len(g.missing) == 0 {
		return nil
	}
	if e.seen {
		// What was seen before is not in the graph: whether a ref leads there by it is
		// not known.
		return e.allMissing()
	}
	reach := e.reach(refs)
	var lost []int32
	for i := range g.missing {
		if n := int32(e.store.len() + i); reach.has(n) {
			lost = append(lost, n)
		}
	}
	return lost
}

func (e *ending) allMissing() []int32 {
	lost := make([]int32, len(e.graph.missing))
	for i := range lost {
		lost[i] = int32(e.store.len() + i)
	}
	return lost
}

// reach returns what objects lead to, missing ones included.
func (e *ending) reach(from []int32) bitset {
	g := e.graph
	reach := newBitset(e.store.len() + len(g.missing))
	h := newHistory(g, &refSet{})
	stack := slices.Clone(from)
	push := func(n int32) {
		if n != none && !reach.has(n) {
			stack = append(stack, n)
		}
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == none || reach.has(n) {
			continue
		}
		reach.set(n)
		if target, ok := h.tags[n]; ok {
			push(target)
		} else if c := h.commit(n); c != none {
			push(g.commits[c].tree)
			if !e.shallow[e.store.id(n)] {
				for _, p := range g.commits[c].parents {
					push(p)
				}
			}
		}
		g.edges(n, func(e edge) { push(e.node) })
	}
	return reach
}

// names returns a path for each of nodes that has one.
func (e *ending) names(ctx context.Context, nodes []int32) (map[int32]string, error) {
	l := newLocator(e.graph, e.refs, nodes)
	if err := l.locate(ctx, nodes); err != nil {
		return nil, err
	}
	names := map[int32]string{}
	for _, r := range e.refs.roots {
		if n := e.store.find([]byte(r.id)); n != none {
			names[n] = r.name
		} else if n, ok := e.graph.absent[r.id]; ok {
			names[n] = r.name
		}
	}
	for _, f := range l.found {
		if _, ok := names[f.node]; !ok && f.Path != "" {
			names[f.node] = f.Path
		}
	}
	return names, nil
}

// reachable reads those texts again that may hold something and that a ref leads
// to, and yields them.
func (e *ending) reachable(ctx context.Context) error {
	var roots []int32
	for _, r := range e.refs.roots {
		roots = append(roots, e.store.find([]byte(r.id)))
	}
	return e.again(ctx, e.reach(roots), e.yield)
}

// describe names an object in a message.
func describe(id, name string) string {
	if name == "" || name == id {
		return id
	}
	return fmt.Sprintf("%s (%s)", id, name)
}
