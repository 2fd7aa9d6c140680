package gitsource

import (
	"context"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/changes"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// Staged is a Source of what is about to be committed: the files of the index that
// differ from HEAD, and in a merge from each parent. The work tree is not looked
// at. Of each file only what is new is a hit (scanner.Blob.New): what the parents
// have at the path, and, in new files, lines of files that are removed, is not.
// Names of new files are texts too.
//
// Not read are submodules, and what "git add -N" has promised without content.
type Staged struct {
	Repo *Repository
	// Index is the index to read, of any version; "" for that of the work tree.
	Index string
	// Parents are those of the commit to be, as hex ids: HEAD and what is merged.
	// There are none before the first commit.
	Parents []string
	// Paths, slash-separated and relative to the root of the work tree, choose files,
	// or folders with all that is in them; nil for all. Those that are not in the
	// index are yielded with Err. If one was not changed, all are read as a whole:
	// somebody asked for files, and not for what is new in them.
	Paths []string
	// Whole reads all of all files, changed or not.
	Whole bool
	// Looked is what Blobs has looked at.
	Looked Looked

	files *changes.StagedFiles
}

var _ scanner.Source = (*Staged)(nil)

// Blobs implements scanner.Source. It calls yield from several goroutines at once.
// The error is about what keeps it from knowing what is staged: an index or a tree of
// a parent that cannot be read.
func (s *Staged) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	file := s.Index
	if file == "" {
		file = filepath.Join(s.Repo.dir.GitDir, "index")
	}
	s.files = changes.NewStagedFiles(s.Repo.lookup(), s.Repo.limit(), yield)
	s.files.Parents, s.files.Paths, s.files.Whole = s.Parents, s.Paths, s.Whole
	err := pack.Guard(func() error { return s.files.Read(ctx, file, s.Repo.dir.GitDir) })
	s.Looked = Looked{Files: int(s.files.Files.Load()), Lines: int(s.files.Lines.Load())}
	return err
}

// Locate implements scanner.Source. It knows what Blobs has yielded.
func (s *Staged) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	if s.files == nil {
		return ctx.Err()
	}
	return s.files.Locate(ctx, ids, yield)
}
