// Package gitsource reads git repositories: every object in them, each once, whether a ref
// leads to it or not.
//
//	r, err := gitsource.Open("some/repository")
//	if err != nil { … }
//	defer r.Close()
//	err = r.Blobs(ctx, func(b scanner.Blob) error { … }) // each distinct text
//	err = r.Locate(ctx, ids, yield)                      // where the hits are
//
// This package is the top of some layers. A layer calls only layers further down:
//
//	gitsource               Repository, Staged, Range: the Sources
//	  transport             clones and fetches; knows servers and folders, no objects
//	  history               where a hit is: paths, commits, refs
//	    objectwalk          reads all objects once, and fills
//	      graph             the links between them
//	  changes               the new lines of a commit, or of the index
//	    repo, gitindex      folders, refs, configuration, indexes
//	      reftable          refs and reflogs that are in no files of their own
//	      objects           an object by its id, or all by their numbers
//	        pack, inflate   the files of git
//
// Objects are read straight from the packs, in the order of the file, and not by path or by
// commit. So a file that stayed for a thousand commits costs as much as one that stayed for
// one, and an object that no commit holds any more is found as well. Blobs come first, then
// commits and tags, then trees. While the trees are read, their links are noted in a graph.
// Locate works out from the graph where the hits are; other objects are not located.
//
// Nothing is ever written to a repository. No command is run in it, and no hook, filter or
// helper of its configuration: it may belong to someone else. Blobs are read as stored, before
// any clean or smudge filter.
//
// # Fetching
//
// Clone makes a temporary repository with everything that a server has. Fetch makes one with
// everything new since the last time; only ids need to be kept in between. A server may send
// Fetch an object for a second time, if only older commits held it and new ones hold it again.
//
// git may repack while a repository is read. An object that has moved is looked for in its new
// place (internal/objects/packdir.go).
//
// # Limitations
//
// Grafts and replace refs are not applied: the replaced object and the replacement are both
// read. The checksums of packed objects are not computed: bytes that
// rot into other valid ones are read as they are. The checksums of loose objects are
// computed. But a blob in windows is yielded before its checksum is known, so a damaged
// copy is not replaced by a good one.
package gitsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/history"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objectwalk"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// A Repository is a git repository on disk. Make one with Open, Clone or Fetch. Use it from
// one goroutine at a time: Locate reads the notes that Blobs or BlobsMatching has made.
type Repository struct {
	// MaxBlobSize is the size in bytes from which an object is yielded with Err
	// set and not held in memory, unless it is stored whole: then it is yielded in
	// windows (scanner.Windows). Commits, tags and trees are read up to 32 MiB or
	// MaxBlobSize if that is more. 0 means no limit. Not to be changed during a
	// call.
	MaxBlobSize int64
	// ReachableOnly leaves out objects that no ref leads to. They are read all the same,
	// since a pack is read as a whole.
	ReachableOnly bool
	// SharedOnly leaves out refs that no other clone gets: stash entries, and the HEADs and
	// other refs of other work trees.
	SharedOnly bool
	// Seen lists packs and loose objects that need not be read again; nil lists none. If
	// Blobs or BlobsMatching reads to the end, and no object that a ref leads to is
	// missing, it sets Next to the list of everything read so far. Objects that a partial
	// clone leaves out do not count as missing.
	Seen, Next *State
	// Rest says that missing objects were read elsewhere, so that they are not reported as
	// unread. Damaged objects are. Fetch sets it.
	Rest bool

	dir  repo.Dir
	temp string // removed by Close

	received *pack.Received // the only pack, as long as it has no index

	fetched int64    // bytes
	absent  []string // ids that the server did not have

	isSubmodule    bool            // another repository, which yields the own files of both
	lastSubmodules []subRepository // of the last Blobs or BlobsMatching

	lastGraph *graph.Graph     // of the last Blobs or BlobsMatching
	lastRefs  *repo.RefSet     // of the same
	lookups   []*objects.Store // of Staged, Range and AtHead, to be closed
	head      *objects.HeadTree
}

var (
	_ scanner.Source          = (*Repository)(nil)
	_ scanner.SelectiveSource = (*Repository)(nil)
)

