package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// maxEntries bounds the directory of a zip, which takes memory before a byte of it
// is unpacked.
const maxEntries = 200_000

func (w *walk) zip(name string, data []byte, depth int) error {
	if bytes.Count(data, []byte("PK\x01\x02")) > maxEntries {
		return w.yield(name, nil, errors.New("too many files to be unpacked"))
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return w.failed(name, err)
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
		return w.failed(name, err)
	}
	defer r.Close()
	return w.member(name, name, r, depth)
}

func (w *walk) tar(name string, from *bufio.Reader, depth int) error {
	r := tar.NewReader(from)
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return w.failed(name, err)
		}
		if h.Typeflag != tar.TypeReg { // links too: their targets are not here
			continue
		}
		member := join(name, h.Name)
		if err := w.member(member, member, r, depth); err != nil {
			return err
		}
	}
}

// A compression is a format that holds one stream without a name.
type compression struct {
	member string // its name
	open   func(r io.Reader) (io.Reader, error)
}

// compressionOf recognises a compressed file by its magic number.
func compressionOf(head []byte) *compression {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b\x08")):
		// Three bytes are few, so the rest of the header is checked too.
		if _, err := gzip.NewReader(bytes.NewReader(head)); err != nil && len(head) < HeadSize {
			return nil
		}
		return &compression{"gunzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }}
	case bytes.HasPrefix(head, []byte("BZh")) && len(head) > 10 && bytes.Equal(head[4:10], []byte("1AY&SY")):
		return &compression{"bunzip2", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }}
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return &compression{"unxz", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, maxWindow) }}
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return &compression{"unzstd", openZstd}
	}
	return nil
}

// maxWindow bounds the output that a decompressor holds in memory. It is the window of xz
// -9. zstd needs more only with --ultra or --long.
const maxWindow = 64 << 20

func openZstd(r io.Reader) (io.Reader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// compressed reads one stream. Files of a tar in it are named as if the tar were not
// compressed.
func (w *walk) compressed(c *compression, name string, from *bufio.Reader, depth int) error {
	r, err := c.open(from)
	if err != nil {
		return w.failed(name, err)
	}
	if closer, ok := r.(io.Closer); ok {
		defer closer.Close()
	}
	return w.member(name, join(name, c.member), r, depth)
}
