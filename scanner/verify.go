package scanner

import (
	"context"
	"fmt"
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

// maxSecrets is how many secrets are tried for one key id: each wrong one is a
// failed login in the eyes of the owner, and a wait of seconds in ours.
const maxSecrets = 3

// verifyID asks for the candidates of one key id, in order. It stops when one is
// live, since an id has one secret, and when maxSecrets were not its own. A secret
// that merely stands close to an id (Rank > 0) is tried only if the better ones
// are not its own, and is reported only if it is proved.
func (s *Scanner) verifyID(ctx context.Context, candidates []*Finding) {
	var live *Finding
	mismatches := 0
	for _, f := range candidates {
		c := f.Match.Credential
		switch {
		case f.Ignored != "":
		case c.ID != "" && live != nil:
			live.Locations = append(live.Locations, f.Locations...)
			f.Ignored = "another secret was proved to belong to the key id"
		case f.Match.Rank > 0 && mismatches == 0:
			f.Ignored = "a secret that fits the key id better is reported"
		case mismatches >= maxSecrets:
			f.Verdict = verifier.Verdict{State: verifier.Skipped, Reason: fmt.Sprintf("%d other secrets were not those of the key id", maxSecrets)}
			continue
		default:
			f.Verdict = s.Verifier.Verify(ctx, c)
		}
		switch {
		case f.Ignored != "":
			f.Verdict = verifier.Verdict{State: verifier.Skipped, Reason: "suppressed"}
		case f.Verdict.State == verifier.Live:
			live = f
			live.Locations = append(live.Locations, disproved(candidates)...)
		case f.Verdict.State == verifier.IDActive:
			mismatches++
			fallthrough
		default:
			if f.Match.Rank > 0 {
				f.Ignored = "stands near the key id and is not its secret"
			}
		}
	}
	if live != nil {
		live.Locations = sortLocations(live.Locations)
	}
}

// disproved returns the places of those candidates whose secret is not that of
// the id, and ignores them: they are places of the live credential.
func disproved(candidates []*Finding) []Location {
	var places []Location
	for _, f := range candidates {
		if f.Ignored == "" && f.Verdict.State == verifier.IDActive {
			f.Ignored = "another secret was proved to belong to the key id"
			places = append(places, f.Locations...)
		}
	}
	return places
}
