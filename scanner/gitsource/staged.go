package gitsource

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// Staged is a Source of what is about to be committed: the files of the index that
// differ from HEAD, and in a merge from each parent. The work tree is not looked
// at. Of each file only what is new is a hit (scanner.Blob.New): what the parents
// have at the path, and, in new files, lines of files that are removed, is not.
// Names of new files are texts too.
//
// Not read are submodules, and what "git add -N" has promised without content.
type Staged struct {
	Repo *Repository
	// Index is the index to read, of any version; "" for that of the work tree.
	Index string
	// Parents are those of the commit to be, as hex ids: HEAD and what is merged.
	// There are none before the first commit.
	Parents []string
	// Paths, slash-separated and relative to the root of the work tree, choose files,
	// or folders with all that is in them; nil for all. Those that are not in the
	// index are yielded with Err. If one was not changed, all are read as a whole:
	// somebody asked for files, and not for what is new in them.
	Paths []string
	// Whole reads all of all files, changed or not.
	Whole bool
	// Looked is what Blobs has looked at.
	Looked Looked

	last *changes
}

var _ scanner.Source = (*Staged)(nil)

// Blobs implements scanner.Source. It calls yield from several goroutines at once.
// The error is about what keeps it from knowing what is staged: an index or a tree of
// a parent that cannot be read.
func (s *Staged) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	return pack.Guard(func() error { return s.blobs(ctx, yield) })
}

func (s *Staged) blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	store := s.Repo.lookup()
	for _, n := range store.notes {
		b := scanner.Blob{ID: scanner.BlobID(n.path), Kind: scanner.KindBlob, Name: n.path, Err: n.err}
		if err := yield(b); err != nil {
			return err
		}
	}
	file := s.Index
	if file == "" {
		file = filepath.Join(s.Repo.gitDir, "index")
	}
	x, err := s.Repo.loadIndex(file, store.hash)
	if err != nil {
		return err
	}
	d := &differ{ctx: ctx, store: store, trees: &treeCache{}}
	list, err := s.list(d, x, yield)
	if err != nil {
		return err
	}
	s.last = &changes{store: store, limit: s.Repo.limit(), kind: scanner.KindIndex, yield: yield, count: true}
	err = s.last.eachChange(ctx, list, d.gone, "")
	s.Looked = Looked{Files: int(s.last.files.Load()), Lines: int(s.last.lines.Load())}
	return err
}

// list returns the changes to read.
func (s *Staged) list(d *differ, x *index, yield func(scanner.Blob) error) ([]change, error) {
	if s.Whole && s.Paths == nil {
		return s.wholes(d, x, func(string) bool { return true })
	}
	trees, err := s.trees(d.store)
	if err != nil {
		return nil, err
	}
	var list []change
	d.changed = func(c change) error {
		list = append(list, c)
		return nil
	}
	if err := d.staged(x, "", 0, len(x.entries), x.tree, trees); err != nil || s.Paths == nil {
		return list, err
	}
	chosen, whole, err := s.choose(d, x, list, trees, yield)
	if err != nil {
		return nil, err
	}
	in := func(path string) bool { return within(chosen, path) }
	if whole {
		return s.wholes(d, x, in)
	}
	return slices.DeleteFunc(list, func(c change) bool { return !in(c.path) }), nil
}

// trees returns the trees of the parents.
func (s *Staged) trees(store *store) (trees []pack.ID, err error) {
	for _, parent := range s.Parents {
		id, ok := pack.ParseID([]byte(parent))
		if !ok {
			return nil, fmt.Errorf("parent %s: %w", parent, errMalformed)
		}
		c, err := readCommit(store, id)
		if err != nil {
			return nil, err
		}
		trees = append(trees, c.tree)
	}
	return trees, nil
}

// choose returns which of the paths are in the index, and whether one of them was not
// changed.
func (s *Staged) choose(d *differ, x *index, list []change, trees []pack.ID, yield func(scanner.Blob) error) (chosen map[string]bool, whole bool, err error) {
	chosen = map[string]bool{}
	differs := map[string]bool{}
	for _, c := range list {
		for p := c.path; p != "." && !differs[p]; p = path.Dir(p) {
			differs[p] = true
		}
	}
	for _, p := range s.Paths {
		p = path.Clean(p)
		e, ok := x.at(p)
		switch {
		case !ok:
			b := scanner.Blob{ID: scanner.BlobID("path " + p), Kind: scanner.KindIndex, Name: p, Err: errNotStaged}
			if err := yield(b); err != nil {
				return nil, false, err
			}
			continue
		case e.mode == submodule || e.intent || differs[p] || d.unlike(trees, p, e.id):
		default:
			whole = true
		}
		chosen[p] = true
	}
	return chosen, whole || s.Whole, nil
}

var errNotStaged = errors.New(`not in the index, and so not a part of the commit: "git add" it, or scan it with "stanch dir"`)

// unlike reports whether one of several parents has other content at path: in a merge,
// somebody chose between them.
func (d *differ) unlike(trees []pack.ID, path string, id pack.ID) bool {
	if len(trees) < 2 {
		return false
	}
	lookup := treeLookup{store: d.store}
	for _, tree := range trees {
		if was, err := lookup.find(tree, path); err != nil || was != id {
			return true
		}
	}
	return false
}

// at returns the entry at path, or the first below it if path is a folder; "." is
// the root.
func (x *index) at(path string) (staged, bool) {
	i := sort.Search(len(x.entries), func(i int) bool { return x.entries[i].path >= path })
	if i < len(x.entries) && x.entries[i].path == path {
		return x.entries[i], true
	}
	prefix := path + "/"
	if path == "." {
		prefix = ""
	}
	i = sort.Search(len(x.entries), func(i int) bool { return x.entries[i].path >= prefix })
	if i < len(x.entries) && strings.HasPrefix(x.entries[i].path, prefix) {
		return staged{path: path, mode: directory}, true
	}
	return staged{}, false
}

// within reports whether path or a folder that it is in is chosen.
func within(chosen map[string]bool, p string) bool {
	for ; p != "."; p = path.Dir(p) {
		if chosen[p] {
			return true
		}
	}
	return chosen["."]
}

// wholes returns the files of the index as wholes.
func (s *Staged) wholes(d *differ, x *index, in func(string) bool) (list []change, err error) {
	add := func(c change) error {
		if in(c.path) {
			list = append(list, change{path: c.path, id: c.id, whole: true})
		}
		return nil
	}
	d.changed = add
	for _, e := range x.entries {
		switch {
		case e.mode == submodule || e.intent:
		case e.mode == directory:
			if err := d.tree(e.path, e.id, nil); err != nil {
				return nil, err
			}
		default:
			_ = add(change{path: e.path, id: e.id})
		}
	}
	return list, nil
}

// Locate implements scanner.Source. It knows what Blobs has yielded.
func (s *Staged) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	if s.last == nil {
		return ctx.Err()
	}
	return s.last.locate(ctx, ids, yield)
}
