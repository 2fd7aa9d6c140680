package gitsource

import "github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"

// AtHead returns the id of the object that HEAD has at path, "" if there is none. known is
// false if the repository does not hold the trees that say it: Fetch leaves out those that
// did not change.
func (r *Repository) AtHead(path string) (id string, known bool) {
	if r.head == nil {
		r.head = &headTree{}
		if commit, err := r.resolve("HEAD"); err == nil && commit != "" {
			r.head.open(r.lookup(), commit)
		}
	}
	at, known := r.head.find(path)
	return at.String(), known
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
