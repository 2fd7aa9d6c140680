package engine

import (
	"context"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// An id that one sweep reads and its secret that another one reads are one key. The database
// holds no secret to join them with, but it knows where each half is. So a scan of the new
// objects of a repository fetches the files with halves of earlier sweeps once more, and
// searches all of them together. That costs the bytes of those files and one request of git,
// and only where something was pushed.

// A remembered is a repository that was fetched in part, with files of earlier sweeps. These
// are where they were then: the objects that lead to them are not here.
type remembered struct {
	fetch.Source
	places sweep.Places
}

// Locate implements scanner.Source.
func (r remembered) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		for _, at := range r.places[id] {
			if err := yield(id, at); err != nil {
				return err
			}
		}
	}
	return r.Source.Locate(ctx, ids, func(id finding.BlobID, at finding.Location) error {
		if r.places[id] != nil && at.Path == "" {
			return nil // nothing here leads to it
		}
		return yield(id, at)
	})
}
