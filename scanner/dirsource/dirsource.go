// Package dirsource reads files: directories, single files and streams.
package dirsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
)

// Files is the source of the files below Paths.
type Files struct {
	// Paths are files and directories. Directories are walked in full, hidden
	// files included, but not their .git: `stanch git` reads that, and better.
	// Symbolic links are not followed below a path: their targets are elsewhere,
	// or were read already. Their text is read, since it can leak too.
	Paths []string
	// MaxSize is the size in bytes above which a file is not read but reported
	// as unread; 0 is no limit.
	MaxSize int64
}

var _ scanner.Source = (*Files)(nil)

// Blobs implements scanner.Source. An id is the path as it is reached from
// Paths. yield is called from several goroutines.
func (f *Files) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, path := range f.Paths {
		err := f.walk(groupCtx, root(path), func(b scanner.Blob, read func() ([]byte, error)) {
			group.Go(func() error {
				if err := groupCtx.Err(); err != nil {
					return err
				}
				if read != nil {
					b.Data, b.Err = read()
				}
				return yield(b)
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

// walk calls visit for each file below path, with a function that reads it or
// with the error that keeps it from being read.
func (f *Files) walk(ctx context.Context, path string, visit func(scanner.Blob, func() ([]byte, error))) error {
	return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b := scanner.Blob{ID: scanner.BlobID(name), Kind: scanner.KindBlob, Name: filepath.ToSlash(name)}
		switch {
		case err != nil:
			b.Err = cause(err)
			visit(b, nil)
			return nil
		case d.IsDir() && d.Name() == ".git" && name != path:
			return filepath.SkipDir
		case d.Type()&fs.ModeSymlink != 0 && name != path:
			visit(b, func() ([]byte, error) {
				target, err := os.Readlink(name)
				return []byte(target), cause(err)
			})
		case d.Type().IsRegular() || name == path && !d.IsDir():
			visit(b, func() ([]byte, error) { return f.read(name) })
		}
		return nil
	})
}

// read returns the content of a file, unless it is too large or no file (a
// device, a pipe that nobody writes to).
func (f *Files) read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case f.MaxSize > 0 && info.Size() > f.MaxSize:
		return nil, tooLarge(f.MaxSize)
	}
	data, err := os.ReadFile(name)
	return data, cause(err)
}

// tooLarge is the error for what is beyond limit, a flag of the command.
func tooLarge(limit int64) error {
	return fmt.Errorf("larger than %d MiB; raise --max-size to read it", limit>>20)
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
func (f *Files) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	return locate(ctx, ids, yield)
}

func locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := scanner.Provenance{Kind: scanner.KindBlob, Path: strings.TrimPrefix(filepath.ToSlash(string(id)), "./")}
		if err := yield(id, p); err != nil {
			return err
		}
	}
	return nil
}

// Stream is the source of one text.
type Stream struct {
	Reader io.Reader
	// Name is what to call it, "stdin".
	Name string
	// MaxSize bounds what is read, in bytes; 0 is no limit. What comes after is
	// reported as unread.
	MaxSize int64
}

var _ scanner.Source = (*Stream)(nil)

// Blobs implements scanner.Source. It reads Reader to its end, once.
func (s *Stream) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	r := s.Reader
	if s.MaxSize > 0 {
		r = io.LimitReader(r, s.MaxSize+1)
	}
	data, readErr := io.ReadAll(contextReader{ctx, r})
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.MaxSize > 0 && int64(len(data)) > s.MaxSize {
		data, readErr = data[:s.MaxSize], tooLarge(s.MaxSize)
	}
	b := scanner.Blob{ID: scanner.BlobID(s.Name), Kind: scanner.KindBlob, Name: s.Name, Data: data}
	if err := yield(b); err != nil || readErr == nil {
		return err
	}
	b.Data, b.Err = nil, readErr
	return yield(b)
}

// Locate implements scanner.Source.
func (s *Stream) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
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
