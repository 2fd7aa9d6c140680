package changes

import (
	"context"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// A CommitRange reads everything new that some commits bring and others do not have.
type CommitRange struct {
	contentReader
	dir     repo.Dir
	Names   []string // that refs are to have: texts too
	Head    string   // the commit that counts as HEAD
	Commits int      // that were read
}

// NewCommitRange prepares to read a range of commits of d, whose objects are in s.
func NewCommitRange(d repo.Dir, s *objects.Store, limit int64, yield func(scanner.Blob) error) *CommitRange {
	return &CommitRange{contentReader: contentReader{store: s, limit: limit, kind: finding.KindBlob, yield: yield}, dir: d}
}

func (g *CommitRange) Read(ctx context.Context, include, exclude []string) error {
	for _, n := range g.store.Problems {
		if err := g.yield(scanner.Blob{ID: finding.BlobID(n.Path), Kind: finding.KindBlob, Name: n.Path, Err: n.Err}); err != nil {
			return err
		}
	}
	for _, name := range g.Names {
		b := scanner.Blob{ID: finding.BlobID("ref " + name), Kind: finding.KindRefName, Name: name, Data: []byte(name)}
		if g.addLocation(b.ID, location{kind: b.Kind, path: name}) {
			if err := g.yield(b); err != nil {
				return err
			}
		}
	}
	walk, err := newCommitWalk(g.dir, g.store)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		ids      []string
		excluded bool
	}{{exclude, true}, {include, false}} {
		for _, hex := range distinct(x.ids) {
			if err := g.start(ctx, walk, hex, x.excluded); err != nil {
				return err
			}
		}
	}
	commits, err := walk.list(ctx)
	if err != nil {
		return err
	}
	g.Commits = len(commits)
	trees := &treeCache{}
	for _, c := range commits {
		if err := g.commit(ctx, c, trees, walk); err != nil {
			return err
		}
	}
	return nil
}

// CountCommits returns how many commits some lead to and others do not.
func CountCommits(ctx context.Context, d repo.Dir, s *objects.Store, include, exclude []string) (int, error) {
	walk, err := newCommitWalk(d, s)
	if err != nil {
		return 0, err
	}
	for _, hex := range distinct(exclude) {
		walk.addPeeled(hex, true)
	}
	for _, hex := range distinct(include) {
		walk.addPeeled(hex, false)
	}
	commits, err := walk.list(ctx)
	return len(commits), err
}

// distinct returns each of ids once: 100,000 refs may lead to a few commits.
func distinct(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

// start begins at the commit that an id leads to. Tags on the way are texts. A tree or a blob,
// to which a ref may point as well, is read as a whole.
func (g *CommitRange) start(ctx context.Context, walk *commitWalk, hex string, excluded bool) error {
	id, ok := pack.ParseID([]byte(hex))
	if !ok {
		return fmt.Errorf("%q is not the id of an object", hex)
	}
	for range objects.MaxHops {
		if walk.seen[id] != nil {
			walk.add(id, excluded)
			return nil
		}
		typ, data, err := walk.store.Read(id, objects.MinGraphLimit)
		switch {
		case err != nil && excluded:
			return nil // a missing object excludes nothing: more is read
		case err != nil:
			return g.yieldError(id, fmt.Errorf("object %s: %w", id, err))
		case typ == pack.Commit:
			links, err := objects.ParseCommit(objects.CommitLinks{}, data)
			if err != nil {
				err = fmt.Errorf("commit %s: %w", id, err)
			}
			walk.addRead(id, links, err, excluded)
			return nil
		case typ == pack.Tag:
			if !excluded {
				if err := g.yieldObject(id, finding.KindTag, data); err != nil {
					return err
				}
			}
			if id, err = objects.ParseTag(data); err != nil {
				return g.yieldError(id, err)
			}
		case excluded:
			return nil
		case typ == pack.Blob:
			return g.readAll(ctx, []changedFile{{path: id.String(), id: id}}, nil, "")
		default:
			return g.compare(ctx, &treeCache{}, id, nil, "")
		}
	}
	return g.yieldError(id, fmt.Errorf("%w: tags that point to tags without end", objects.ErrMalformed))
}

func (g *CommitRange) yieldError(id pack.ID, err error) error {
	name := id.String()
	return g.yield(scanner.Blob{ID: finding.BlobID(name), Kind: finding.KindCommit, Name: name, Err: err})
}

// yieldObject yields a commit or a tag, once.
func (g *CommitRange) yieldObject(id pack.ID, kind finding.Kind, data []byte) error {
	name := finding.BlobID(id.String())
	where := location{kind: kind, commit: id}
	if kind == finding.KindTag {
		where = location{kind: kind, path: id.String()}
	}
	if !g.addLocation(name, where) {
		return nil
	}
	return g.yield(scanner.Blob{ID: name, Kind: kind, Name: id.String(), Data: data})
}

// commit reads the changes of a commit.
func (g *CommitRange) commit(ctx context.Context, c *walkedCommit, trees *treeCache, walk *commitWalk) error {
	if c.err != nil {
		return g.yieldError(c.id, c.err)
	}
	_, data, err := g.store.Read(c.id, objects.MinGraphLimit)
	if err != nil {
		return g.yieldError(c.id, err)
	}
	if err := g.yieldObject(c.id, finding.KindCommit, data); err != nil {
		return err
	}
	if c.isShallow {
		if err := g.yieldError(c.id, fmt.Errorf("%w: at commit %s; run git fetch --deepen, or --unshallow", ErrShallow, c.id)); err != nil {
			return err
		}
	}
	var olds []pack.ID
	for _, p := range c.Parents {
		if parent := walk.seen[p]; parent != nil && parent.err == nil {
			olds = append(olds, parent.Tree)
			continue
		}
		if parent, err := objects.ReadCommit(g.store, p); err == nil {
			olds = append(olds, parent.Tree)
		}
	}
	return g.compare(ctx, trees, c.Tree, olds, c.id)
}

// compare reads the new files of a tree.
func (g *CommitRange) compare(ctx context.Context, trees *treeCache, tree pack.ID, olds []pack.ID, commit pack.ID) error {
	for _, old := range olds {
		if old == tree {
			return nil
		}
	}
	var list []changedFile
	d := &differ{ctx: ctx, store: g.store, trees: trees, changed: func(c changedFile) error {
		list = append(list, c)
		return nil
	}}
	if err := d.tree("", tree, olds); err != nil {
		if ctx.Err() != nil {
			return err
		}
		if err := g.yieldError(commit, err); err != nil {
			return err
		}
	}
	return g.readAll(ctx, list, d.removed, commit)
}

// Locate yields the locations of ids. For files it also says whether they are still at
// HEAD.
func (g *CommitRange) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	var head objects.HeadTree
	if id, ok := pack.ParseID([]byte(g.Head)); ok {
		head.Open(g.store, id)
	}
	return g.contentReader.Locate(ctx, ids, func(id finding.BlobID, p finding.Location) error {
		if p.Kind == finding.KindBlob {
			at, _ := head.Find(p.Path) // a folder that cannot be read is not at HEAD
			p.AtHead = at.String() == string(id)
		}
		return yield(id, p)
	})
}
