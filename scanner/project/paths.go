package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// files are the names of all files that are looked for in the root of a project.
var files = []string{OwnConfig, OwnBaseline, GitleaksConfig, GitleaksIgnore, DetectSecretsBaseline, GitAllowed}

// RootOf returns the root of the project that paths are in, for Options.Root: that of the work
// tree, or outside of one the folder that is a path or holds it. It is "" if there is none, as
// in a bare repository.
//
// If the paths are in several projects, the files of one must not hide findings in another. So
// that is an error, unless no project has such files; then the root is "".
func RootOf(paths []string) (string, error) {
	var roots []string
	for _, path := range paths {
		if root := rootOf(path); !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	if len(roots) == 1 {
		return roots[0], nil
	}
	for _, root := range roots {
		for _, name := range files {
			file := filepath.Join(root, name)
			if _, err := os.Lstat(file); root != "" && !errors.Is(err, os.ErrNotExist) {
				return "", fmt.Errorf("the paths are in %d projects, and %s counts in one of them only", len(roots), file)
			}
		}
	}
	return "", nil
}

// rootOf is FindRoot; for a file outside of a work tree, the folder that holds it.
func rootOf(path string) string {
	path = resolved(path)
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	return FindRoot(path)
}

// resolved returns path without symbolic links; path itself if it does not exist.
func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}
