// Package repo finds repositories on disk and reads everything in them but objects: refs,
// reflogs, configuration, indexes, and the list of commits where a shallow clone ends.
//
//	d, err := repo.Find("some/folder/of/a/worktree")
//	id, err := d.Resolve("HEAD")
//	store := d.OpenLookup() // the objects are in package objects
package repo

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// ErrNotRepository says that a path is not in a git repository.
var ErrNotRepository = errors.New("not a git repository")

// A Dir is where a repository is on disk (gitrepository-layout(5)).
type Dir struct {
	GitDir    string // of this work tree: holds HEAD
	CommonDir string // shared by all work trees: holds objects and refs
	Root      string // of the work tree; "" if there is none
}

// Find finds the repository that path is in, as Open says.
func Find(path string) (Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Dir{}, fmt.Errorf("opening %s: %w", path, err)
	}
	switch _, err := os.Stat(abs); {
	case errors.Is(err, fs.ErrNotExist):
		return Dir{}, fmt.Errorf("%s: there is no such file or folder", path)
	case err != nil:
		return Dir{}, fmt.Errorf("%s: %w: %w", path, ErrNotRepository, err)
	}
	d, err := discover(abs)
	if target, ok := linked(abs); ok {
		if followed, lost := discover(target); err != nil || lost != nil || !sameFile(d.GitDir, followed.GitDir) {
			d, err = followed, lost
		}
	}
	if err != nil {
		return Dir{}, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// linked returns where path leads to, if a symbolic link is in it. Its folders may be in
// another repository than the link, and git looks in theirs.
func linked(path string) (string, bool) {
	target, err := filepath.EvalSymlinks(path)
	return target, err == nil && target != path
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// FindHere finds the repository that git works on, as OpenHere says.
func FindHere() (d Dir, root string, err error) {
	dir := os.Getenv("GIT_DIR")
	if dir == "" {
		if d, err = Find("."); err != nil {
			return Dir{}, "", err
		}
		return d, d.workTree(), nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Dir{}, "", fmt.Errorf("GIT_DIR %s: %w", dir, err)
	}
	gitDir, ok := ResolveGitDir(abs)
	if !ok {
		return Dir{}, "", fmt.Errorf("GIT_DIR %s: %w", dir, ErrNotRepository)
	}
	d = Dir{GitDir: gitDir, CommonDir: CommonDir(gitDir)}
	if common := os.Getenv("GIT_COMMON_DIR"); common != "" {
		if d.CommonDir, err = filepath.Abs(common); err != nil {
			return Dir{}, "", fmt.Errorf("GIT_COMMON_DIR %s: %w", common, err)
		}
	}
	// With GIT_DIR, the current folder is the top, unless GIT_WORK_TREE says other.
	root, err = filepath.Abs(cmp.Or(os.Getenv("GIT_WORK_TREE"), "."))
	return d, root, err
}

// discover looks for a repository at path, then in each folder above, as git
// does. At each level ".git" comes before the folder itself.
func discover(path string) (Dir, error) {
	for dir := path; ; dir = filepath.Dir(dir) {
		if gitDir, ok := ResolveGitDir(filepath.Join(dir, ".git")); ok {
			return Dir{GitDir: gitDir, CommonDir: CommonDir(gitDir), Root: dir}, nil
		}
		if gitDir, ok := ResolveGitDir(dir); ok {
			return Dir{GitDir: gitDir, CommonDir: CommonDir(gitDir)}, nil
		}
		if err := checkAccess(filepath.Join(dir, ".git")); err != nil {
			return Dir{}, err
		}
		if dir == filepath.Dir(dir) {
			return Dir{}, ErrNotRepository
		}
	}
}

// checkAccess returns an error if path may be a git directory, or point to one, that the
// user may not read. Without the error, the search would go on upwards and scan another
// repository.
func checkAccess(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		_, err = os.Stat(filepath.Join(path, "HEAD"))
	} else if err == nil && info.Mode().IsRegular() {
		_, err = boundedfile.ReadSmall(path, boundedfile.MaxSmall)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the repository is closed to this user: %w", err)
	}
	return nil
}

// ResolveGitDir returns the git directory that path is, or that the file at
// path points to by "gitdir: ", as in linked work trees and submodules
// (gitrepository-layout(5)).
func ResolveGitDir(path string) (string, bool) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		target, ok := readPointer(path, "gitdir: ")
		if !ok {
			return "", false
		}
		path = target
	}
	common := CommonDir(path)
	for _, dir := range []string{filepath.Join(common, "objects"), filepath.Join(common, "refs")} {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", false
		}
	}
	_, err := os.Lstat(filepath.Join(path, "HEAD"))
	return path, err == nil
}

// CommonDir returns the directory that holds the objects and refs of gitDir,
// another one in a linked work tree.
func CommonDir(gitDir string) string {
	if dir, ok := readPointer(filepath.Join(gitDir, "commondir"), ""); ok {
		return dir
	}
	return gitDir
}

