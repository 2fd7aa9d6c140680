package gitsource

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// yieldMetadataFiles yields the files of git itself: configurations and logs.
func (r *Repository) yieldMetadataFiles(ctx context.Context, yield func(scanner.Blob) error) error {
	files, unread := r.dir.MetadataFiles()
	for _, err := range unread {
		if err := yield(scanner.Blob{ID: "git directory", Kind: finding.KindConfig, Name: "git directory", Err: err}); err != nil {
			return err
		}
	}
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(runtime.GOMAXPROCS(0)) // each ref may have a reflog
	for name, kind := range files {
		readers.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			data, err := boundedfile.ReadSmall(filepath.Join(r.dir.CommonDir, filepath.FromSlash(name)), boundedfile.MaxList)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, boundedfile.ErrNotRegular) {
				return nil
			}
			return yield(scanner.Blob{ID: finding.BlobID(name), Kind: kind, Name: name, Data: data, Err: err})
		})
	}
	return readers.Wait()
}

// locateFiles yields the locations of the ids that are not objects: names of refs, and
// files of git itself.
func (r *Repository) locateFiles(refs *repo.RefSet, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	var files map[string]finding.Kind
	for _, id := range ids {
		if _, ok := pack.ParseID([]byte(id)); ok {
			continue
		}
		if path, ok := worktreeFile(id); ok {
			if err := yield(id, finding.Location{Kind: finding.KindWorktree, Path: path}); err != nil {
				return err
			}
			continue
		}
		if files == nil {
			files, _ = r.dir.MetadataFiles()
		}
		p := finding.Location{Kind: files[string(id)], Path: string(id)}
		if slices.ContainsFunc(refs.Tabled, func(l repo.Reflog) bool { return l.Name == string(id) }) {
			p.Kind = finding.KindReflog
		}
		if i, ok := refs.ByName[string(id)]; ok && refs.Refs[i].IsNamed() {
			p.Kind = finding.KindRefName
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
