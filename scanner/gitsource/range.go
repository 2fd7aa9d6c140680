package gitsource

import (
	"context"
	"fmt"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A Range is a Source of what some commits bring and others do not have, as "git
// rev-list INCLUDE --not EXCLUDE" lists it: of each commit, the files that equal no
// parent, the names of new files, and the commit object itself with its message; of
// tags, the tag object. What one commit adds and the next removes is there. Only what is
// new in a file is a hit (scanner.Blob.New), as for Staged.
//
// What is needed and missing is yielded with Err: a commit to begin at, a tree, and
// with ErrShallow the parents of a commit at which a shallow clone was cut off. All
// files of that count as new then. What is to be excluded and is not here excludes
// nothing: more is read.
//
// In a hook of the server, the objects that are being pushed are found by the
// variables that git sets (git-receive-pack(1), "Quarantine Environment").
type Range struct {
	Repo *Repository
	// Include and Exclude are ids of commits or tags, in hex.
	Include, Exclude []string
	// Names are texts too: the names that refs are to have.
	Names []string
	// Head is the id of the commit that counts as HEAD for Provenance.AtHead, "" for none.
	Head string
	// Looked is what Blobs has looked at.
	Looked Looked

	last *changes
}

var _ scanner.Source = (*Range)(nil)

// Blobs implements scanner.Source. It calls yield from several goroutines at once.
func (g *Range) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	return pack.Guard(func() error { return g.blobs(ctx, yield) })
}

func (g *Range) blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	store := g.Repo.lookup()
	for _, n := range store.notes {
		if err := yield(scanner.Blob{ID: scanner.BlobID(n.path), Kind: scanner.KindBlob, Name: n.path, Err: n.err}); err != nil {
			return err
		}
	}
	g.last = &changes{store: store, limit: g.Repo.limit(), kind: scanner.KindBlob, yield: yield}
	for _, name := range g.Names {
		b := scanner.Blob{ID: scanner.BlobID("ref " + name), Kind: scanner.KindRefName, Name: name, Data: []byte(name)}
		if g.last.note(b.ID, changed{kind: b.Kind, path: name}) {
			if err := yield(b); err != nil {
				return err
			}
		}
	}
	walk, err := newCommitWalk(g.Repo, store)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		ids      []string
		excluded bool
	}{{g.Exclude, true}, {g.Include, false}} {
		for _, id := range x.ids {
			if err := g.begin(ctx, walk, id, x.excluded); err != nil {
				return err
			}
		}
	}
	commits, err := walk.list(ctx)
	if err != nil {
		return err
	}
	g.Looked.Commits = len(commits)
	trees := &treeCache{}
	for _, c := range commits {
		if err := g.commit(ctx, c, trees, walk); err != nil {
			return err
		}
	}
	g.Looked.Files = int(g.last.files.Load())
	return nil
}

// CountCommits returns how many commits some lead to and others do not, ids in hex as of
// Range. An id that is not here, or names neither a commit nor a tag, counts for nothing.
func (r *Repository) CountCommits(ctx context.Context, include, exclude []string) (n int, err error) {
	err = pack.Guard(func() error {
		walk, err := newCommitWalk(r, r.lookup())
		if err != nil {
			return err
		}
		for _, hex := range exclude {
			walk.addPeeled(hex, true)
		}
		for _, hex := range include {
			walk.addPeeled(hex, false)
		}
		commits, err := walk.list(ctx)
		n = len(commits)
		return err
	})
	return n, err
}

