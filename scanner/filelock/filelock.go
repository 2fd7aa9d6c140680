// Package filelock keeps two processes from changing the same thing at once.
//
// A lock is a file that the operating system locks for one process. It is free again when
// the process ends, however it ends: a killed process leaves the file behind, but no lock.
// The package imports the standard library only, so that every package may use it.
package filelock

import "errors"

// ErrHeld is the error for a lock that another process has.
var ErrHeld = errors.New("another process holds the lock")
