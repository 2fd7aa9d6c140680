package scanner

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/verifier"
)

// verify fills the verdicts. Credentials of one key id are asked one after the
// other, best candidate first; different ids at once. Suppressed findings are
// never verified.
func (s *Scanner) verify(ctx context.Context, findings []*Finding) {
	var group errgroup.Group
	group.SetLimit(max(s.Workers, 1))
	for _, candidates := range byID(findings) {
		group.Go(func() error {
			s.verifyID(ctx, candidates)
			return nil
		})
	}
	_ = group.Wait() // no goroutine returns an error: a failure is a verdict
}

// byID groups the findings that share a key id, best candidate first.
func byID(findings []*Finding) [][]*Finding {
	var groups [][]*Finding
	index := map[string]int{}
	for _, f := range findings {
		id := f.Match.Credential.ID
		i, ok := index[id]
		if !ok || id == "" {
			i = len(groups)
			groups = append(groups, nil)
			index[id] = i
		}
		groups[i] = append(groups[i], f)
	}
	for _, g := range groups {
		slices.SortStableFunc(g, func(a, b *Finding) int { return a.Match.Rank - b.Match.Rank })
	}
	return groups
}

// verifyID asks for the candidates of one key id. A secret that merely stands
// close to an id (Rank > 0) is tried only if STS said that the id is active and
// the better secrets are not its own; one that stays unproven is not reported.
func (s *Scanner) verifyID(ctx context.Context, candidates []*Finding) {
	live, mismatch := false, false
	for _, f := range candidates {
		if f.Ignored == "" && f.Match.Rank > 0 && (live || !mismatch) {
			f.Ignored = "a secret that fits the key id better is reported"
		}
		if f.Ignored != "" {
			f.Verdict = verifier.Verdict{State: verifier.Skipped, Reason: "suppressed"}
			continue
		}
		f.Verdict = s.Verifier.Verify(ctx, f.Match.Credential)
		live = live || f.Verdict.State == verifier.Live
		mismatch = mismatch || f.Verdict.State == verifier.IDActive
		if f.Match.Rank > 0 && f.Verdict.State != verifier.Live {
			f.Ignored = "stands near the key id and is not its secret"
		}
	}
	if !live {
		return
	}
	for _, f := range candidates {
		if f.Verdict.State == verifier.IDActive && f.Ignored == "" && sameBlob(f, candidates) {
			f.Ignored = "another secret was proved to belong to the key id"
		}
	}
}

// sameBlob reports whether a live candidate stands in all the texts of f, so
// that nothing is lost if f is not reported.
func sameBlob(f *Finding, candidates []*Finding) bool {
	places := map[BlobID]bool{}
	for _, c := range candidates {
		if c.Verdict.State == verifier.Live {
			for _, l := range c.Locations {
				places[l.Blob] = true
			}
		}
	}
	return !slices.ContainsFunc(f.Locations, func(l Location) bool { return !places[l.Blob] })
}
