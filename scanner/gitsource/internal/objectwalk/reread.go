package objectwalk

import (
	"context"
	"errors"
	"fmt"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// YieldAgain reads and yields again the texts in chosen that were yielded, or would have
// been.
func (r *Walk) YieldAgain(ctx context.Context, chosen graph.Bitset, yield func(scanner.Blob) error) error {
	v := &visitor{Walk: r}
	r.Yield = yield
	r.prefilter.Passed = nil // counted already
	for n := range int32(r.Store.Len()) {
		if !r.yielded.Has(n) || !chosen.Has(n) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		typ, data, err := r.Store.Read(r.Store.ID(n), r.graphLimit())
		if err != nil && r.Failures[n] != nil {
			continue // it is reported
		}
		if err != nil { // it was read in windows, which storr.read cannot do; or its pack has shrunk
			id := r.Store.ID(n).String()
			b := scanner.Blob{ID: finding.BlobID(id), Kind: finding.KindBlob, Name: id, Err: ExplainDamage(err)}
			if err := yield(b); err != nil {
				return err
			}
			continue
		}
		kind := [...]finding.Kind{pack.Commit: finding.KindCommit, pack.Tree: finding.KindPath, pack.Blob: finding.KindBlob, pack.Tag: finding.KindTag}[typ]
		if typ == pack.Tree {
			data = joinNames(data, r.Store.Hash)
		}
		if err := v.yieldText(n, kind, data); err != nil {
			return err
		}
	}
	return nil
}

// ExplainDamage wraps the error of an object, and says how to read one that is too large.
func ExplainDamage(err error) error {
	var e *pack.TooLargeError
	if errors.As(err, &e) {
		return fmt.Errorf("%w; raise --max-size to read it", err)
	}
	if errors.Is(err, pack.ErrDamaged) {
		return fmt.Errorf("object is %w", err)
	}
	return fmt.Errorf("object is damaged: %w", err)
}
