package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/gitindex"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// StagedPaths returns the paths that the indexes of the work trees have for ids. The error is
// about indexes that cannot be read.
func (d Dir) StagedPaths(ids []pack.ID) (map[pack.ID]string, error) {
	staged := map[pack.ID]string{}
	for _, id := range ids {
		staged[id] = ""
	}
	files, _ := filepath.Glob(filepath.Join(d.CommonDir, "worktrees", "*", "index"))
	shared, _ := filepath.Glob(filepath.Join(d.CommonDir, "sharedindex.*")) // git-update-index(1), --split-index
	files = append(append(files, shared...), filepath.Join(d.CommonDir, "index"))
	if d.GitDir != d.CommonDir {
		files = append(files, filepath.Join(d.GitDir, "index")) // again, with the names of this work tree
	}
	if file := os.Getenv("GIT_INDEX_FILE"); file != "" {
		files = append(files, file)
	}
	hash := d.HashSize()
	var errs []error
	for _, file := range files {
		data, err := boundedfile.ReadText(file, boundedfile.MaxList)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var x *gitindex.Index
		if err == nil {
			x, _, err = gitindex.ParseIndex(data, hash) // the shared one, if it is split, is read as well
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reading the index %s: %w", file, err))
			continue
		}
		for _, e := range x.Entries {
			if _, ok := staged[e.ID]; ok && e.Path != "" { // else it is that of the shared index
				staged[e.ID] = CutPath(e.Path)
			}
		}
	}
	return staged, errors.Join(errs...)
}
