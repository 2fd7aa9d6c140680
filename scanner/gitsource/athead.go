package gitsource

import "github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"

// AtHead returns the id of what HEAD has at path, "" for nothing. known is false if the
// repository does not hold the trees that say it: of one that Fetch made, those that did
// not change.
func (r *Repository) AtHead(path string) (id string, known bool) {
	if r.head == nil {
		r.head = &headTree{}
		r.head.find(r)
	}
	if r.head.root == "" {
		return "", false
	}
	at, err := r.head.trees.find(r.head.store, r.head.root, path)
	if err != nil || at == "" {
		return "", err == nil
	}
	return at.String(), true
}

// A headTree is the tree of HEAD, if that is known.
type headTree struct {
	store *store
	trees treeCache
	root  pack.ID
}

func (h *headTree) find(r *Repository) {
	id, err := r.resolve("HEAD")
	if err != nil || id == "" {
		return
	}
	h.store = r.lookup()
	typ, data, err := h.store.read(id, minGraphLimit)
	if err != nil || typ != pack.Commit {
		return
	}
	if commit, err := parseCommit(links{}, data); err == nil {
		h.root = commit.tree
	}
}
