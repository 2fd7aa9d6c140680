package gitsource

import (
	"context"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/changes"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// Staged is a Source of everything that is about to be committed: the files of the index that
// differ from HEAD, and in a merge from each parent. The work tree is not looked at. Only new
// lines of a file are hits (scanner.Blob.New). A line is not new if a parent has it at the
// same path or, for a new file, if a removed file had it. Names of new files are texts too.
//
// It reads no submodules, and no files without content yet ("git add -N").
type Staged struct {
	Repo *Repository
	// Index is the index file to read, of any version; "" is the index of the work tree.
	Index string
	// Parents are the ids, in hex, that the commit will have as parents: HEAD, and each commit
	// that is being merged. There are none before the first commit.
	Parents []string
	// Paths, slash-separated and relative to the root of the work tree, choose files, or
	// folders with everything in them; nil chooses all. A path that is not in the index is
	// yielded with Err. If one of them was not changed, all are read as a whole: the user
	// asked for files, and not for new lines.
	Paths []string
	// Whole makes it read all files as a whole, changed or not.
	Whole bool
	// CountLines makes it count lines in Looked. It takes time: the versions before of all
	// files have to be read, and not only of files with a hit.
	CountLines bool
	// Looked counts the texts that Blobs has looked at.
	Looked Looked

	files *changes.StagedFiles
}

var _ scanner.Source = (*Staged)(nil)

// Blobs implements scanner.Source. It calls yield from several goroutines at once. It
// returns an error if it cannot read the index or the tree of a parent, since then nobody
// knows which files are staged.
func (s *Staged) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	file := s.Index
	if file == "" {
		file = filepath.Join(s.Repo.dir.GitDir, "index")
	}
	s.files = changes.NewStagedFiles(s.Repo.lookup(), s.Repo.limit(), s.Repo.withLFS(yield))
	s.files.Parents, s.files.Paths, s.files.Whole, s.files.CountLines = s.Parents, s.Paths, s.Whole, s.CountLines
	err := pack.Guard(func() error { return s.files.Read(ctx, file, s.Repo.dir.GitDir) })
	s.Looked = Looked{Files: int(s.files.Files.Load()), Lines: int(s.files.Lines.Load())}
	return err
}

// BlobInHead returns the content that the first parent has at path, "" if it has none.
func (s *Staged) BlobInHead(path string) finding.BlobID {
	if len(s.Parents) == 0 {
		return ""
	}
	id, ok := pack.ParseID([]byte(s.Parents[0]))
	if !ok {
		return ""
	}
	var head objects.HeadTree
	err := pack.Guard(func() error {
		head.Open(s.Repo.lookup(), id)
		id, _ = head.Find(path)
		return nil
	})
	if err != nil || id == "" {
		return ""
	}
	return finding.BlobID(id.String())
}

// Locate implements scanner.Source. It knows the texts that Blobs has yielded. A file that the
// first parent has as it is, which is read with Whole or Paths alone, is no staged change.
func (s *Staged) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	if s.files == nil {
		return ctx.Err()
	}
	return s.files.Locate(ctx, ids, func(id finding.BlobID, l finding.Location) error {
		if l.Kind == finding.KindIndex && s.BlobInHead(l.Path) == id {
			l.Kind = finding.KindBlob
		}
		return yield(id, l)
	})
}
