package objects

import (
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A TreeLookup finds the object at a path of a tree. It remembers the folders that it has
// read.
type TreeLookup struct {
	Store   *Store
	folders map[pack.ID]*folder
}

// A folder is a tree as a table, or the reason why it cannot be read.
type folder struct {
	entries map[string]pack.ID
	err     error
}

// Find returns the id of the object at path in a tree, "" if there is none, or an error if
// a tree on the way cannot be read. The path "" is the tree itself.
func (l *TreeLookup) Find(tree pack.ID, path string) (pack.ID, error) {
	for path != "" {
		name, below, _ := strings.Cut(path, "/")
		var err error
		if tree, err = l.Child(tree, name); err != nil || tree == "" {
			return "", err
		}
		path = below
	}
	return tree, nil
}

// Child returns the id of the object that a tree has under a name, "" if it has none.
func (l *TreeLookup) Child(tree pack.ID, name string) (pack.ID, error) {
	f := l.folders[tree]
	if f == nil {
		if l.folders == nil {
			l.folders = map[pack.ID]*folder{}
		}
		f = l.read(tree)
		l.folders[tree] = f
	}
	return f.entries[name], f.err
}

func (l *TreeLookup) read(tree pack.ID) *folder {
	typ, data, err := l.Store.Read(tree, MinGraphLimit)
	if err == nil && typ != pack.Tree {
		err = fmt.Errorf("%w: a %s where a tree should be", ErrMalformed, typ)
	}
	if err != nil {
		return &folder{err: fmt.Errorf("object %s: %w", tree, err)}
	}
	f := &folder{entries: map[string]pack.ID{}}
	for len(data) > 0 {
		e, n := ParseTreeEntry(data, l.Store.Hash)
		if n == 0 { // entries after a malformed one are lost
			break
		}
		if _, ok := f.entries[string(e.Name)]; !ok {
			f.entries[string(e.Name)] = pack.ID(e.ID)
		}
		data = data[n:]
	}
	return f
}

// A HeadTree answers one question: is a file still at HEAD? HEAD is the repository's own,
// or a commit that an event of CI names.
type HeadTree struct {
	TreeLookup
	root pack.ID // the tree of the commit, "" if it is not known
}

// Open begins at a commit, or at a tag of one.
func (h *HeadTree) Open(s *Store, id pack.ID) {
	h.Store = s
	commit, ok := Peel(s, id)
	if !ok {
		return
	}
	if c, err := ReadCommit(s, commit); err == nil {
		h.root = c.Tree
	}
}

// Find returns the id of the object at path, "" if there is none. known is false if a tree
// on the way cannot be read.
func (h *HeadTree) Find(path string) (id pack.ID, known bool) {
	if h.root == "" {
		return "", false
	}
	id, err := h.TreeLookup.Find(h.root, path)
	return id, err == nil
}

// ReadCommit reads the links of a commit.
func ReadCommit(s *Store, id pack.ID) (CommitLinks, error) {
	typ, data, err := s.Read(id, MinGraphLimit)
	if err != nil {
		return CommitLinks{}, fmt.Errorf("commit %s: %w", id, err)
	}
	if typ != pack.Commit {
		return CommitLinks{}, fmt.Errorf("%s: %w: a %s where a commit should be", id, ErrMalformed, typ)
	}
	c, err := ParseCommit(CommitLinks{}, data)
	if err != nil {
		return CommitLinks{}, fmt.Errorf("commit %s: %w", id, err)
	}
	return c, nil
}

// Peel follows tags to the commit that they lead to. It returns false if there is none, or
// it cannot be read.
func Peel(s *Store, id pack.ID) (commit pack.ID, ok bool) {
	for range MaxHops {
		typ, data, err := s.Read(id, MinGraphLimit)
		switch {
		case err != nil:
			return "", false
		case typ != pack.Tag:
			return id, typ == pack.Commit
		}
		if id, err = ParseTag(data); err != nil {
			return "", false
		}
	}
	return "", false
}

// Prefetch makes Find faster for an id that is looked for soon, see pack.Index.Prefetch.
func (s *Store) Prefetch(id []byte) {
	for _, p := range s.Packs {
		p.Index().Prefetch(id)
	}
}
