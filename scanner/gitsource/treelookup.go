package gitsource

import (
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A treeLookup finds what trees have at a path. It remembers the folders that it has read.
type treeLookup struct {
	store   *store
	folders map[pack.ID]*folder
}

// A folder is a tree as a table, or the reason why it cannot be read.
type folder struct {
	entries map[string]pack.ID
	err     error
}

// find returns the id of the object at path in a tree, "" if there is none, or an error if
// a tree on the way cannot be read. The path "" is the tree itself.
func (l *treeLookup) find(tree pack.ID, path string) (pack.ID, error) {
	for path != "" {
		name, below, _ := strings.Cut(path, "/")
		var err error
		if tree, err = l.child(tree, name); err != nil || tree == "" {
			return "", err
		}
		path = below
	}
	return tree, nil
}

// child returns the id of the object that a tree has under a name, "" if it has none.
func (l *treeLookup) child(tree pack.ID, name string) (pack.ID, error) {
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

func (l *treeLookup) read(tree pack.ID) *folder {
	typ, data, err := l.store.read(tree, minGraphLimit)
	if err == nil && typ != pack.Tree {
		err = fmt.Errorf("%w: a %s where a tree should be", errMalformed, typ)
	}
	if err != nil {
		return &folder{err: fmt.Errorf("object %s: %w", tree, err)}
	}
	f := &folder{entries: map[string]pack.ID{}}
	for len(data) > 0 {
		e, n := parseEntry(data, l.store.hash)
		if n == 0 { // entries after a malformed one are lost
			break
		}
		if _, ok := f.entries[string(e.name)]; !ok {
			f.entries[string(e.name)] = pack.ID(e.id)
		}
		data = data[n:]
	}
	return f
}

// A headTree answers the one question whether a file is still at HEAD, for whatever commit
// counts as HEAD: that of the repository, or that of an event of CI.
type headTree struct {
	treeLookup
	root pack.ID // the tree of the commit, "" if it is not known
}

// open begins at a commit, or at a tag of one.
func (h *headTree) open(s *store, id pack.ID) {
	h.store = s
	commit, ok := peel(s, id)
	if !ok {
		return
	}
	if c, err := readCommit(s, commit); err == nil {
		h.root = c.tree
	}
}

// find returns the id of the object at path, "" if there is none. known is false if a tree
// on the way cannot be read.
func (h *headTree) find(path string) (id pack.ID, known bool) {
	if h.root == "" {
		return "", false
	}
	id, err := h.treeLookup.find(h.root, path)
	return id, err == nil
}

// readCommit reads what a commit refers to.
func readCommit(s *store, id pack.ID) (links, error) {
	typ, data, err := s.read(id, minGraphLimit)
	if err != nil {
		return links{}, fmt.Errorf("commit %s: %w", id, err)
	}
	if typ != pack.Commit {
		return links{}, fmt.Errorf("%s: %w: a %s where a commit should be", id, errMalformed, typ)
	}
	c, err := parseCommit(links{}, data)
	if err != nil {
		return links{}, fmt.Errorf("commit %s: %w", id, err)
	}
	return c, nil
}

// peel follows tags to the commit that they lead to. It returns false if there is none, or
// it cannot be read.
func peel(s *store, id pack.ID) (commit pack.ID, ok bool) {
	for range maxHops {
		typ, data, err := s.read(id, minGraphLimit)
		switch {
		case err != nil:
			return "", false
		case typ != pack.Tag:
			return id, typ == pack.Commit
		}
		if id, err = parseTag(data); err != nil {
			return "", false
		}
	}
	return "", false
}
