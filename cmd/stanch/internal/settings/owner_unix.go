//go:build unix

package settings

import (
	"io/fs"
	"os"
	"syscall"
)

// isOthers reports whether a file is of another user, who may write it whatever its mode
// says. Root's files are as good as one's own.
func isOthers(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid()
}
