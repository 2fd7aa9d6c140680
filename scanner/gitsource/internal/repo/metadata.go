package repo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// MetadataFiles returns the files of the git directory with text that people have typed:
// the configurations, of work trees and submodules too, with the URLs of remotes; and logs,
// which hold the URL of a clone and the messages of commits.
func (d Dir) MetadataFiles() (files map[string]finding.Kind, unread []error) {
	files = map[string]finding.Kind{}
	_ = filepath.WalkDir(d.CommonDir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // a folder that git has just removed
				unread = append(unread, err)
			}
			return nil
		}
		rel, _ := filepath.Rel(d.CommonDir, file)
		rel = filepath.ToSlash(rel)
		base := entry.Name()
		switch {
		case entry.IsDir():
			// A folder of a git directory: a branch or a submodule may have such a name too.
			// logs/refs has the reflogs of branches, beside logs/HEAD.
			parent := filepath.Dir(file)
			_, noHead := os.Lstat(filepath.Join(parent, "HEAD"))
			isLogs := base == "refs" && filepath.Base(parent) == "logs"
			if noHead == nil && !isLogs && slices.Contains([]string{"objects", "refs", "lfs", "hooks"}, base) {
				return fs.SkipDir
			}
		case base == "config" || base == "config.worktree":
			files[rel] = finding.KindConfig
		case base == "FETCH_HEAD" || strings.HasPrefix(rel, "logs/") || strings.Contains(rel, "/logs/"):
			files[rel] = finding.KindReflog
		}
		return nil
	})
	return files, unread
}
