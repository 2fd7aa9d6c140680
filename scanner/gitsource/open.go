package gitsource

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
)

// Open opens the repository that path is in. path may be a work tree or a
// folder in one, a bare repository, a git directory (of a submodule too), a
// linked work tree, or the ".git" file of one. The error wraps ErrNotRepository
// if there is none. Open writes nothing; who owns the repository does not matter.
func Open(path string) (*Repository, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	if _, err := os.Stat(abs); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrNotRepository, err)
	}
	r, err := discover(abs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// discover looks for a repository at path, then in each folder above, as git
// does. At each level ".git" comes before the folder itself.
func discover(path string) (*Repository, error) {
	for dir := path; ; dir = filepath.Dir(dir) {
		if gitDir, ok := resolveGitDir(filepath.Join(dir, ".git")); ok {
			return &Repository{gitDir: gitDir, commonDir: commonDir(gitDir), root: dir}, nil
		}
		if gitDir, ok := resolveGitDir(dir); ok {
			return &Repository{gitDir: gitDir, commonDir: commonDir(gitDir)}, nil
		}
		if err := locked(filepath.Join(dir, ".git")); err != nil {
			return nil, err
		}
		if dir == filepath.Dir(dir) {
			return nil, ErrNotRepository
		}
	}
}

// locked returns an error if path may be a git directory or point to one, and the user
// may not look: what is above it is another repository, and not the one to scan.
func locked(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		_, err = os.Stat(filepath.Join(path, "HEAD"))
	} else if err == nil && info.Mode().IsRegular() {
		_, err = readSmall(path, maxSmall)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the repository is closed to this user: %w", err)
	}
	return nil
}

// resolveGitDir returns the git directory that path is, or that the file at
// path points to by "gitdir: ", as in linked work trees and submodules
// (gitrepository-layout(5)).
func resolveGitDir(path string) (string, bool) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		target, ok := readPointer(path, "gitdir: ")
		if !ok {
			return "", false
		}
		path = target
	}
	common := commonDir(path)
	for _, dir := range []string{filepath.Join(common, "objects"), filepath.Join(common, "refs")} {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", false
		}
	}
	_, err := os.Lstat(filepath.Join(path, "HEAD"))
	return path, err == nil
}

// commonDir returns the directory that holds the objects and refs of gitDir,
// another one in a linked work tree.
func commonDir(gitDir string) string {
	if dir, ok := readPointer(filepath.Join(gitDir, "commondir"), ""); ok {
		return dir
	}
	return gitDir
}

// readPointer reads a file that holds prefix and a path, relative to the file.
func readPointer(file, prefix string) (string, bool) {
	text, err := readSmall(file, maxSmall)
	path, ok := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), prefix)
	if err != nil || !ok || path == "" {
		return "", false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	return filepath.Clean(path), true
}

// readConfig returns what can be read of the repository's configuration. An
// error is ignored: of the values asked for, each that is missed shows up later
// as objects that cannot be read.
func readConfig(common string) *config.Config {
	return readConfigFile(filepath.Join(common, "config"))
}

func readConfigFile(name string) *config.Config {
	cfg := config.New()
	if text, err := readSmall(name, maxSmall); err == nil {
		_ = config.NewDecoder(bytes.NewReader(text)).Decode(cfg)
	}
	return cfg
}

// WorkTree returns the root of the work tree that path is in, or "" if it is in none.
// Above a bare repository, or a git directory, there is none.
func WorkTree(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if _, ok := resolveGitDir(filepath.Join(dir, ".git")); ok {
			return dir
		}
		if _, ok := resolveGitDir(dir); ok || dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// Settings returns the values of an option of the configuration of the repository
// whose work tree is at root, in order. Those of the user and of the system are not
// read, nor is what it includes.
func Settings(root, section, option string) []string {
	gitDir, ok := resolveGitDir(filepath.Join(root, ".git"))
	if !ok {
		return nil
	}
	return readConfig(commonDir(gitDir)).Section(section).OptionAll(option)
}

// UserSettings returns the values of an option of the user's own configuration, as "git
// config --global" writes it (git-config(1), FILES): not what it includes, nor that of
// the system.
func UserSettings(section, option string) (values []string) {
	var files []string
	if home, err := os.UserHomeDir(); err == nil {
		files = []string{
			filepath.Join(cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "git", "config"),
			filepath.Join(home, ".gitconfig"),
		}
	}
	if file, ok := os.LookupEnv("GIT_CONFIG_GLOBAL"); ok {
		files = []string{file}
	}
	for _, file := range files {
		values = append(values, readConfigFile(file).Section(section).OptionAll(option)...)
	}
	return values
}

// hashSize is the length of an object id in bytes.
func hashSize(cfg *config.Config) int {
	if strings.EqualFold(cfg.Section("extensions").Option("objectFormat"), "sha256") {
		return sha256.Size
	}
	return sha1.Size
}

// refStorage is how refs are stored if not in files, as reftable.
func refStorage(cfg *config.Config) string {
	// The value may be a URI, as in "reftable:///path".
	s, _, _ := strings.Cut(cfg.Section("extensions").Option("refStorage"), ":")
	if strings.EqualFold(s, "files") {
		return ""
	}
	return s
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

// objectDirs returns where the objects of r are, alternates apart. In a hook, git
// names other directories in the environment, such as the one where it holds what
// is being pushed (git(1), GIT_OBJECT_DIRECTORY).
func (r *Repository) objectDirs() []string {
	dirs := []string{filepath.Join(r.commonDir, "objects")}
	if gitDir := os.Getenv("GIT_DIR"); gitDir != "" {
		if abs, err := filepath.Abs(gitDir); err != nil || abs != r.gitDir && abs != r.commonDir {
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

// OpenHere opens the repository that git works on: the one that GIT_DIR names, as
// git does for hooks (githooks(5)), or that of the current folder. root is the top
// of the work tree, "" if there is none.
func OpenHere() (r *Repository, root string, err error) {
	dir := os.Getenv("GIT_DIR")
	if dir == "" {
		if r, err = Open("."); err != nil {
			return nil, "", err
		}
		return r, r.workTree(), nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", fmt.Errorf("GIT_DIR %s: %w", dir, err)
	}
	gitDir, ok := resolveGitDir(abs)
	if !ok {
		return nil, "", fmt.Errorf("GIT_DIR %s: %w", dir, ErrNotRepository)
	}
	r = &Repository{gitDir: gitDir, commonDir: commonDir(gitDir)}
	if common := os.Getenv("GIT_COMMON_DIR"); common != "" {
		if r.commonDir, err = filepath.Abs(common); err != nil {
			return nil, "", fmt.Errorf("GIT_COMMON_DIR %s: %w", common, err)
		}
	}
	// With GIT_DIR, the current folder is the top, unless GIT_WORK_TREE says other.
	root, err = filepath.Abs(cmp.Or(os.Getenv("GIT_WORK_TREE"), "."))
	return r, root, err
}

// workTree returns the folder, from the current one upwards, that has the
// repository as its .git.
func (r *Repository) workTree() string {
	dir, err := filepath.Abs(".")
	for err == nil {
		if gitDir, ok := resolveGitDir(filepath.Join(dir, ".git")); ok && gitDir == r.gitDir {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// GitDir returns the folder of the work tree in the repository: what holds HEAD.
func (r *Repository) GitDir() string { return r.gitDir }
