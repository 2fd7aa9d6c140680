// Package history works out where an object is: at which paths, since which commits, in
// which branches and tags. It also finds which missing or damaged objects a ref leads to.
//
//	graph ──► history: which refs or reflogs lead to each commit, and in which order they are
//	graph ──► path index: the trees that lead to a hit
//	both ──► locate: for each commit, parents first, the paths that it introduces
package history

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// A locator finds where hits are, in the graph.
type locator struct {
	graph   *graph.Graph
	refs    *repo.RefSet
	history *history
	order   []int32 // of the commits, topological
	ways    *ways
	met     map[place]bool
	placed  map[int32]bool // hits that a commit holds, or are one
	tags    map[int32]bool // hits that only a tag or a dangling tree holds
	Found   []found
	Index   map[pack.ID]string // paths of what is staged
}

// A found is a place of a hit.
type found struct {
	Node   int32
	commit int32 // in the graph; none if no commit holds it
	scanner.Provenance
}

// NewLocator prepares to locate hits, which are numbers of objects. What is to be
// known of trees and of commits is worked out at the same time.
func NewLocator(g *graph.Graph, refs *repo.RefSet, hits []int32) *locator {
	l := &locator{graph: g, refs: refs, met: map[place]bool{}, placed: map[int32]bool{}, tags: map[int32]bool{}}
	var trees errgroup.Group
	trees.Go(func() error {
		l.ways = newWays(g, hits) // of the graph alone: nothing that is mapped
		return nil
	})
	l.history = newHistory(g, refs)
	l.order = l.history.topological()
	_ = trees.Wait() // there are none
	return l
}

// Locate finds the places of all hits. The order is that of the classes of
// commits, so that a place that a branch has is not called dangling.
func (l *locator) Locate(ctx context.Context, hits []int32) error {
	for _, hit := range hits {
		l.message(hit)
	}
	for class := range classes {
		if err := l.introduced(ctx, class); err != nil {
			return err
		}
		if class == byRef {
			if err := l.tagged(ctx); err != nil {
				return err
			}
		}
	}
	if err := l.dangling(ctx); err != nil {
		return err
	}
	for _, hit := range hits {
		if !l.placed[hit] && !l.tags[hit] {
			l.Found = append(l.Found, found{hit, objects.None, l.stray(hit)})
		}
	}
	l.nameRefs()
	return nil
}

