package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// A subRepository is the repository of a submodule. It lies within the git directory of the
// other one (gitrepository-layout(5), "modules"): people who clone the one get both, and do
// not think of the submodule as another place.
type subRepository struct {
	name string // "vendor/lib", most often where it lies in the work tree
	repo *Repository
}

// prefix begins the ids of all texts in s.
func (s *subRepository) prefix() string { return subPrefix + s.name + ":" }

const subPrefix = "modules/"

// submodules returns the submodules that have been cloned, without the submodules in them.
func (r *Repository) submodules() ([]subRepository, error) {
	var list []subRepository
	top := filepath.Join(r.dir.CommonDir, "modules")
	err := filepath.WalkDir(top, func(dir string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fmt.Errorf("looking for submodules: %w", err)
		case !d.IsDir() || dir == top: // a module may be called "objects"
			return nil
		}
		if _, ok := repo.ResolveGitDir(dir); !ok {
			return nil
		}
		name, _ := filepath.Rel(top, dir)
		sub := &Repository{MaxBlobSize: r.MaxBlobSize, ReachableOnly: r.ReachableOnly, SharedOnly: r.SharedOnly, dir: repo.Dir{GitDir: dir, CommonDir: dir, Root: repo.WorkTreeOf(dir)}, isSubmodule: true}
		list = append(list, subRepository{filepath.ToSlash(name), sub})
		return fs.SkipDir
	})
	return list, err
}

// LacksSubmodules reports whether the work tree names submodules that have not been cloned,
// so that others may find more in their clones.
func (r *Repository) LacksSubmodules() bool {
	if r.dir.Root == "" {
		return false
	}
	cloned, err := r.submodules()
	for _, named := range repo.ReadConfigFile(filepath.Join(r.dir.Root, ".gitmodules")).Section("submodule").Subsections {
		if err != nil || !slices.ContainsFunc(cloned, func(s subRepository) bool { return s.name == named.Name }) {
			return true
		}
	}
	return false
}

// readSubmodules is readMatching for each submodule. It keeps them for Locate.
func (r *Repository) readSubmodules(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	list, err := r.submodules()
	if err != nil {
		if err := yield(scanner.Blob{ID: "modules", Kind: finding.KindBlob, Name: "submodules", Err: err}); err != nil {
			return err
		}
	}
	r.lastSubmodules = list
	for i := range list {
		s := &list[i]
		err := s.repo.readMatching(ctx, p, func(b scanner.Blob) error {
			b.ID, b.Name = finding.BlobID(s.prefix())+b.ID, path.Join(s.name, b.Name)
			return yield(b)
		})
		if err != nil {
			return fmt.Errorf("submodule %s: %w", s.name, err)
		}
	}
	return nil
}

// locateSubmodules is Locate for the ids that are in submodules. The paths of files begin
// with the name of the submodule.
func (r *Repository) locateSubmodules(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	var errs []error
	inSub := func(id finding.BlobID) bool { return strings.HasPrefix(string(id), subPrefix) }
	if r.lastSubmodules == nil && slices.ContainsFunc(ids, inSub) { // nothing has been read yet
		list, err := r.submodules()
		r.lastSubmodules, errs = list, append(errs, err)
	}
	for i := range r.lastSubmodules {
		s := &r.lastSubmodules[i]
		var own []finding.BlobID
		for _, id := range ids {
			if rest, ok := strings.CutPrefix(string(id), s.prefix()); ok {
				own = append(own, finding.BlobID(rest))
			}
		}
		if len(own) == 0 {
			continue
		}
		var stop error
		err := s.repo.Locate(ctx, own, func(id finding.BlobID, p finding.Location) error {
			switch p.Kind {
			case finding.KindBlob, finding.KindPath, finding.KindIndex, finding.KindWorktree:
				if p.Path != "" {
					p.Path = path.Join(s.name, p.Path)
				}
			case finding.KindReflog: // in a reftable; a file would be of the repository around it
				p.Path = path.Join(subPrefix, s.name, p.Path)
			}
			stop = yield(finding.BlobID(s.prefix())+id, p)
			return stop
		})
		if stop != nil {
			return stop
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("submodule %s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}
