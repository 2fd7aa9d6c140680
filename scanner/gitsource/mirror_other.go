//go:build !unix

package gitsource

import "os"

// lockFile locks nothing here: two updates of one mirror at once are up to the user.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
}
