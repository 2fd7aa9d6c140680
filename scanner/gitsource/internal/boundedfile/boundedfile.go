// Package boundedfile reads regular files up to a size. A repository may belong to a
// stranger: a file in it may be a FIFO, a device without an end, or far too large.
package boundedfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// ErrNotRegular says that a name is a folder, FIFO or device.
var ErrNotRegular = errors.New("not a regular file")

const (
	// MaxSmall is the size limit of files that should hold a line or a few.
	MaxSmall = 1 << 20
	// MaxList is the size limit of files with a line for each ref or commit: millions of them.
	MaxList = 256 << 20
)

// openRegular opens a file and returns its size. A file that is not regular is not even
// opened: a FIFO would block and a device may have no end. No more than the size is to be
// read: files that the kernel makes up say 0, and may block too.
func openRegular(name string) (*os.File, int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	return openListed(name)
}

// openListed is openRegular for a file that was regular a moment ago.
func openListed(name string) (*os.File, int64, error) {
	// A FIFO that has just taken its place does not block either. Nor are four system calls
	// needed to find out whether the file could block: there may be 100,000 refs.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat() // again: git replaces files by renaming
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// ReadSmall reads a regular file of at most limit bytes.
func ReadSmall(name string, limit int64) ([]byte, error) {
	f, size, err := openRegular(name)
	return readSmall(f, size, limit, err)
}

// ReadListed is ReadSmall for a file that its folder lists as regular, not as a link. It asks
// the system for less, which counts where there are 100,000.
func ReadListed(name string, limit int64) ([]byte, error) {
	f, size, err := openListed(name)
	return readSmall(f, size, limit, err)
}

// readSmall reads and closes f, unless there is an error already.
func readSmall(f *os.File, size, limit int64, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkSize(f.Name(), size, limit); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it became shorter
		err = nil
	}
	return data[:n], err
}

// ReadText is ReadSmall for text that is cut into strings: it is in memory once.
func ReadText(name string, limit int64) (string, error) {
	f, size, err := openRegular(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := checkSize(name, size, limit); err != nil {
		return "", err
	}
	var text strings.Builder
	text.Grow(int(size))
	_, err = io.Copy(&text, io.LimitReader(f, size))
	return text.String(), err
}

func checkSize(name string, size, limit int64) error {
	if size > limit {
		return fmt.Errorf("%s: %d bytes are more than such a file should have", name, size)
	}
	return nil
}
