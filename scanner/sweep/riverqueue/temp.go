//go:build sweep

package riverqueue

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/filelock"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// TempFolder makes a folder for repositories that a process fetches, and returns a function
// that removes it. It removes the folders that killed processes on this machine have left.
// For a file of SQLite, whose Lock the caller must hold, there is one folder. For PostgreSQL
// each process has its own, with a lock in it that ends with the process. The folder is ""
// if none can be made.
func TempFolder(name string) (dir string, remove func()) {
	if database.IsPostgres(name) {
		return ownFolder()
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", func() {}
	}
	sum := sha256.Sum256([]byte(abs))
	dir = filepath.Join(os.TempDir(), fmt.Sprintf("stanch-sweep-%x", sum[:8]))
	// Mkdir, not MkdirAll: it must not use a folder of that name that somebody else has
	// made.
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return "", func() {}
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

const (
	ownFolders = "stanch-worker-*"
	lockFile   = "lock"
)

// ownFolder makes the folder of a process of a fleet, locked before it has its name: else
// another process could take it for left.
func ownFolder() (dir string, remove func()) {
	none := func() {}
	removeLeft()
	dir, err := os.MkdirTemp("", "stanch-new-*")
	if err != nil {
		return "", none
	}
	lock, err := filelock.Acquire(filepath.Join(dir, lockFile))
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", none
	}
	named := filepath.Join(filepath.Dir(dir), "stanch-worker-"+filepath.Base(dir)[len("stanch-new-"):])
	if err := os.Rename(dir, named); err != nil { // on Windows, an open file is in the way
		named = dir
	}
	return named, func() {
		_ = lock.Close()
		_ = os.RemoveAll(named)
	}
}

// removeLeft removes the folders of processes that do not live any more.
func removeLeft() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), ownFolders))
	for _, dir := range left {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		// Another process removes it, or a stranger has put a link there.
		if info, err := os.Lstat(filepath.Join(dir, lockFile)); err != nil || !info.Mode().IsRegular() {
			continue
		}
		lock, err := filelock.Acquire(filepath.Join(dir, lockFile))
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}
