package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

// Files returns the names of all files that are looked for in the root of a project.
func Files() []string {
	return []string{OwnConfig, OwnBaseline, GitleaksConfig, GitleaksIgnore, DetectSecretsBaseline, GitAllowed}
}

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
		for _, name := range Files() {
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

// FindRoot returns the root of the work tree that path is in; outside of one, path itself. It
// returns "" for a bare repository.
func FindRoot(path string) string {
	if root := gitsource.WorkTree(path); root != "" {
		return root
	}
	if _, err := gitsource.Open(path); err == nil {
		return "" // bare
	}
	root, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	return root
}

// name returns the path of the file that l is in, relative to the root of the project.
func (c *Config) name(l *finding.Location) string { return PathIn(c.root, l) }

// PathIn returns the path of the file that l is in, relative to root, as ignore files have it;
// "" if l is not in a file but, say, in a commit message.
func PathIn(root string, l *finding.Location) string {
	switch l.Kind {
	case finding.KindBlob, finding.KindIndex, finding.KindWorktree, "":
	default:
		return ""
	}
	path := filepath.ToSlash(l.Path)
	if l.Commit != "" || root == "" || string(l.Blob) != l.Path && !strings.HasPrefix(l.Path, string(l.Blob)+"!") {
		return path // in a repository: already relative to its root
	}
	file, inside := string(l.Blob), path[len(l.Blob):]
	abs, err := filepath.Abs(file)
	if err != nil {
		return path
	}
	if rel, ok := below(root, abs); ok {
		return rel + inside
	}
	return path
}

// below returns the path of abs relative to root, with slashes. It reports whether abs is in
// root, as it stands or without symbolic links.
func below(root, abs string) (rel string, ok bool) {
	for _, p := range [][2]string{{root, abs}, {resolved(root), resolved(abs)}} {
		if rel, err := filepath.Rel(p[0], p[1]); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}

// resolved returns path without symbolic links; path itself if it does not exist.
func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}
