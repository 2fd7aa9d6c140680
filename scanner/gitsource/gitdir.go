package gitsource

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// ownFiles returns the files in the git directory that hold what people typed:
// the configurations, those of work trees and submodules too, with the URLs of
// remotes; and logs, which hold the URL of a clone and the messages of commits.
func (r *Repository) ownFiles() (files map[string]scanner.Kind, unread []error) {
	files = map[string]scanner.Kind{}
	_ = filepath.WalkDir(r.commonDir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // a folder that git has just removed
				unread = append(unread, err)
			}
			return nil
		}
		rel, _ := filepath.Rel(r.commonDir, file)
		rel = filepath.ToSlash(rel)
		base := d.Name()
		switch {
		case d.IsDir():
			// Of a git directory: a branch or a submodule may have such a name too.
			_, noHead := os.Lstat(filepath.Join(filepath.Dir(file), "HEAD"))
			if noHead == nil && slices.Contains([]string{"objects", "refs", "lfs", "hooks"}, base) {
				return fs.SkipDir
			}
		case base == "config" || base == "config.worktree":
			files[rel] = scanner.KindConfig
		case base == "FETCH_HEAD" || strings.HasPrefix(rel, "logs/") || strings.Contains(rel, "/logs/"):
			files[rel] = scanner.KindReflog
		}
		return nil
	})
	return files, unread
}

// yieldFiles yields the own files.
func (r *Repository) yieldFiles(yield func(scanner.Blob) error) error {
	files, unread := r.ownFiles()
	for _, err := range unread {
		if err := yield(scanner.Blob{ID: "git directory", Kind: scanner.KindConfig, Name: "git directory", Err: err}); err != nil {
			return err
		}
	}
	for name, kind := range files {
		data, err := readSmall(filepath.Join(r.commonDir, filepath.FromSlash(name)), maxList)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) {
			continue
		}
		b := scanner.Blob{ID: scanner.BlobID(name), Kind: kind, Name: name, Data: data, Err: err}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

// locateFiles yields the places of those ids that are no objects: names of refs,
// and own files.
func (r *Repository) locateFiles(refs *refSet, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	var files map[string]scanner.Kind
	for _, id := range ids {
		if _, ok := pack.ParseID([]byte(id)); ok {
			continue
		}
		if path, ok := worktreeFile(id); ok {
			if err := yield(id, scanner.Provenance{Kind: scanner.KindWorktree, Path: path}); err != nil {
				return err
			}
			continue
		}
		if files == nil {
			files, _ = r.ownFiles()
		}
		p := scanner.Provenance{Kind: files[string(id)], Path: string(id)}
		if i, ok := refs.byName[string(id)]; ok && refs.roots[i].named() {
			p.Kind = scanner.KindRefName
		}
		if p.Kind == "" {
			continue
		}
		if err := yield(id, p); err != nil {
			return err
		}
	}
	return nil
}