// introduced adds the places that the commits of a class introduce.
func (l *locator) introduced(ctx context.Context, class class) error {
	h := l.history
	var headTree pack.ID
	if c := h.commit(l.graph.Store.Find([]byte(l.refs.Head))); c != objects.None && class == byRef {
		headTree = l.graph.ObjectID(l.graph.Commits[c].Tree)
	}
	for _, c := range l.order {
		if h.class[c] != class {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		top := step{place{l.ways.number(l.graph.Commits[c].Tree), ""}, headTree}
		if err := l.ways.descend(ctx, top, l.met, func(s step) error { l.add(s, c, ""); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// stray is the place of an object that nothing leads to: the index perhaps.
func (l *locator) stray(hit int32) scanner.Provenance {
	if !l.graph.IsMissing(hit) {
		if path := l.Index[l.graph.Store.Id(hit)]; path != "" {
			return scanner.Provenance{Kind: scanner.KindIndex, Path: path}
		}
	}
	kind := scanner.KindBlob
	if l.graph.IsTree(hit) {
		kind = scanner.KindPath
	}
	return scanner.Provenance{Kind: kind, Unreachable: NotHeld}
}

const NotHeld = "no ref, reflog, commit or tree leads to it"

// add adds the place of a hit that commit c introduces.
func (l *locator) add(s step, c int32, unreachable string) {
	node := l.ways.nodes[s.node].object
	f := found{Node: node, commit: c}
	f.Kind, f.Path, f.AtHead = scanner.KindBlob, dirName(s.path), s.head != "" && s.head == l.graph.ObjectID(node)
	f.Unreachable = unreachable
	if c != objects.None {
		f.Unreachable = l.history.unreachable(c)
	}
	switch {
	case l.graph.IsTree(node):
		f.Kind = scanner.KindPath
	case c != objects.None && l.history.class[c] == byNote:
		// The id of the annotated object, cut into directories when there are
		// many (git's notes.c, "fanout").
		f.Kind, f.Path = scanner.KindNote, strings.ReplaceAll(f.Path, "/", "")
	}
	if c != objects.None {
		l.placed[node] = true
	} else {
		l.tags[node] = true
	}
	l.Found = append(l.Found, f)
}

// message adds a hit that is a commit or a tag: it is its own place.
func (l *locator) message(hit int32) {
	if c := l.history.commit(hit); c != objects.None {
		l.placed[hit] = true
		l.Found = append(l.Found, found{hit, c, scanner.Provenance{Kind: scanner.KindCommit, Unreachable: l.history.unreachable(c)}})
		return
	}
	if _, ok := l.history.tags[hit]; ok {
		l.placed[hit] = true
		f := found{hit, l.history.commit(l.history.peel(hit)), scanner.Provenance{Kind: scanner.KindTag}}
		if !l.history.known[hit] {
			f.Unreachable = "dangling tag"
		}
		l.Found = append(l.Found, f)
	}
}

// tagged adds the places of hits that refs and tags lead to without a commit.
func (l *locator) tagged(ctx context.Context) error {
	for _, r := range l.refs.Roots {
		target := l.history.peel(l.graph.Store.Find([]byte(r.Id)))
		if target == objects.None || l.history.commit(target) != objects.None {
			continue
		}
		name := r.Name
		if l.graph.IsTree(target) {
			name += ":"
		}
		top := step{place{l.ways.number(target), name}, ""}
		err := l.ways.descend(ctx, top, l.met, func(s step) error {
			if !l.placed[l.ways.nodes[s.node].object] {
				l.add(s, objects.None, "")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dangling adds the places of hits that only trees lead to that are themselves in
// no commit.
func (l *locator) dangling(ctx context.Context) error {
	tagged := maps.Clone(l.tags)
	for i := range l.ways.nodes {
		n := &l.ways.nodes[i]
		if len(n.entries) == 0 || n.inner {
			continue
		}
		label := "dangling tree " + l.graph.Store.Id(n.object).String()
		err := l.ways.descend(ctx, step{place{int32(i), ""}, ""}, l.met, func(s step) error {
			if hit := l.ways.nodes[s.node].object; !l.placed[hit] && !tagged[hit] {
				l.add(s, objects.None, label)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A Signer reads who made the commits and tags that places are about.
type Signer struct {
	Store *objects.Store
	Limit int64
	Known map[int32]scanner.Provenance
	count int   // of those that could not be read
	first error // of them
}

// Sign fills in who made the commit or tag that f is about.
func (s *Signer) Sign(g *graph.Graph, f *found) {
	node, key := f.Node, "tagger"
	if f.commit != objects.None {
		f.Commit = s.Store.Id(g.Commits[f.commit].Node).String()
	}
	if f.Kind != scanner.KindTag {
		if f.commit == objects.None {
			return
		}
		node, key = g.Commits[f.commit].Node, "author"
	}
	who, ok := s.Known[node]
	if !ok {
		_, data, err := s.Store.Read(s.Store.Id(node), s.Limit)
		if err != nil {
			s.count++
			s.first = cmp.Or(s.first, err)
		}
		from := objects.Signature(data, key)
		who = scanner.Provenance{Author: from.Name, Email: from.Email, Time: from.When}
		s.Known[node] = who
	}
	f.Author, f.Email, f.Time = who.Author, who.Email, who.Time
}

// Unread counts, in one error, what could be read once and not again.
func (s *Signer) Unread() error {
	if s.count == 0 {
		return nil
	}
	return fmt.Errorf("who made %d commits or tags could not be read, the first: %w", s.count, s.first)
}

// maxRefs is how many refs are named for one place.
const maxRefs = 5

// nameRefs fills in which refs lead to the commits found. Each pass carries 64 of
// them through the history at once, a bit each.
func (l *locator) nameRefs() {
	const perPass, passes = 64, 64
	type refs struct {
		first []string
		count int
	}
	var commits []int32
	named := map[int32]*refs{}
	for _, f := range l.Found {
		if named[f.commit] == nil && f.commit != objects.None && l.history.class[f.commit] == byRef && len(commits) < perPass*passes {
			named[f.commit] = &refs{}
			commits = append(commits, f.commit)
		}
	}
	for pass := range slices.Chunk(commits, perPass) {
		own := map[int32]uint64{}
		for bit, c := range pass {
			own[c] = 1 << bit
		}
		masks := l.history.carry(l.order, own)
		for _, r := range l.history.named { // 50,000, where pull requests are refs
			for mask := masks[r.commit]; mask != 0; mask &= mask - 1 {
				to := named[pass[bits.TrailingZeros64(mask)]]
				if to.count++; to.count <= maxRefs {
					to.first = append(to.first, r.name)
				}
			}
		}
	}
	for i := range l.Found {
		f := &l.Found[i]
		if to := named[f.commit]; to != nil {
			f.Refs, f.MoreRefs = to.first, to.count-len(to.first)
		}
	}
}

// dirName returns the path of a directory without the slash at its end, and
// other paths as they are.
func dirName(path string) string {
	return cmp.Or(strings.TrimSuffix(path, "/"), ".")
}
