package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/gitindex"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// worktreePrefix begins the ids of files of the work tree, which are no objects yet.
const worktreePrefix = "worktree:"

// yieldModified yields the tracked files of the work tree that were changed and not staged:
// "git commit -a" would make objects of them. It leaves out files that git does not track,
// since nothing here says which of them are meant to stay.
func (r *Repository) yieldModified(ctx context.Context, yield func(scanner.Blob) error) error {
	if r.dir.Root == "" || r.ReachableOnly {
		return nil
	}
	unread := func(err error) error { // staged files are among the objects, whatever their names
		return yield(scanner.Blob{ID: worktreePrefix, Kind: finding.KindWorktree, Name: "work tree", Err: fmt.Errorf("its changes are not known: %w", err)})
	}
	name := filepath.Join(r.dir.GitDir, "index")
	x, err := gitindex.LoadIndex(name, r.dir.GitDir, r.dir.HashSize())
	if err != nil {
		return unread(err)
	}
	if len(x.Entries) == 0 {
		return nil
	}
	// If a file was changed within the tick of the clock in which the index was written, its
	// time says nothing ("racy git", gitformat-index(5)).
	info, err := os.Stat(name)
	if err != nil {
		return unread(err)
	}
	// A folder may have become a link that leads out of the work tree.
	root, err := os.OpenRoot(r.dir.Root)
	if err != nil {
		return unread(err)
	}
	defer func() { _ = root.Close() }()
	m := modified{root: root, racy: info.ModTime(), limit: min(r.limit(), scanner.LargeText), yield: yield}
	for i := range x.Entries {
		e := &x.Entries[i]
		if e.Mode != objects.File || i > 0 && x.Entries[i-1].Path == e.Path { // the sides of a conflict
			continue
		}
		if err := errors.Join(ctx.Err(), m.entry(filepath.Join(r.dir.Root, filepath.FromSlash(e.Path)), e)); err != nil {
			return err
		}
	}
	return nil
}

// modified reads files of a work tree.
type modified struct {
	root  *os.Root
	racy  time.Time
	limit int64
	yield func(scanner.Blob) error
}

// entry yields the file of an entry, if it differs from the staged one.
func (m *modified) entry(name string, e *gitindex.Entry) error {
	info, err := os.Lstat(name)
	b := scanner.Blob{ID: finding.BlobID(worktreePrefix + e.Path), Kind: finding.KindWorktree, Name: e.Path}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return nil // it was deleted, or lies in a folder that is a file now
	case err != nil: // the folder may not be entered
		b.Err = err
		return m.yield(b)
	case isUnchanged(e, info, m.racy):
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := m.root.Readlink(filepath.FromSlash(e.Path))
		b.Data, b.Err = []byte(target), err
	case !info.Mode().IsRegular():
		return nil
	default:
		return m.file(b, e)
	}
	return m.yieldIfDiffers(b, e)
}

func (m *modified) file(b scanner.Blob, e *gitindex.Entry) error {
	f, err := m.root.Open(filepath.FromSlash(e.Path))
	if err != nil {
		b.Err = err
		return m.yield(b)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() <= m.limit {
		b.Data, b.Err = io.ReadAll(f)
		return m.yieldIfDiffers(b, e)
	}
	var stop error
	err = scanner.Windows(f, b, func(b scanner.Blob) error {
		stop = m.yield(b)
		return stop
	})
	if err == nil || stop != nil {
		return stop
	}
	b.Err = err
	return m.yield(b)
}

// yieldIfDiffers yields b unless it equals the staged file, which was read already.
func (m *modified) yieldIfDiffers(b scanner.Blob, e *gitindex.Entry) error {
	if b.Err != nil {
		b.Data = nil
	} else if pack.Sum(len(e.ID), pack.Blob, b.Data) == e.ID {
		return nil
	}
	return m.yield(b)
}

// isUnchanged reports whether info has the size and the time that the file had when it was
// staged, and that time is before racy.
func isUnchanged(e *gitindex.Entry, info fs.FileInfo, racy time.Time) bool {
	at := info.ModTime()
	return uint32(info.Size()) == e.Size && uint32(at.Unix()) == e.Seconds && at.Before(racy) &&
		(e.Nanoseconds == 0 || uint32(at.Nanosecond()) == e.Nanoseconds) // git may be built without
}

// worktreeFile returns the path of a file of the work tree that yieldModified yields.
func worktreeFile(id finding.BlobID) (path string, ok bool) {
	return strings.CutPrefix(string(id), worktreePrefix)
}
