package gitsource

import "github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"

// Open opens the repository that path is in. path may be a work tree or a folder in one, a
// bare repository, a git directory (of a submodule too), a linked work tree, or the ".git"
// file of one. The error wraps ErrNotRepository if there is none. Open writes nothing, and
// opens repositories of other users too.
func Open(path string) (*Repository, error) {
	dir, err := repo.Find(path)
	if err != nil {
		return nil, err
	}
	return &Repository{dir: dir}, nil
}

// OpenHere opens the repository that git works on: the one that GIT_DIR names, as git sets
// it for hooks (githooks(5)), or the one around the current folder. root is the top of the
// work tree, "" if there is none.
func OpenHere() (r *Repository, root string, err error) {
	dir, root, err := repo.FindHere()
	if err != nil {
		return nil, "", err
	}
	return &Repository{dir: dir}, root, nil
}

// GitDir returns the folder of the repository that holds the HEAD of this work tree.
func (r *Repository) GitDir() string { return r.dir.GitDir }
