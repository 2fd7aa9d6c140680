package changes

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/gitindex"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A changedFile is a file whose content differs from the content in every parent: new,
// edited, or in a merge made of both sides.
type changedFile struct {
	path string
	id   pack.ID
	// olds are the ids at the same path in the parents, empty if none has the path. It is nil
	// too if the whole file is wanted, edited or not.
	olds  []pack.ID
	whole bool
}

// A differ compares a new tree with the trees of any number of parents. It lists the files
// that equal no parent, and the files of parents whose path is gone: a file that was
// renamed is one of these.
type differ struct {
	ctx     context.Context
	store   *objects.Store
	trees   *treeCache
	changed func(changedFile) error
	removed []removedFile
}

// A removedFile is a file or folder of a parent that is no longer at its path.
type removedFile struct {
	id   pack.ID
	mode objects.Mode
}

// A folderItem is an entry of a folder in the new tree.
type folderItem struct {
	name []byte
	id   pack.ID // empty for a folder of an index whose tree is not known
	// inTree is the id where the tree has it, in place of id. Nearly all entries are the same
	// as before, and need no copy of it.
	inTree []byte
	mode   objects.Mode
	// from and to are the entries of the folder in the index; both 0 for a tree.
	from, to int
	cached   *gitindex.CacheTree
}

// tree compares a tree with the trees that parents have at the same path.
func (d *differ) tree(prefix string, id pack.ID, olds []pack.ID) error {
	data, err := d.trees.read(d.store, id)
	if err != nil {
		return fmt.Errorf("reading the tree of %s: %w", cmp.Or(prefix, "."), err)
	}
	items := make([]folderItem, 0, len(data)/(len("100644 name")+1+d.store.Hash))
	for len(data) > 0 {
		e, n := objects.ParseTreeEntry(data, d.store.Hash)
		if n == 0 {
			return fmt.Errorf("reading the tree of %s: %w", cmp.Or(prefix, "."), objects.ErrMalformed)
		}
		items = append(items, folderItem{name: e.Name, inTree: e.ID, mode: e.Mode})
		data = data[n:]
	}
	return d.folder(prefix, items, olds, nil)
}

// index compares entries [from, to) of an index, which are in the folder prefix, with the
// trees of the parents.
func (d *differ) index(x *gitindex.Index, prefix string, from, to int, cached *gitindex.CacheTree, olds []pack.ID) error {
	var items []folderItem
	for i := from; i < to; {
		e := x.Entries[i]
		name, below, inFolder := strings.Cut(e.Path[len(prefix):], "/")
		if !inFolder {
			if !e.Intent && e.Stage != base {
				items = append(items, folderItem{name: []byte(name), id: e.ID, mode: e.Mode})
			}
			i++
			continue
		}
		if below == "" && e.Mode == objects.Directory { // of a sparse index
			items = append(items, folderItem{name: []byte(name), id: e.ID, mode: objects.Directory})
			i++
			continue
		}
		folder := prefix + name + "/"
		end := i + sort.Search(to-i, func(k int) bool { return !strings.HasPrefix(x.Entries[i+k].Path, folder) })
		child := cached.Child(name)
		items = append(items, folderItem{name: []byte(name), id: child.Valid(), mode: objects.Directory, from: i, to: end, cached: child})
		i = end
	}
	return d.folder(prefix, items, olds, x)
}

// base is the stage of the common version before a conflict.
const base = 1

// folder compares the entries of a folder.
func (d *differ) folder(prefix string, items []folderItem, olds []pack.ID, x *gitindex.Index) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	cursors := make([]cursor, len(olds))
	for i, id := range olds {
		data, err := d.trees.read(d.store, id)
		if err != nil {
			return fmt.Errorf("reading the earlier version of %s: %w", cmp.Or(prefix, "."), err)
		}
		cursors[i] = cursor{rest: data, hash: d.store.Hash}
		cursors[i].next()
	}
	for _, it := range items {
		if err := d.item(prefix, it, cursors, x); err != nil {
			return err
		}
	}
	for i := range cursors {
		d.passOver(&cursors[i], func(objects.TreeEntry) bool { return true })
	}
	return nil
}