// begin peels what an id names to a commit. Tags on the way are texts; a tree or a
// blob, which a ref may point to as well, is read as a whole.
func (g *Range) begin(ctx context.Context, walk *commitWalk, hex string, excluded bool) error {
	id, ok := pack.ParseID([]byte(hex))
	if !ok {
		return fmt.Errorf("%q is no id of an object", hex)
	}
	for range maxHops {
		typ, data, err := walk.store.read(id, minGraphLimit)
		switch {
		case err != nil && excluded:
			return nil // what is not here excludes nothing: more is read
		case err != nil:
			return g.fail(id, fmt.Errorf("object %s: %w", id, err))
		case typ == pack.Commit:
			walk.add(id, excluded)
			return nil
		case typ == pack.Tag:
			if !excluded {
				if err := g.text(id, scanner.KindTag, data); err != nil {
					return err
				}
			}
			if id, err = parseTag(data); err != nil {
				return g.fail(id, err)
			}
		case excluded:
			return nil
		case typ == pack.Blob:
			return g.last.eachChange(ctx, []change{{path: id.String(), id: id}}, nil, "")
		default:
			return g.compare(ctx, &treeCache{}, id, nil, "")
		}
	}
	return g.fail(id, fmt.Errorf("%w: tags that point to tags without end", errMalformed))
}

func (g *Range) fail(id pack.ID, err error) error {
	name := id.String()
	return g.last.yield(scanner.Blob{ID: scanner.BlobID(name), Kind: scanner.KindCommit, Name: name, Err: err})
}

// text yields a commit or a tag, once.
func (g *Range) text(id pack.ID, kind scanner.Kind, data []byte) error {
	name := scanner.BlobID(id.String())
	place := changed{kind: kind, commit: id}
	if kind == scanner.KindTag {
		place = changed{kind: kind, path: id.String()}
	}
	if !g.last.note(name, place) {
		return nil
	}
	return g.last.yield(scanner.Blob{ID: name, Kind: kind, Name: id.String(), Data: data})
}

// commit reads what a commit brings.
func (g *Range) commit(ctx context.Context, c *walked, trees *treeCache, walk *commitWalk) error {
	if c.err != nil {
		return g.fail(c.id, c.err)
	}
	_, data, err := g.last.store.read(c.id, minGraphLimit)
	if err != nil {
		return g.fail(c.id, err)
	}
	if err := g.text(c.id, scanner.KindCommit, data); err != nil {
		return err
	}
	if c.cut {
		if err := g.fail(c.id, fmt.Errorf("%w: at commit %s; run git fetch --deepen, or --unshallow", ErrShallow, c.id)); err != nil {
			return err
		}
	}
	var olds []pack.ID
	for _, p := range c.parents {
		if parent := walk.seen[p]; parent != nil && parent.err == nil {
			olds = append(olds, parent.tree)
			continue
		}
		if parent, err := readCommit(g.last.store, p); err == nil {
			olds = append(olds, parent.tree)
		}
	}
	return g.compare(ctx, trees, c.tree, olds, c.id)
}

// compare reads what is new in a tree.
func (g *Range) compare(ctx context.Context, trees *treeCache, tree pack.ID, olds []pack.ID, commit pack.ID) error {
	for _, old := range olds {
		if old == tree {
			return nil
		}
	}
	var list []change
	d := &differ{ctx: ctx, store: g.last.store, trees: trees, changed: func(c change) error {
		list = append(list, c)
		return nil
	}}
	if err := d.tree("", tree, olds); err != nil {
		if ctx.Err() != nil {
			return err
		}
		if err := g.fail(commit, err); err != nil {
			return err
		}
	}
	return g.last.eachChange(ctx, list, d.gone, commit)
}

// Locate implements scanner.Source. It knows what Blobs has yielded.
func (g *Range) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	if g.last == nil {
		return ctx.Err()
	}
	var head headTree
	if id, ok := pack.ParseID([]byte(g.Head)); ok {
		head.open(g.last.store, id)
	}
	return g.last.locate(ctx, ids, func(id scanner.BlobID, p scanner.Provenance) error {
		if p.Kind == scanner.KindBlob {
			at, _ := head.find(p.Path) // what cannot be read is not at HEAD
			p.AtHead = at.String() == string(id)
		}
		return yield(id, p)
	})
}
