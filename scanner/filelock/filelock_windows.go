package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

const sharingViolation syscall.Errno = 32 // ERROR_SHARING_VIOLATION

// Acquire creates the file called name if there is none, locks it and returns it, open for
// reading and writing. The lock lasts until the file is closed: until then others can read
// the file and not write it. If another process has the lock, Acquire does not wait: it
// returns ErrHeld.
func Acquire(name string) (*os.File, error) {
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ,
		nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		err = ErrHeld
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return os.NewFile(uintptr(h), name), nil
}