func (d *differ) item(prefix string, it folderItem, cursors []cursor, x *gitindex.Index) error {
	same := it.mode == objects.Submodule // its files are in another repository
	for i := range cursors {
		c := &cursors[i]
		d.passOver(c, func(e objects.TreeEntry) bool { return compareNames(e, it.name, it.mode) < 0 })
		if c.isAt(&it) {
			c.matched = true
			same = same || it.hasID(c.at.ID)
		}
	}
	if same {
		return nil
	}
	var was []pack.ID
	for i := range cursors {
		if c := &cursors[i]; c.isAt(&it) {
			was = append(was, pack.ID(c.at.ID))
		}
	}
	if it.inTree != nil {
		it.id = pack.ID(it.inTree)
	}
	path := prefix + string(it.name)
	switch {
	case it.mode != objects.Directory:
		return d.changed(changedFile{path: path, id: it.id, olds: was})
	case it.from < it.to:
		return d.index(x, path+"/", it.from, it.to, it.cached, was)
	case strings.Count(path, "/") > gitindex.MaxFolders:
		return fmt.Errorf("%w: folders lie in each other more than %d deep", objects.ErrMalformed, gitindex.MaxFolders)
	}
	return d.tree(path+"/", it.id, was)
}

// hasID reports whether id is the id of it.
func (it *folderItem) hasID(id []byte) bool {
	return string(it.id) == string(id) || it.inTree != nil && string(it.inTree) == string(id)
}

// passOver moves c over the entries for which passed is true, and notes those whose names
// are not in the new tree.
func (d *differ) passOver(c *cursor, passed func(objects.TreeEntry) bool) {
	for c.ok && passed(c.at) {
		if !c.matched && c.at.Mode != objects.Submodule {
			d.removed = append(d.removed, removedFile{pack.ID(c.at.ID), c.at.Mode})
		}
		c.next()
	}
}

// A cursor goes through a tree of a parent. Entries after a malformed one are not seen, so
// that everything at their names counts as new.
type cursor struct {
	rest    []byte
	hash    int
	at      objects.TreeEntry
	ok      bool
	matched bool // something new has the name
}

// isAt reports whether c is at an entry with the name and kind of it.
func (c *cursor) isAt(it *folderItem) bool {
	return c.ok && compareNames(c.at, it.name, it.mode) == 0
}

func (c *cursor) next() {
	e, n := objects.ParseTreeEntry(c.rest, c.hash)
	c.at, c.ok, c.matched = e, n > 0, false
	c.rest = c.rest[n:]
}

// compareNames compares an entry with a name as git sorts trees: folders as if
// there were a "/" at their end. A file and a folder of one name differ.
func compareNames(e objects.TreeEntry, name []byte, m objects.Mode) int {
	n := min(len(e.Name), len(name))
	if c := bytes.Compare(e.Name[:n], name[:n]); c != 0 {
		return c
	}
	return int(byteAfter(e.Name, n, e.Mode)) - int(byteAfter(name, n, m))
}

func byteAfter(name []byte, n int, m objects.Mode) byte {
	switch {
	case n < len(name):
		return name[n]
	case m == objects.Directory:
		return '/'
	}
	return 0
}

// A treeCache keeps trees: a commit shares all but a few of them with the next one.
type treeCache struct {
	mu   sync.Mutex
	held map[pack.ID][]byte
	size int
}

// maxTrees is how many bytes of trees are kept.
const maxTrees = 16 << 20

func (c *treeCache) read(s *objects.Store, id pack.ID) ([]byte, error) {
	c.mu.Lock()
	data, ok := c.held[id]
	c.mu.Unlock()
	if ok {
		return data, nil
	}
	typ, data, err := s.Read(id, objects.MinGraphLimit)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	if typ != pack.Tree {
		return nil, fmt.Errorf("object %s: %w: a %s where a tree should be", id, objects.ErrMalformed, typ)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += len(data); c.held == nil || c.size > maxTrees {
		c.held, c.size = map[pack.ID][]byte{}, len(data)
	}
	c.held[id] = data
	return data, nil
}
