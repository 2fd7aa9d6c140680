package gitsource

import (
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/changes"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// The errors that Open and Range wrap.
var (
	// ErrNotRepository says that a path is not in a git repository.
	ErrNotRepository = repo.ErrNotRepository
	// ErrShallow says that history is needed that a shallow clone does not have.
	ErrShallow = changes.ErrShallow
)
