package gitsource

import (
	"cmp"
	"context"
	"errors"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/history"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// Locate implements scanner.Source. It passes over ids that it does not know. For each other
// id it yields
//
//   - blob: each path it ever had, with the first commit, parents before
//     children and then by commit date, that has it there; below refs/notes the
//     kind is KindNote and the path the id of the annotated object;
//   - tree: as for a blob, the path of the directory, "." for the root;
//   - commit: itself;
//   - annotated tag: the tagger, and the commit that it leads to, if any;
//   - ref name, configuration, reflog: the name, as Path;
//   - file of the work tree: its path;
//   - text of a submodule: the same, paths of files behind its name.
//
// The commits that refs lead to come first, then those that only a reflog leads to, then
// dangling ones. A location is listed under the first commit that has it, and Unreachable
// says to which of the latter groups that belongs. If only a tag holds a blob or tree, and
// no commit, then it has no Commit and a path in the form "refs/tags/name:dir/file". If
// nothing holds it, it has no path, or its path in the index. yield is called in the
// calling goroutine.
//
// At most 1,000 locations of an id are listed (repo.MaxLocations), from the first commits:
// a few trees that contain each other can make any number. A path of more than 4,096 bytes
// loses its beginning.
//
// Locate reads nothing again that Blobs has read. If Blobs was not called before, the error
// counts the objects on the way that cannot be read.
func (r *Repository) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	refs := r.lastRefs
	if refs == nil {
		refs = r.refs()
	}
	if err := r.locateFiles(refs, ids, yield); err != nil {
		return err
	}
	g, closeGraph, err := r.graph(ctx, ids)
	if g != nil {
		defer closeGraph()
		err = errors.Join(pack.Guard(func() error { return r.locate(ctx, g, refs, ids, yield) }), err)
	}
	return errors.Join(err, r.locateSubmodules(ctx, ids, yield))
}

func (r *Repository) locate(ctx context.Context, g *graph.Graph, refs *repo.RefSet, blobs []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	hits := graph.Numbers(g.Store, blobs)
	if len(hits) == 0 {
		return nil
	}
	l := history.NewLocator(g, refs, hits)
	var noNames error
	ids := make([]pack.ID, len(hits))
	for i, hit := range hits {
		ids[i] = g.Store.ID(hit)
	}
	l.StagedPaths, noNames = r.dir.StagedPaths(ids)
	if err := l.Locate(ctx, hits); err != nil {
		return err
	}
	anyUnreferenced := false
	attribution := history.Attribution{Store: g.Store, Limit: max(cmp.Or(r.MaxBlobSize, objects.NoLimit), objects.MinGraphLimit), Known: map[int32]finding.Location{}}
	for i := range l.Found {
		f := &l.Found[i]
		if r.ReachableOnly && f.Unreachable != "" {
			continue
		}
		anyUnreferenced = anyUnreferenced || f.Unreachable == history.Unreferenced
		attribution.Fill(g, f)
		if err := yield(finding.BlobID(g.Store.ID(f.Node).String()), f.Location); err != nil {
			return err
		}
	}
	if !anyUnreferenced {
		noNames = nil // they are not needed
	}
	return errors.Join(attribution.Err(), noNames)
}

// graph returns a graph in which ids are marked: the graph of the last walk if that has
// read everything and marked them, else a new one. If both a graph and an error are
// returned, the graph lacks some objects.
func (r *Repository) graph(ctx context.Context, ids []finding.BlobID) (*graph.Graph, func(), error) {
	if r.lastGraph != nil && r.Seen == nil && r.lastGraph.HasMarked(ids) {
		return r.lastGraph, func() {}, nil
	}
	s := r.dir.OpenStore(r.Rest, r.Seen.hasPack, nil)
	nodes := graph.Numbers(s, ids)
	if len(nodes) == 0 {
		s.Close()
		return nil, nil, nil
	}
	lost := r.newProblems(s)
	walk := r.newWalk(s, scanner.Prefilter{}, func(b scanner.Blob) error {
		if b.Err != nil { // of a pack; objects are noted in walk.Failures
			lost = append(lost, b.Err)
		}
		return nil
	})
	walk.SkipPack, walk.SkipLoose = (*State)(nil).hasPack, (*State)(nil).hasLoose
	for _, n := range nodes {
		walk.Graph.Mark(n)
	}
	if err := walk.Links(ctx); err != nil {
		s.Close()
		return nil, nil, err
	}
	return walk.Graph, s.Close, walk.UnreadLinks(lost)
}