// readPointer reads a file that holds prefix and a path, relative to the file.
func readPointer(file, prefix string) (string, bool) {
	text, err := boundedfile.ReadSmall(file, boundedfile.MaxSmall)
	path, ok := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), prefix)
	if err != nil || !ok || path == "" {
		return "", false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	return filepath.Clean(path), true
}

// ReadConfig returns the readable part of the repository's configuration. It ignores
// errors: if a value is missed, objects that cannot be read show it later.
func ReadConfig(common string) *config.Config {
	return ReadConfigFile(filepath.Join(common, "config"))
}

// ReadConfigFile is ReadConfig for one file.
func ReadConfigFile(name string) *config.Config {
	cfg := config.New()
	if text, err := boundedfile.ReadSmall(name, boundedfile.MaxSmall); err == nil {
		_ = config.NewDecoder(bytes.NewReader(text)).Decode(cfg)
	}
	return cfg
}

// hashSize is the length of an object id in bytes.
func hashSize(cfg *config.Config) int {
	if strings.EqualFold(cfg.Section("extensions").Option("objectFormat"), "sha256") {
		return sha256.Size
	}
	return sha1.Size
}

// isPartial reports whether the configuration says that objects may be missing
// (git's Documentation/technical/partial-clone).
func isPartial(cfg *config.Config) bool {
	if cfg.Section("extensions").HasOption("partialClone") {
		return true
	}
	for _, remote := range cfg.Section("remote").Subsections {
		if strings.EqualFold(remote.Option("promisor"), "true") {
			return true
		}
	}
	return false
}

// ObjectDirs returns the object directories of d, alternates apart. In a hook, git names other
// directories in the environment, such as the one where it holds the objects that are being
// pushed (git(1), GIT_OBJECT_DIRECTORY).
func (d Dir) ObjectDirs() []string {
	dirs := []string{filepath.Join(d.CommonDir, "objects")}
	if gitDir := os.Getenv("GIT_DIR"); gitDir != "" {
		if abs, err := filepath.Abs(gitDir); err != nil || abs != d.GitDir && abs != d.CommonDir {
			return dirs // of another repository
		}
	}
	if dir := os.Getenv("GIT_OBJECT_DIRECTORY"); dir != "" {
		dirs = append([]string{dir}, dirs...)
	}
	for _, dir := range filepath.SplitList(os.Getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES")) {
		dirs = append(dirs, strings.Trim(dir, `"`))
	}
	return dirs
}

// workTree returns the folder, from the current one upwards, that has the
// repository as its .git.
func (d Dir) workTree() string {
	dir, err := filepath.Abs(".")
	for err == nil {
		if gitDir, ok := ResolveGitDir(filepath.Join(dir, ".git")); ok && gitDir == d.GitDir {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// WorkTreeOf returns the work tree that the configuration of gitDir names, as the
// configuration of a submodule does. It returns "" unless the git directory of that work
// tree is gitDir.
func WorkTreeOf(gitDir string) string {
	root := ReadConfig(gitDir).Section("core").Option("worktree")
	if root == "" {
		return ""
	}
	if !filepath.IsAbs(root) {
		root = filepath.Join(gitDir, root)
	}
	if own, ok := ResolveGitDir(filepath.Join(root, ".git")); !ok || own != gitDir {
		return ""
	}
	return root
}

// OpenStore opens the objects of the repository. rest says that missing objects were read
// elsewhere; seen, which packs were read before; received is a pack without an index, or nil.
func (d Dir) OpenStore(rest bool, seen func(*pack.Pack) bool, received *pack.Received) *objects.Store {
	cfg := ReadConfig(d.CommonDir)
	return objects.Open(objects.Options{
		Dirs: d.ObjectDirs(), Hash: hashSize(cfg), Partial: isPartial(cfg), MissingElsewhere: rest, ReadBefore: seen, Received: received,
	})
}

// OpenLookup opens the objects of the repository for reads by id alone.
func (d Dir) OpenLookup() *objects.Store {
	cfg := ReadConfig(d.CommonDir)
	return objects.OpenLookup(objects.Options{Dirs: d.ObjectDirs(), Hash: hashSize(cfg), Partial: isPartial(cfg)})
}

// HashSize is the length of the repository's object ids in bytes.
func (d Dir) HashSize() int { return hashSize(ReadConfig(d.CommonDir)) }

// ShallowFile is the file that lists where a shallow clone is cut off.
func (d Dir) ShallowFile() string { return filepath.Join(d.CommonDir, "shallow") }

// Shallow reads the list of commits whose parents a shallow clone has cut off.
func (d Dir) Shallow() (map[pack.ID]bool, error) { return readShallow(d.ShallowFile()) }
