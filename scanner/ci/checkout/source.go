package checkout

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// Source returns the source that reads the range from repo.
func (r *Range) Source(repo *gitsource.Repository) scanner.Source {
	if r.All && r.Unread == nil {
		return repo
	}
	if r.All {
		return &lackingRepository{repo, scanner.Blob{ID: "repository", Kind: finding.KindCommit, Name: "the whole repository", Err: r.Unread}}
	}
	return &rangeSource{Range: gitsource.Range{Repo: repo, Include: r.Include, Exclude: r.Exclude, Head: r.Include[0]}, checkout: r}
}

// A lackingRepository is a repository that may lack objects of the server. It reports that
// as unread.
type lackingRepository struct {
	*gitsource.Repository
	rest scanner.Blob // stands for the rest, with the error
}

// Blobs implements scanner.Source.
func (s *lackingRepository) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	if err := yield(s.rest); err != nil {
		return err
	}
	return s.Repository.Blobs(ctx, yield)
}

// BlobsMatching implements scanner.SelectiveSource.
func (s *lackingRepository) BlobsMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	if err := yield(s.rest); err != nil {
		return err
	}
	return s.Repository.BlobsMatching(ctx, p, yield)
}

// A rangeSource reads a range of commits, and reports those that the checkout lacks.
type rangeSource struct {
	gitsource.Range
	checkout *Range
}

// Blobs implements scanner.Source.
func (s *rangeSource) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	if s.checkout.Unread != nil {
		b := scanner.Blob{ID: "range", Kind: finding.KindCommit, Name: "commits of the event", Err: s.checkout.Unread}
		if err := yield(b); err != nil {
			return err
		}
	}
	return s.Range.Blobs(ctx, func(b scanner.Blob) error {
		if s.checkout.Tip && errors.Is(b.Err, gitsource.ErrShallow) {
			return nil // older commits belong to no event
		}
		return yield(b)
	})
}

// Describe says in a sentence which commits of an event are scanned.
func (r *Range) Describe(e *ci.Event) string {
	if r.All {
		return "Scanning all branches, tags and other objects in the checkout."
	}
	var without []string
	for _, id := range r.Exclude {
		without = append(without, short(id))
	}
	span := "up to " + short(r.Include[0])
	switch {
	case len(without) == 1:
		span = without[0] + ".." + short(r.Include[0])
	case len(without) > 3:
		span += fmt.Sprintf(", without %s and %d others", strings.Join(without[:3], ", "), len(without)-3)
	case len(without) > 1:
		span += ", without " + strings.Join(without, ", ")
	}
	return fmt.Sprintf("Scanning %s (%s, %s).", printable.Plural(r.Commits, "commit"), e.Name, span)
}
