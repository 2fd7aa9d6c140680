//go:build !unix || nommap

package pack

import (
	"errors"
	"os"
)

// The file is read into memory then. Windows could map it, but holds on to files
// that are mapped, so that git could not replace them meanwhile. The tag nommap is
// for tests of this way on Unix.
func mmap(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func munmap([]byte) error { return nil }
