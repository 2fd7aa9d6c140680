//go:build unix

package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Acquire creates the file called name if there is none, locks it and returns it, open for
// reading and writing. The lock lasts until the file is closed. If another process has it,
// Acquire does not wait: it returns ErrHeld.
func Acquire(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrHeld
	}
	_ = file.Close()
	return nil, fmt.Errorf("locking %s: %w", name, err)
}
