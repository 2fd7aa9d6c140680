package gitsource

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// yieldFiles yields the own files.
func (r *Repository) yieldFiles(yield func(scanner.Blob) error) error {
	files, unread := r.dir.ownFiles()
	for _, err := range unread {
		if err := yield(scanner.Blob{ID: "git directory", Kind: scanner.KindConfig, Name: "git directory", Err: err}); err != nil {
			return err
		}
	}
	for name, kind := range files {
		data, err := readSmall(filepath.Join(r.dir.CommonDir, filepath.FromSlash(name)), maxList)
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
			files, _ = r.dir.ownFiles()
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
