package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objectwalk"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// A Completeness says, when a walk has come to its end, which objects are missing or damaged
// and whether a ref leads to them.
type Completeness struct {
	*objectwalk.Walk
	Refs    *repo.RefSet
	Shallow map[pack.ID]bool // commits whose parents are missing by intent
	Yield   func(scanner.Blob) error
	// Seen says that some objects were read before this walk, and are not in the graph.
	// SeenMissing is how many were missing then.
	Seen        bool
	SeenMissing int

	Incomplete bool // objects are missing that ought to be here
}

// maxNamed is how many unread objects are reported one by one.
const maxNamed = 1000

// YieldUnread yields the objects that are damaged, each under a path, and those that
// are missing, if a ref leads to them.
func (e *Completeness) YieldUnread(ctx context.Context) error {
	nodes := slices.DeleteFunc(slices.Clone(e.Failed), func(n int32) bool { return e.Failures[n] == nil })
	lost := e.missingReferenced()
	e.Incomplete = len(lost)+len(e.Walk.LostPacks) > 0 || e.Graph.Skipped > 0 && !e.Store.Partial
	all := append(nodes, lost...)
	names := map[int32]string{}
	if len(all) > 0 {
		var err error
		if names, err = e.pathsOf(ctx, all[:min(len(all), maxNamed)]); err != nil {
			return err
		}
	}
	count := 0
	report := func(n int32, err error) error {
		if count++; count > maxNamed {
			return nil
		}
		id := e.Graph.ObjectID(n).String()
		return e.Yield(scanner.Blob{
			ID: finding.BlobID(id), Kind: finding.KindBlob, Name: cmp.Or(names[n], id),
			Err: fmt.Errorf("%s: %w", describe(id, names[n]), err),
		})
	}
	for _, n := range nodes {
		if err := report(n, objectwalk.ExplainDamage(e.Failures[n])); err != nil {
			return err
		}
	}
	for _, n := range lost {
		if err := report(n, objects.ErrMissing); err != nil {
			return err
		}
	}
	if count > maxNamed {
		return e.Yield(scanner.Blob{ID: "more", Kind: finding.KindBlob, Name: "objects", Err: fmt.Errorf("%s more are damaged or missing", printable.Thousands(count-maxNamed))})
	}
	return e.partial()
}

// partial yields one blob that says how many objects a partial clone left out.
func (e *Completeness) partial() error {
	n := e.Missing()
	if n == 0 || e.Store.MissingElsewhere {
		return nil
	}
	why := fmt.Errorf("it lacks %s, which stanch does not fetch; clone again without --filter", printable.Plural(n, "object"))
	if !e.Store.Partial {
		why = fmt.Errorf("%s more missing", printable.Plural(e.Graph.Skipped, "object"))
	}
	return e.Yield(scanner.Blob{ID: "partial clone", Kind: finding.KindBlob, Name: "partial clone", Err: why})
}

// Missing is how many objects a partial clone is known to lack. Objects that were read
// before are not counted again.
func (e *Completeness) Missing() int {
	if e.Store.Partial {
		return max(e.Graph.Skipped, e.SeenMissing)
	}
	return e.Graph.Skipped
}

// missingReferenced returns the missing objects that a ref leads to. Others do not matter:
// git prunes old objects that newer dangling ones refer to. The parents of shallow commits
// are missing by intent.
func (e *Completeness) missingReferenced() []int32 {
	g := e.Graph
	refs := make([]int32, 0)
	for _, r := range e.Refs.Refs {
		if r.ID == "" {
			continue
		}
		n := e.Store.Find([]byte(r.ID))
		if n == objects.None {
			n = g.AddMissing(r.ID)
		}
		refs = append(refs, n)
	}
	if len(g.Missing) == 0 {
		return nil
	}
	if e.Seen {
		// Objects that were read before are not in the graph: whether a ref leads to a missing
		// object by way of them is not known.
		return e.allMissing()
	}
	reach := e.reachableFrom(refs)
	var lost []int32
	for i := range g.Missing {
		if n := int32(e.Store.Len() + i); reach.Has(n) {
			lost = append(lost, n)
		}
	}
	return lost
}

func (e *Completeness) allMissing() []int32 {
	lost := make([]int32, len(e.Graph.Missing))
	for i := range lost {
		lost[i] = int32(e.Store.Len() + i)
	}
	return lost
}

// reachableFrom returns all objects that some lead to, missing ones included.
func (e *Completeness) reachableFrom(from []int32) graph.Bitset {
	g := e.Graph
	reach := graph.NewBitset(e.Store.Len() + len(g.Missing))
	h := newCommitIndex(g, &repo.RefSet{})
	stack := slices.Clone(from)
	push := func(n int32) {
		if n != objects.None && !reach.Has(n) {
			stack = append(stack, n)
		}
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == objects.None || reach.Has(n) {
			continue
		}
		reach.Set(n)
		if target, ok := h.tags[n]; ok {
			push(target)
		} else if c := h.commit(n); c != objects.None {
			push(g.Commits[c].Tree)
			if !e.Shallow[e.Store.ID(n)] {
				for _, p := range g.Commits[c].Parents {
					push(p)
				}
			}
		}
		g.Edges(n, func(e graph.Edge) { push(e.Node) })
	}
	return reach
}

// pathsOf returns a path for each of nodes that has one.
func (e *Completeness) pathsOf(ctx context.Context, nodes []int32) (map[int32]string, error) {
	l := NewLocator(e.Graph, e.Refs, nodes)
	if err := l.Locate(ctx, nodes); err != nil {
		return nil, err
	}
	names := map[int32]string{}
	for _, r := range e.Refs.Refs {
		if n := e.Store.Find([]byte(r.ID)); n != objects.None {
			names[n] = r.Name
		} else if n, ok := e.Graph.Absent[r.ID]; ok {
			names[n] = r.Name
		}
	}
	for _, f := range l.Found {
		if _, ok := names[f.Node]; !ok && f.Path != "" {
			names[f.Node] = f.Path
		}
	}
	return names, nil
}

// YieldReachable reads again the texts that may hold a match and that a ref leads to, and
// yields them.
func (e *Completeness) YieldReachable(ctx context.Context) error {
	var roots []int32
	for _, r := range e.Refs.Refs {
		roots = append(roots, e.Store.Find([]byte(r.ID)))
	}
	return e.YieldAgain(ctx, e.reachableFrom(roots), e.Yield)
}

// describe names an object in a message.
func describe(id, name string) string {
	if name == "" || name == id {
		return id
	}
	return fmt.Sprintf("%s (%s)", id, name)
}
