package gitsource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/archive"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// withLFS returns a yield that reads the content of Git LFS in place of a pointer, if it is
// on disk. All of it counts as new: a pointer that is new has new content. Content that is
// elsewhere is reported by the archive walk of the scanner.
func (r *Repository) withLFS(yield func(scanner.Blob) error) func(scanner.Blob) error {
	return func(b scanner.Blob) error {
		p, ok := archive.ReadPointer(b.Data)
		if !ok || b.Window != nil || b.Kind != finding.KindBlob && b.Kind != finding.KindIndex {
			return yield(b)
		}
		// As git-lfs lays them out; lfs.storage may name another folder.
		f, err := os.Open(filepath.Join(r.dir.CommonDir, "lfs", "objects", p.OID[:2], p.OID[2:4], p.OID))
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				b.Data, b.Err = nil, fmt.Errorf("reading its content in Git LFS: %w", err)
			}
			return yield(b)
		}
		defer f.Close()
		b.New, b.Version = nil, nil // they are of the pointer
		return yieldLFS(b, f, p.Size, r.MaxBlobSize, yield)
	}
}

// yieldLFS yields b with the content that f holds, which should be size bytes. Archives are
// held as a whole up to limit.
func yieldLFS(b scanner.Blob, f *os.File, size, limit int64, yield func(scanner.Blob) error) error {
	broken := b
	broken.Data = nil
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() != size) {
		err = errors.New("it has another size than its pointer says")
	}
	if err != nil {
		broken.Err = fmt.Errorf("reading its content in Git LFS: %w", err)
		return yield(broken)
	}
	head := make([]byte, min(size, archive.HeadSize))
	_, _ = f.ReadAt(head, 0) // an error is met again
	if size > scanner.LargeText && (!archive.Is(head) || limit != 0 && size > limit) {
		var stop error
		if err = scanner.Windows(f, b, func(b scanner.Blob) error {
			stop = yield(b)
			return stop
		}); err == nil || stop != nil {
			return err
		}
	} else if b.Data, err = io.ReadAll(f); err == nil {
		return yield(b)
	}
	broken.Err = fmt.Errorf("reading its content in Git LFS: %w", err)
	return yield(broken)
}
