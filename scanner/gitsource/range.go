package gitsource

import (
	"context"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/changes"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A Range is a Source of everything that some commits bring and others do not have, as "git
// rev-list INCLUDE --not EXCLUDE" lists them. For each commit these are the files that equal
// no parent, the names of new files, and the commit object itself with its message; for each
// tag, the tag object. A line that one commit adds and the next removes is there. Only new
// lines of a file are hits (scanner.Blob.New), as for Staged.
//
// If a tree, or a commit to begin at, is missing, it is yielded with Err. The missing
// parents of a commit at which a shallow clone was cut off are yielded with ErrShallow. All
// files of that commit count as new then. A missing object in Exclude excludes nothing, so
// that more is read.
//
// In a hook of the server, the objects that are being pushed are found by the variables that
// git sets (git-receive-pack(1), "Quarantine Environment").
type Range struct {
	Repo *Repository
	// Include and Exclude are ids of commits or tags, in hex.
	Include, Exclude []string
	// Names are texts to scan as well: the names that the pushed refs will have.
	Names []string
	// Head is the id of the commit that counts as HEAD for Location.AtHead, "" for none.
	Head string
	// Looked counts the texts that Blobs has looked at.
	Looked Looked

	commits *changes.CommitRange
}

var _ scanner.Source = (*Range)(nil)

// Blobs implements scanner.Source. It calls yield from several goroutines at once.
func (g *Range) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.commits = changes.NewCommitRange(g.Repo.dir, g.Repo.lookup(), g.Repo.limit(), g.Repo.withLFS(yield))
	g.commits.Names, g.commits.Head = g.Names, g.Head
	err := pack.Guard(func() error { return g.commits.Read(ctx, g.Include, g.Exclude) })
	g.Looked = Looked{Commits: g.commits.Commits, Files: int(g.commits.Files.Load())}
	return err
}

// Locate implements scanner.Source. It knows the texts that Blobs has yielded.
func (g *Range) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	if g.commits == nil {
		return ctx.Err()
	}
	return g.commits.Locate(ctx, ids, yield)
}

// CountCommits returns how many commits some lead to and others do not, ids in hex as in a
// Range. An id that is not here, or names neither a commit nor a tag, counts for nothing.
func (r *Repository) CountCommits(ctx context.Context, include, exclude []string) (n int, err error) {
	err = pack.Guard(func() error {
		n, err = changes.CountCommits(ctx, r.dir, r.lookup(), include, exclude)
		return err
	})
	return n, err
}
