//go:build !unix || nommap

package pack

import (
	"errors"
	"os"
)

// The file is read into memory instead. Windows could map it, but locks mapped files, so
// that git could not replace them meanwhile. The tag nommap is for tests of this way on
// Unix.
func mmap(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func munmap([]byte) error { return nil }
