package changes

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/gitindex"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// StagedFiles reads the files that are about to be committed.
type StagedFiles struct {
	contentReader
	Parents, Paths []string
	Whole          bool
}

// NewStagedFiles prepares to read the index of a repository whose objects are in s.
func NewStagedFiles(s *objects.Store, limit int64, yield func(scanner.Blob) error) *StagedFiles {
	return &StagedFiles{contentReader: contentReader{store: s, limit: limit, kind: finding.KindIndex, yield: yield}}
}

// Read reads an index of the repository in gitDir.
func (s *StagedFiles) Read(ctx context.Context, file, gitDir string) error {
	for _, n := range s.store.Problems {
		b := scanner.Blob{ID: finding.BlobID(n.Path), Kind: finding.KindBlob, Name: n.Path, Err: n.Err}
		if err := s.yield(b); err != nil {
			return err
		}
	}
	x, err := gitindex.LoadIndex(file, gitDir, s.store.Hash)
	if err != nil {
		return err
	}
	d := &differ{ctx: ctx, store: s.store, trees: &treeCache{}}
	list, err := s.list(d, x)
	if err != nil {
		return err
	}
	return s.readAll(ctx, list, d.removed, "")
}

// list returns the changes to read.
func (s *StagedFiles) list(d *differ, x *gitindex.Index) ([]changedFile, error) {
	if s.Whole && s.Paths == nil {
		return s.wholeFiles(d, x, func(string) bool { return true })
	}
	trees, err := s.trees(d.store)
	if err != nil {
		return nil, err
	}
	var list []changedFile
	d.changed = func(c changedFile) error {
		list = append(list, c)
		return nil
	}
	if err := d.index(x, "", 0, len(x.Entries), x.Tree, trees); err != nil || s.Paths == nil {
		return list, err
	}
	chosen, whole, err := s.choose(d, x, list, trees)
	if err != nil {
		return nil, err
	}
	in := func(path string) bool { return within(chosen, path) }
	if whole {
		return s.wholeFiles(d, x, in)
	}
	return slices.DeleteFunc(list, func(c changedFile) bool { return !in(c.path) }), nil
}

// trees returns the trees of the parents.
func (s *StagedFiles) trees(store *objects.Store) (trees []pack.ID, err error) {
	for _, parent := range s.Parents {
		id, ok := pack.ParseID([]byte(parent))
		if !ok {
			return nil, fmt.Errorf("parent %s: %w", parent, objects.ErrMalformed)
		}
		c, err := objects.ReadCommit(store, id)
		if err != nil {
			return nil, err
		}
		trees = append(trees, c.Tree)
	}
	return trees, nil
}

// choose returns which of the paths are in the index, and whether one of them was not
// changed.
func (s *StagedFiles) choose(d *differ, x *gitindex.Index, list []changedFile, trees []pack.ID) (chosen map[string]bool, whole bool, err error) {
	chosen = map[string]bool{}
	differs := map[string]bool{}
	for _, c := range list {
		for p := c.path; p != "." && !differs[p]; p = path.Dir(p) {
			differs[p] = true
		}
	}
	for _, p := range s.Paths {
		p = path.Clean(p)
		e, ok := x.At(p)
		switch {
		case !ok:
			b := scanner.Blob{ID: finding.BlobID("path " + p), Kind: finding.KindIndex, Name: p, Err: errNotStaged}
			if err := s.yield(b); err != nil {
				return nil, false, err
			}
			continue
		case e.Mode == objects.Submodule || e.Intent || differs[p] || d.differsInMerge(trees, p, e.ID):
		default:
			whole = true
		}
		chosen[p] = true
	}
	return chosen, whole || s.Whole, nil
}

var errNotStaged = errors.New(`not in the index, and so not a part of the commit: "git add" it, or scan it with "stanch dir"`)

// differsInMerge reports whether one of several parents has other content at path: in a merge,
// somebody chose between them.
func (d *differ) differsInMerge(trees []pack.ID, path string, id pack.ID) bool {
	if len(trees) < 2 {
		return false
	}
	lookup := objects.TreeLookup{Store: d.store}
	for _, tree := range trees {
		if was, err := lookup.Find(tree, path); err != nil || was != id {
			return true
		}
	}
	return false
}

// within reports whether path, or a folder above it, is chosen.
func within(chosen map[string]bool, p string) bool {
	for ; p != "."; p = path.Dir(p) {
		if chosen[p] {
			return true
		}
	}
	return chosen["."]
}

// wholeFiles returns the files of the index, to be read as a whole.
func (s *StagedFiles) wholeFiles(d *differ, x *gitindex.Index, in func(string) bool) (list []changedFile, err error) {
	add := func(c changedFile) error {
		if in(c.path) {
			list = append(list, changedFile{path: c.path, id: c.id, whole: true})
		}
		return nil
	}
	d.changed = add
	for _, e := range x.Entries {
		switch {
		case e.Mode == objects.Submodule || e.Intent:
		case e.Mode == objects.Directory:
			if err := d.tree(e.Path, e.ID, nil); err != nil {
				return nil, err
			}
		default:
			_ = add(changedFile{path: e.Path, id: e.ID})
		}
	}
	return list, nil
}
