// Package dirsource reads files: directories, single files and streams.
package dirsource

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/archive"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Files is the source of the files below Paths.
type Files struct {
	// Paths are files and directories. Directories are walked, hidden files included, but
	// not their .git, which `stanch git` reads better. Symbolic links are not followed
	// below a path: their targets are elsewhere, or were read already. Their text is read,
	// since it can leak too.
	Paths []string
	// MaxSize is the size in bytes above which an archive is not unpacked, but searched as
	// it is, and reported as unread; 0 is no limit. Other files are read whatever their
	// size, in windows if they are larger than scanner.LargeText.
	MaxSize int64
}

var _ scanner.Source = (*Files)(nil)

// Blobs implements scanner.Source. An id is the path as it is reached from
// Paths. yield is called from several goroutines.
func (f *Files) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, path := range f.Paths {
		err := f.walk(groupCtx, root(path), func(b scanner.Blob, read reader) {
			group.Go(func() error {
				if err := groupCtx.Err(); err != nil {
					return err
				}
				return read(groupCtx, b, yield)
			})
		})
		if err != nil {
			break // ctx is done: Wait says why
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// root returns path in a form that leads filepath.WalkDir through a symbolic link
// to a directory: the user named it, so it is meant.
func root(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() && !os.IsPathSeparator(path[len(path)-1]) {
		return path + string(filepath.Separator)
	}
	return path
}

// A reader yields b with its text, perhaps in windows, or with the error that prevented the
// reading.
type reader func(ctx context.Context, b scanner.Blob, yield func(scanner.Blob) error) error

// unread is the reader of a file that cannot be read, as b says.
func unread(_ context.Context, b scanner.Blob, yield func(scanner.Blob) error) error { return yield(b) }

// walk calls visit for each file below path, with its reader.
func (f *Files) walk(ctx context.Context, path string, visit func(scanner.Blob, reader)) error {
	return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b := scanner.Blob{ID: finding.BlobID(name), Kind: finding.KindBlob, Name: filepath.ToSlash(name)}
		switch {
		case err != nil:
			b.Err = cause(err)
			visit(b, unread)
			return nil
		case d.IsDir() && d.Name() == ".git" && name != path:
			return filepath.SkipDir
		case d.Type()&fs.ModeSymlink != 0 && name != path:
			visit(b, readLink)
		case d.Type().IsRegular() || name == path && !d.IsDir():
			visit(b, f.read)
		}
		return nil
	})
}

// readLink is the reader of a symbolic link.
func readLink(_ context.Context, b scanner.Blob, yield func(scanner.Blob) error) error {
	target, err := os.Readlink(string(b.ID))
	b.Data, b.Err = []byte(target), cause(err)
	return yield(b)
}

// read is the reader of a file. A device, or a pipe that nobody writes to, is not even
// opened.
func (f *Files) read(ctx context.Context, b scanner.Blob, yield func(scanner.Blob) error) error {
	name := string(b.ID)
	info, err := os.Stat(name)
	switch {
	case err != nil:
		b.Err = cause(err)
		return yield(b)
	case !info.Mode().IsRegular():
		b.Err = errors.New("not a regular file")
		return yield(b)
	}
	if info.Size() > scanner.LargeText {
		return f.readLarge(ctx, b, yield, info.Size())
	}
	b.Data, err = os.ReadFile(name)
	if b.Err = cause(err); err != nil {
		b.Data = nil
	}
	return yield(b)
}

// readLarge is read for a file of more than scanner.LargeText.
func (f *Files) readLarge(ctx context.Context, b scanner.Blob, yield func(scanner.Blob) error, size int64) error {
	file, err := os.Open(string(b.ID))
	if err != nil {
		b.Err = cause(err)
		return yield(b)
	}
	defer file.Close()
	head := make([]byte, archive.HeadSize)
	n, _ := file.ReadAt(head, 0) // an error is met again
	if hold(head[:n], size, f.MaxSize) {
		if b.Data, err = os.ReadFile(string(b.ID)); err != nil {
			b.Data, b.Err = nil, cause(err)
		}
		return yield(b)
	}
	return stream(ctx, b, file, yield)
}

// hold reports whether a text of size bytes, of which head is the beginning, is to
// be held as a whole though it is large: an archive is unpacked from memory.
func hold(head []byte, size, limit int64) bool {
	return archive.Is(head) && (limit == 0 || size <= limit)
}

// stream yields the text of r in windows, then the error that it ended with.
func stream(ctx context.Context, b scanner.Blob, r io.Reader, yield func(scanner.Blob) error) error {
	var stop error
	err := scanner.Windows(contextReader{ctx, r}, b, func(b scanner.Blob) error {
		stop = yield(b)
		return stop
	})
	if err == nil || stop != nil || ctx.Err() != nil {
		return err
	}
	b.Err = cause(err)
	return yield(b)
}

// cause drops the operation and the path of a file error: the blob is named
// already.
func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// Locate implements scanner.Source: a file is where it is.
func (f *Files) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	return locate(ctx, ids, yield)
}

func locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := finding.Location{Kind: finding.KindBlob, Path: strings.TrimPrefix(filepath.ToSlash(string(id)), "./")}
		if err := yield(id, p); err != nil {
			return err
		}
	}
	return nil
}

// Stream is the source of one text.
type Stream struct {
	Reader io.Reader
	// Name is its name in reports, "stdin".
	Name string
	// MaxSize is as in Files.
	MaxSize int64
}

var _ scanner.Source = (*Stream)(nil)

// Blobs implements scanner.Source. It reads Reader to its end, once.
func (s *Stream) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	b := scanner.Blob{ID: finding.BlobID(s.Name), Kind: finding.KindBlob, Name: s.Name}
	r := contextReader{ctx, s.Reader}
	data, readErr := readUpTo(r, nil, scanner.LargeText)
	if readErr == nil && hold(data, int64(len(data)), s.MaxSize) {
		data, readErr = readUpTo(r, data, cmp.Or(s.MaxSize, math.MaxInt64-1))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if readErr == nil {
		return stream(ctx, b, io.MultiReader(bytes.NewReader(data), r), yield)
	}
	b.Data = data
	if err := yield(b); err != nil || errors.Is(readErr, io.EOF) {
		return err
	}
	b.Data, b.Err = nil, readErr
	return yield(b)
}

// readUpTo reads r and appends to data until there are more than limit bytes. The error is
// nil if there are more, io.EOF if r ended before.
func readUpTo(r io.Reader, data []byte, limit int64) ([]byte, error) {
	out := bytes.NewBuffer(data)
	n, err := io.Copy(out, io.LimitReader(r, limit+1-int64(len(data))))
	if err == nil && int64(len(data))+n <= limit {
		err = io.EOF
	}
	return out.Bytes(), err
}

// Locate implements scanner.Source.
func (s *Stream) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	return locate(ctx, ids, yield)
}

// contextReader stops between two reads when ctx is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
