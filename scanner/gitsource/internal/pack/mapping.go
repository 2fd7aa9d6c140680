package pack

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
)

// A mapping is a file that can be read as memory.
type mapping struct {
	data  []byte
	unmap func([]byte) error // nil if data is a copy
}

// openMapping maps a regular file. Where that cannot be done (a file system
// without mmap, another operating system) the file is read into memory.
func openMapping(name string) (*mapping, error) {
	// Only a regular file is opened: opening a FIFO waits for a writer.
	if info, err := os.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := isRegular(f) // again: git replaces files by renaming
	if err != nil {
		return nil, err
	}
	return mapFile(f, size)
}

// mapFile maps the first size bytes of a file.
func mapFile(f *os.File, size int64) (*mapping, error) {
	if size > math.MaxInt/2 {
		return nil, damaged("%s: %d bytes are more than can be mapped", f.Name(), size)
	}
	if size == 0 {
		return &mapping{}, nil
	}
	if data, err := mmap(f, int(size)); err == nil {
		return &mapping{data, munmap}, nil
	}
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil {
		return nil, err
	}
	return &mapping{data: data}, nil
}

func (m *mapping) close() error {
	if m == nil || m.unmap == nil {
		return nil
	}
	data := m.data
	m.data = nil
	return m.unmap(data)
}

// panicOnFault makes a fault in mapped memory a panic in this goroutine, instead
// of the end of the process.
func panicOnFault() (undo func()) {
	old := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(old) }
}

var errNotRegular = errors.New("not a regular file")

// isRegular refuses files that would block (a FIFO) or never end (a device).
func isRegular(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, &fs.PathError{Op: "open", Path: f.Name(), Err: errNotRegular}
	}
	return info.Size(), nil
}