// Close closes the packs, and removes the folder that Clone or Fetch made. It may be called
// more than once, but not during another call.
func (r *Repository) Close() error {
	r.keepGraph(nil)
	for i := range r.lastSubmodules {
		_ = r.lastSubmodules[i].repo.Close() // closes files that were read
	}
	r.lastSubmodules = nil
	for _, s := range r.lookups {
		s.Close()
	}
	r.lookups = nil
	if r.temp == "" {
		return nil
	}
	return os.RemoveAll(r.temp)
}

// Fetched is how many bytes Fetch received.
func (r *Repository) Fetched() int64 { return r.fetched }

// Absent are the ids that the server did not give, among the blobs and the ids below
// refs/stanch/ that Fetch asked for.
func (r *Repository) Absent() []string { return r.absent }

// lookup opens the objects of r for reads by id. They stay open until Close.
func (r *Repository) lookup() *objects.Store {
	r.index()
	s := r.dir.OpenLookup()
	r.lookups = append(r.lookups, s)
	return s
}

// index makes the index of a pack that has none, before anybody looks for an object by its id.
// A pack for which that fails stays without, and the next read of all objects says why.
func (r *Repository) index() {
	if r.received != nil && pack.Guard(r.received.WriteIndex) == nil {
		r.received = nil
	}
}

func (r *Repository) refs() *repo.RefSet {
	refs := r.dir.Refs()
	if r.SharedOnly {
		refs.KeepShared(r.dir)
	}
	return refs
}

// limit is the size from which an object is not held in memory.
func (r *Repository) limit() int64 { return cmp.Or(r.MaxBlobSize, objects.NoLimit) }

// keepGraph keeps g for Locate, in place of the last graph.
func (r *Repository) keepGraph(g *graph.Graph) {
	if r.lastGraph != nil {
		r.lastGraph.Store.Close()
	}
	r.lastGraph = g
}

// Empty reports whether the repository holds no object: there is nothing to read,
// which is not the same as nothing found.
func (r *Repository) Empty() bool {
	for _, dir := range r.dir.ObjectDirs() {
		files, err := filepath.Glob(filepath.Join(dir, "[0-9a-f][0-9a-f]", "*"))
		packs, packErr := filepath.Glob(filepath.Join(dir, "pack", "*pack*"))
		_, noAlternates := os.Stat(filepath.Join(dir, "info", "alternates"))
		if err != nil || packErr != nil || len(files)+len(packs) > 0 || noAlternates == nil {
			return false
		}
	}
	return len(r.dir.Refs().Broken) == 0
}

// Blobs implements scanner.Source. It yields blobs (symlink targets too), the raw bytes of
// commits and annotated tags, the names in each tree, a line each, the name of each ref, the
// configuration and reflogs, which hold URLs, and tracked files of the work tree that were
// changed since they were staged; and the same of submodules that have been cloned. It calls
// yield from several goroutines at once.
//
// A part of the repository that cannot be read is yielded with Err: each object that is
// damaged, or that is missing although a ref leads to it; packs that cannot be opened; refs
// that cannot be read; and, in one blob each, that a shallow history is cut off and that
// objects were left out of a partial clone. Missing objects are never fetched.
func (r *Repository) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	return r.BlobsMatching(ctx, scanner.Prefilter{Whole: func([]byte) bool { return true }}, yield)
}

// BlobsMatching implements scanner.SelectiveSource. It puts a blob together that is a
// delta, and the base of no other, only if its new bytes may match.
func (r *Repository) BlobsMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	return pack.Guard(func() error { return r.readMatching(ctx, p, yield) })
}

func (r *Repository) readMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	yield = r.withLFS(yield)
	refs := r.refs()
	if r.Seen != nil || r.limit() < pack.MaxWhole {
		r.index() // not all objects will be put together
	}
	store := r.dir.OpenStore(r.Rest, r.Seen.hasPack, r.received)
	walk := r.newWalk(store, p, yield)
	if r.ReachableOnly { // not known before the end
		walk.Yield = func(scanner.Blob) error { return nil }
	} else if p.Total != nil {
		p.Total(walk.Total())
	}
	if err := r.yieldMetadata(ctx, store, refs, yield); err != nil {
		store.Close()
		return err
	}
	if err := walk.All(ctx); err != nil {
		store.Close()
		return err
	}
	r.received = nil // it has an index now
	r.keepGraph(walk.Graph)
	r.lastRefs = refs
	end := r.completeness(walk, refs, yield)
	if err := end.YieldUnread(ctx); err != nil {
		return err
	}
	if r.ReachableOnly {
		if err := end.YieldReachable(ctx); err != nil {
			return err
		}
	}
	if r.Seen != nil && !end.Incomplete {
		r.Next = &State{Version: r.Seen.Version, Missing: end.Missing()}
		r.Next.Packs, r.Next.Loose = walk.ReadWhole()
	}
	return r.readSubmodules(ctx, p, yield)
}

