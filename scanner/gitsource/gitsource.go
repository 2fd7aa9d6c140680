// Package gitsource reads git repositories: every object that any ref reaches,
// each once.
//
// Reading has three steps. The history is walked from all refs at once, so that
// the commits and their root trees are known. The trees are read level by
// level, and then the blobs; both in the order in which they lie in the packs,
// because there a delta is near its base and the base still in a cache. Nothing
// is read by path or by commit, so that a file that stayed for a thousand
// commits costs as much as one that stayed for one. Where a hit came from is
// worked out afterwards, by Locate, for hits only.
//
// Nothing is ever written to a repository, no command is run in it, and no
// hook, filter or helper that its configuration names: it may belong to someone
// else. Blobs are read as stored, before any clean or smudge filter.
//
// # Limitations
//
// Repositories with SHA-256 object names or reftables are refused. Objects that
// no ref reaches (and no stash entry) are not read. Grafts and replace refs are
// not applied: the replaced object and the replacement are both read. The bases
// that the delta of an object needs are loaded whatever their size.
package gitsource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
)

// A Repository is a git repository on disk. Make one with Open or Clone. Its
// methods may be called concurrently, each opens the object store for itself.
type Repository struct {
	// MaxBlobSize is the size in bytes above which a text is yielded with Err
	// set, and a blob not even loaded. The links of larger commits, tags and
	// trees are still followed, up to 32 MiB or MaxBlobSize if that is more. 0
	// means no limit. Not to be changed during a call.
	MaxBlobSize int64

	gitDir    string // of this work tree: holds HEAD
	commonDir string // shared by all work trees: holds objects and refs
	temp      string // removed by Close
}

var _ scanner.Source = (*Repository)(nil)

// Close removes what Clone made. It does nothing to a repository that was
// opened. It may be called more than once.
func (r *Repository) Close() error {
	if r.temp == "" {
		return nil
	}
	return os.RemoveAll(r.temp)
}

// Empty reports whether no ref, HEAD included, leads to anything: there is
// nothing to read, which is not the same as nothing found.
func (r *Repository) Empty() bool {
	refs := r.refs()
	return len(refs.broken) == 0 && !slices.ContainsFunc(refs.roots, func(r root) bool { return !r.id.IsZero() })
}

// Blobs implements scanner.Source. It yields blobs (symlink targets too) under
// the first path met, the raw bytes of commits and annotated tags, the names in
// each tree, a line each, and the name of each ref. It calls yield from several
// goroutines at once. Submodules are other repositories and are left out.
//
// What exists and cannot be read is yielded with Err: objects that are missing
// or damaged, each; packs that cannot be opened; refs that lead nowhere; and, in
// one blob each, that a shallow history is cut off and that objects were left
// out of a partial clone. Missing objects are never fetched.
func (r *Repository) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	refs := r.refs()
	w := r.newWalk(yield)
	defer w.close()
	for _, b := range slices.Concat(refs.broken, w.store.unread, w.shallowBlob()) {
		if err := yield(b); err != nil {
			return err
		}
	}
	if err := yieldNames(ctx, refs.roots, yield); err != nil {
		return err
	}
	for _, kind := range contentKinds {
		if err := w.readAll(ctx, refs.of(kind), kind, yield); err != nil {
			return err
		}
	}
	return w.reportMissing()
}

// contentKinds is the order of the two walks. Notes come last: a blob that is
// both a file and a note is a file first.
var contentKinds = [...]scanner.Kind{scanner.KindBlob, scanner.KindNote}

func yieldNames(ctx context.Context, roots []root, yield func(scanner.Blob) error) error {
	for _, ref := range roots {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !ref.named() {
			continue
		}
		b := scanner.Blob{ID: scanner.BlobID(ref.name), Kind: scanner.KindRefName, Name: ref.name, Data: []byte(ref.name)}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

func (r *Repository) newWalk(report func(scanner.Blob) error) *walk {
	s := openStore(r.commonDir)
	file := filepath.Join(r.commonDir, "shallow")
	shallow, err := readShallow(file)
	if err != nil {
		s.fail(file, err)
	}
	return newWalk(s, shallow, r.MaxBlobSize, report)
}

// ErrNotRepository says that a path is not in a git repository.
var ErrNotRepository = errors.New("not a git repository")
