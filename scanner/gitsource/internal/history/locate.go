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

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// A Locator finds where hits are, in the graph.
type Locator struct {
	graph         *graph.Graph
	refs          *repo.RefSet
	commits       *commitIndex
	order         []int32 // of the commits, topological
	paths         *pathIndex
	visited       map[location]bool
	located       map[int32]bool // hits that a commit holds, or are one
	withoutCommit map[int32]bool // hits that only a tag or a dangling tree holds
	Found         []FoundLocation
	StagedPaths   map[pack.ID]string // paths of staged files
}

// A FoundLocation is a location of a hit.
type FoundLocation struct {
	Node   int32
	commit int32 // in the graph; none if no commit holds it
	finding.Location
}

// NewLocator prepares to locate hits, which are numbers of objects. It indexes trees and
// commits at the same time.
func NewLocator(g *graph.Graph, refs *repo.RefSet, hits []int32) *Locator {
	l := &Locator{graph: g, refs: refs, visited: map[location]bool{}, located: map[int32]bool{}, withoutCommit: map[int32]bool{}}
	var trees errgroup.Group
	trees.Go(func() error {
		l.paths = newPathIndex(g, hits) // of the graph alone: nothing that is mapped
		return nil
	})
	l.commits = newCommitIndex(g, refs)
	l.order = l.commits.topological()
	_ = trees.Wait() // there are none
	return l
}

// Locate finds the locations of all hits. It goes through the classes of commits in order,
// so that a location that a branch has is not called dangling.
func (l *Locator) Locate(ctx context.Context, hits []int32) error {
	for _, hit := range hits {
		l.locateMessage(hit)
	}
	for class := range classes {
		if err := l.locateIntroduced(ctx, class); err != nil {
			return err
		}
		if class == byRef {
			if err := l.locateTagged(ctx); err != nil {
				return err
			}
		}
	}
	if err := l.locateDangling(ctx); err != nil {
		return err
	}
	for _, hit := range hits {
		if !l.located[hit] && !l.withoutCommit[hit] {
			l.Found = append(l.Found, FoundLocation{hit, objects.None, l.unreferenced(hit)})
		}
	}
	l.nameRefs()
	return nil
}