func (r *Repository) newWalk(s *objects.Store, p scanner.Prefilter, yield func(scanner.Blob) error) *objectwalk.Walk {
	if _, err := r.dir.Shallow(); err != nil {
		s.AddProblem(r.dir.ShallowFile(), err)
	}
	walk := objectwalk.NewWalk(s, r.limit(), p, yield)
	walk.SkipPack, walk.SkipLoose = r.Seen.hasPack, r.Seen.hasLoose
	return walk
}

func (r *Repository) completeness(walk *objectwalk.Walk, refs *repo.RefSet, yield func(scanner.Blob) error) *history.Completeness {
	shallow, _ := r.dir.Shallow() // newWalk has noted why
	end := &history.Completeness{Walk: walk, Refs: refs, Shallow: shallow, Yield: yield}
	if r.Seen != nil {
		end.Seen, end.SeenMissing = len(r.Seen.Packs)+len(r.Seen.Loose) > 0, r.Seen.Missing
	}
	return end
}

// yieldMetadata yields everything but objects: the names of refs, configuration and logs, and
// the parts of the repository that could not be opened.
func (r *Repository) yieldMetadata(ctx context.Context, s *objects.Store, refs *repo.RefSet, yield func(scanner.Blob) error) error {
	blobs := slices.Clone(refs.Broken)
	for _, n := range s.Problems {
		blobs = append(blobs, scanner.Blob{ID: finding.BlobID(n.Path), Kind: finding.KindBlob, Name: n.Path, Err: n.Err})
	}
	blobs = append(blobs, r.shallowBlob()...)
	for _, b := range blobs {
		if err := errors.Join(ctx.Err(), yield(b)); err != nil {
			return err
		}
	}
	for _, ref := range refs.Refs { // tens of thousands, where pull requests are refs
		if !ref.IsNamed() {
			continue
		}
		b := scanner.Blob{ID: finding.BlobID(ref.Name), Kind: finding.KindRefName, Name: ref.Name, Data: []byte(ref.Name)}
		if err := errors.Join(ctx.Err(), yield(b)); err != nil {
			return err
		}
	}
	for _, log := range refs.Tabled {
		b := scanner.Blob{ID: finding.BlobID(log.Name), Kind: finding.KindReflog, Name: log.Name, Data: log.Text}
		if err := errors.Join(ctx.Err(), yield(b)); err != nil {
			return err
		}
	}
	if !r.isSubmodule {
		if err := r.yieldMetadataFiles(ctx, yield); err != nil {
			return err
		}
	}
	return r.yieldModified(ctx, yield)
}

// shallowBlob returns a blob which says that a shallow clone lacks history, or none.
func (r *Repository) shallowBlob() []scanner.Blob {
	shallow, _ := r.dir.Shallow()
	if len(shallow) == 0 {
		return nil
	}
	return []scanner.Blob{{
		ID: "shallow clone", Kind: finding.KindCommit, Name: "shallow clone",
		Err: fmt.Errorf("history is cut off at %s; run git fetch --unshallow", printable.Plural(len(shallow), "shallow commit")),
	}}
}

// newProblems returns the parts of s that could not be opened, except for those that Blobs
// has reported.
func (r *Repository) newProblems(s *objects.Store) (errs []error) {
	for _, n := range s.Problems {
		if r.lastGraph == nil || !slices.ContainsFunc(r.lastGraph.Store.Problems, func(old objects.Problem) bool { return old.Path == n.Path }) {
			errs = append(errs, fmt.Errorf("%s: %w", n.Path, n.Err))
		}
	}
	return errs
}
