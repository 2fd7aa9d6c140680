// Package archive reads what is packed: zip and its kin (jar, docx, whl), tar,
// gzip and bzip2, nested. It knows them by content, not by name.
package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
)

// Limits of one Walk. A bomb ends at the first that it meets, and is reported.
const (
	maxDepth  = 4
	maxMember = 64 << 20
	maxTotal  = 512 << 20
)

var (
	errTooLarge = errors.New("larger unpacked than is read")
	errFull     = errors.New("limit of a walk reached") // ends it, and is not returned
)

// Walk calls yield for each file packed in data, with its name within data
// ("dir/file", "inner.tar!file" if nested, "" for data itself) and its content, which is valid until
// yield returns. What cannot be unpacked is passed with an error. It stops at the
// first error of yield, or when ctx is done, and returns it. Data that is no
// archive costs a look at its first bytes.
func Walk(ctx context.Context, data []byte, yield func(name string, data []byte, err error) error) error {
	w := &walk{ctx: ctx, left: maxTotal, yield: yield}
	err := w.open("", data, 0)
	if errors.Is(err, errFull) {
		return nil
	}
	return err
}

// HeadSize is how many bytes at the beginning of a text tell whether it is an archive.
const HeadSize = 263

// Is reports whether a text that begins with head is an archive.
func Is(head []byte) bool { return (&walk{}).format(head) != nil }

type walk struct {
	ctx   context.Context
	left  int64 // bytes that may still be unpacked
	yield func(name string, data []byte, err error) error
}

// open walks data if it is an archive. It was passed to yield before, except
// for the outermost.
func (w *walk) open(name string, data []byte, depth int) error {
	walk := w.format(data)
	if walk == nil {
		return nil
	}
	if depth == maxDepth {
		return w.yield(name, nil, fmt.Errorf("nested deeper than %d archives", maxDepth))
	}
	return walk(name, data, depth)
}

// format recognises an archive by its magic number.
func (w *walk) format(data []byte) func(name string, data []byte, depth int) error {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return w.zip
	case bytes.HasPrefix(data, []byte("\x1f\x8b\x08")):
		return w.gzip
	case bytes.HasPrefix(data, []byte("BZh")) && len(data) > 10 && bytes.Equal(data[4:10], []byte("1AY&SY")):
		return w.bzip2
	case len(data) > 262 && bytes.Equal(data[257:262], []byte("ustar")):
		return w.tar
	}
	return nil
}

// member reads one packed file, passes it on and looks into it.
func (w *walk) member(name string, r io.Reader, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	limit := min(w.left, maxMember)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooLarge
	}
	w.left -= min(w.left, int64(len(data)))
	if len(data) > 0 { // what could be unpacked is scanned, whole or not
		if err := w.yield(name, data, nil); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, errTooLarge):
		if err := w.yield(name, nil, err); err != nil || w.left > 0 {
			return err
		}
		return errFull
	case err != nil: // what came before the damage is scanned
		return w.yield(name, nil, damaged(err))
	}
	return w.open(name, data, depth+1)
}

func (w *walk) zip(name string, data []byte, depth int) error {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return w.yield(name, nil, damaged(err))
	}
	for _, f := range r.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if err := w.zipMember(join(name, f.Name), f, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) zipMember(name string, f *zip.File, depth int) error {
	if f.Flags&1 != 0 { // APPNOTE.TXT 4.4.4, bit 0
		return w.yield(name, nil, errors.New("encrypted"))
	}
	r, err := f.Open()
	if err != nil {
		return w.yield(name, nil, damaged(err))
	}
	defer r.Close()
	return w.member(name, r, depth)
}

func (w *walk) tar(name string, data []byte, depth int) error {
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return w.yield(name, nil, damaged(err))
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := w.member(join(name, h.Name), r, depth); err != nil {
			return err
		}
	}
}

func (w *walk) gzip(name string, data []byte, depth int) error {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil // three bytes of magic do not make a header
	}
	return w.member(join(name, "gunzip"), r, depth)
}

func (w *walk) bzip2(name string, data []byte, depth int) error {
	return w.member(join(name, "bunzip2"), bzip2.NewReader(bytes.NewReader(data)), depth)
}

func damaged(err error) error { return fmt.Errorf("damaged archive: %w", err) }

// join names a member; "!" separates the archives, as in Java's jar URLs.
func join(name, member string) string {
	if name == "" {
		return member
	}
	return name + "!" + member
}