// locateIntroduced adds the locations that the commits of a class introduce.
func (l *Locator) locateIntroduced(ctx context.Context, class refClass) error {
	h := l.commits
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
		top := step{location{l.paths.nodeOf(l.graph.Commits[c].Tree), ""}, headTree}
		if err := l.paths.descend(ctx, top, l.visited, func(s step) error { l.add(s, c, ""); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// unreferenced returns the location of an object that no ref, commit or tree leads to: its
// path in the index, if it has one.
func (l *Locator) unreferenced(hit int32) finding.Location {
	if !l.graph.IsMissing(hit) {
		if path := l.StagedPaths[l.graph.Store.ID(hit)]; path != "" {
			return finding.Location{Kind: finding.KindIndex, Path: path}
		}
	}
	kind := finding.KindBlob
	if l.graph.IsTree(hit) {
		kind = finding.KindPath
	}
	return finding.Location{Kind: kind, Unreachable: Unreferenced}
}

const Unreferenced = "no ref, reflog, commit or tree leads to it"

// add adds the location of a hit that commit c introduces.
func (l *Locator) add(s step, c int32, unreachable string) {
	node := l.paths.nodes[s.node].object
	f := FoundLocation{Node: node, commit: c}
	f.Kind, f.Path, f.AtHead = finding.KindBlob, dirName(s.path), s.atHead != "" && s.atHead == l.graph.ObjectID(node)
	f.Unreachable = unreachable
	if c != objects.None {
		f.Unreachable = l.commits.unreachable(c)
	}
	switch {
	case l.graph.IsTree(node):
		f.Kind = finding.KindPath
	case c != objects.None && l.commits.class[c] == byNote:
		// The id of the annotated object, cut into directories when there are
		// many (git's notes.c, "fanout").
		f.Kind, f.Path = finding.KindNote, strings.ReplaceAll(f.Path, "/", "")
	}
	if c != objects.None {
		l.located[node] = true
	} else {
		l.withoutCommit[node] = true
	}
	l.Found = append(l.Found, f)
}

// locateMessage adds a hit that is a commit or a tag: it is its own location.
func (l *Locator) locateMessage(hit int32) {
	if c := l.commits.commit(hit); c != objects.None {
		l.located[hit] = true
		l.Found = append(l.Found, FoundLocation{hit, c, finding.Location{Kind: finding.KindCommit, Unreachable: l.commits.unreachable(c)}})
		return
	}
	if _, ok := l.commits.tags[hit]; ok {
		l.located[hit] = true
		f := FoundLocation{hit, l.commits.commit(l.commits.peel(hit)), finding.Location{Kind: finding.KindTag}}
		if !l.commits.referencedTags[hit] {
			f.Unreachable = "dangling tag"
		}
		l.Found = append(l.Found, f)
	}
}

// locateTagged adds the locations of hits that refs and tags lead to without a commit.
func (l *Locator) locateTagged(ctx context.Context) error {
	for _, r := range l.refs.Refs {
		target := l.commits.peel(l.graph.Store.Find([]byte(r.ID)))
		if target == objects.None || l.commits.commit(target) != objects.None {
			continue
		}
		name := r.Name
		if l.graph.IsTree(target) {
			name += ":"
		}
		top := step{location{l.paths.nodeOf(target), name}, ""}
		err := l.paths.descend(ctx, top, l.visited, func(s step) error {
			if !l.located[l.paths.nodes[s.node].object] {
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

// locateDangling adds the locations of hits in trees that no commit contains.
func (l *Locator) locateDangling(ctx context.Context) error {
	tagged := maps.Clone(l.withoutCommit)
	for i := range l.paths.nodes {
		n := &l.paths.nodes[i]
		if len(n.entries) == 0 || n.hasParent {
			continue
		}
		label := "dangling tree " + l.graph.Store.ID(n.object).String()
		err := l.paths.descend(ctx, step{location{int32(i), ""}, ""}, l.visited, func(s step) error {
			if hit := l.paths.nodes[s.node].object; !l.located[hit] && !tagged[hit] {
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

// An Attribution reads who made the commits and tags that locations are about.
type Attribution struct {
	Store *objects.Store
	Limit int64
	Known map[int32]finding.Location
	count int   // of those that could not be read
	first error // of them
}

// Fill fills in who made the commit or tag that f is about.
func (s *Attribution) Fill(g *graph.Graph, f *FoundLocation) {
	node, key := f.Node, "tagger"
	if f.commit != objects.None {
		f.Commit = s.Store.ID(g.Commits[f.commit].Node).String()
	}
	if f.Kind != finding.KindTag {
		if f.commit == objects.None {
			return
		}
		node, key = g.Commits[f.commit].Node, "author"
	}
	who, ok := s.Known[node]
	if !ok {
		_, data, err := s.Store.Read(s.Store.ID(node), s.Limit)
		if err != nil {
			s.count++
			s.first = cmp.Or(s.first, err)
		}
		from := objects.Signature(data, key)
		who = finding.Location{Author: from.Name, Email: from.Email, Time: from.When}
		s.Known[node] = who
	}
	f.Author, f.Email, f.Time = who.Author, who.Email, who.Time
}

// Err returns one error that counts the commits and tags that could be read the first time
// and not the second.
func (s *Attribution) Err() error {
	if s.count == 0 {
		return nil
	}
	return fmt.Errorf("the authors of %d commits or tags could not be read, the first: %w", s.count, s.first)
}

// maxRefs is how many refs are named for one location.
const maxRefs = 5

// nameRefs fills in which refs lead to the commits found. Each pass carries 64 refs through
// the history at once, one bit for each.
func (l *Locator) nameRefs() {
	const perPass, passes = 64, 64
	type refs struct {
		first []string
		count int
	}
	var commits []int32
	named := map[int32]*refs{}
	for _, f := range l.Found {
		if named[f.commit] == nil && f.commit != objects.None && l.commits.class[f.commit] == byRef && len(commits) < perPass*passes {
			named[f.commit] = &refs{}
			commits = append(commits, f.commit)
		}
	}
	for pass := range slices.Chunk(commits, perPass) {
		own := map[int32]uint64{}
		for bit, c := range pass {
			own[c] = 1 << bit
		}
		masks := l.commits.propagate(l.order, own)
		for _, r := range l.commits.named { // 50,000, where pull requests are refs
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
