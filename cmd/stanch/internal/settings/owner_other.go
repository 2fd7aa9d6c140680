//go:build !unix

package settings

import "io/fs"

// isOthers is false: these systems have no owners of files as Unix has them.
func isOthers(fs.FileInfo) bool { return false }
