package scanner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/verifier"
)

// verify sets the verdicts, except for parts that are not reported on their own.
// Credentials of one key id are asked one after the other, best candidate first; different
// ids at once. Suppressed findings are never verified.
func (s *Scanner) verify(ctx context.Context, findings []*draft) {
	groups := byID(findings)
	progress := newProgress(groups, s.Verified)
	var group errgroup.Group
	group.SetLimit(max(s.Workers, 1))
	for _, candidates := range groups {
		group.Go(func() error {
			counts := mayAsk(candidates) // before they have verdicts
			s.verifyID(ctx, candidates)
			if counts {
				progress.step()
			}
			return nil
		})
	}
	_ = group.Wait() // no goroutine returns an error: a failure is a verdict
}

// A progress counts the key ids that were verified.
type progress struct {
	tell        func(done, of, ignored int) // nil: nobody is told
	of, ignored int

	mu   sync.Mutex
	done int
}

func newProgress(groups [][]*draft, tell func(done, of, ignored int)) *progress {
	p := &progress{tell: tell}
	if tell == nil {
		return p
	}
	for _, g := range groups {
		if !mayAsk(g) {
			continue
		}
		p.of++
		if !slices.ContainsFunc(g, func(f *draft) bool { return f.Ignored == "" && f.allowed == "" }) {
			p.ignored++
		}
	}
	tell(0, p.of, p.ignored)
	return p
}

func (p *progress) step() {
	if p.tell == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.tell(p.done, p.of, p.ignored)
}

// mayAsk reports whether the provider may be asked about one of the candidates for a key id:
// it is complete, and not ignored.
func mayAsk(candidates []*draft) bool {
	return slices.ContainsFunc(candidates, func(f *draft) bool {
		return f.Ignored == "" && f.Match.Unverifiable == "" && f.Match.Credential.ID != "" && f.Match.Lacks() == 0
	})
}

// byID groups the findings that share a key id, best candidate first, and those
// that are joined from several texts last.
func byID(findings []*draft) [][]*draft {
	var groups [][]*draft
	index := map[string]int{}
	for _, f := range findings {
		if f.Match.NeedsID {
			continue
		}
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
		slices.SortStableFunc(g, func(a, b *draft) int {
			return cmp.Or(compareJoined(a.joined, b.joined), a.Match.Rank-b.Match.Rank)
		})
	}
	return groups
}

// splitJoined splits a group into findings from a single text and findings that are joined
// from several.
func splitJoined(group []*draft) (own, joint []*draft) {
	i := slices.IndexFunc(group, func(f *draft) bool { return f.joined != nil })
	if i < 0 {
		return group, nil
	}
	return group[:i], group[i:]
}

// maxSecrets is how many secrets are tried for one key id, over the whole scan: each wrong
// one is a failed login in the eyes of the owner, and a wait of seconds in ours. It is as
// high as this because a second secret is tried only for an id that the provider knows:
// finding the right secret of a live key is worth the wait.
const maxSecrets = 10

// Reasons why candidates are ignored.
const (
	proved   = "another secret has been proved to belong to the key id"
	better   = "a secret that fits the key id better is reported"
	unproved = "it is near the key id, but is not its secret"
)

// verifyID asks about the candidates for one key id, in order. It stops when one is live,
// since an id has one secret, and when maxSecrets were tried. A secret that merely stands
// close to an id (Rank > 0) is tried only if the better ones turn out to be wrong, and is
// reported only if it is proved. If the user ignores all better ones, the next takes their
// place: else a new secret beside a known key would go unreported. Parts from other texts are
// tried last.
func (s *Scanner) verifyID(ctx context.Context, candidates []*draft) {
	own, joint := splitJoined(candidates)
	live, tried := s.verifyOwn(ctx, own)
	if live == nil && needsOtherTexts(own) {
		live = s.verifyJoined(ctx, joint, tried)
	}
	if live != nil {
		live.takeLocationsOf(own)
	}
}

// verifyOwn asks about the candidates in the same texts as the key id. It returns the one
// that is live, if any, and how many were asked about.
func (s *Scanner) verifyOwn(ctx context.Context, candidates []*draft) (live *draft, tried int) {
	var dead *draft
	mismatch := false
	allowed, reported := false, false // whether better ones are
	for _, f := range candidates {
		near := f.Match.Rank > 0 && (reported || !allowed || f.allowed != "")
		switch {
		case f.Ignored != "":
		case live != nil && f.Match.Credential.ID != "":
			f.Ignored = proved
		case near && (!mismatch || tried >= maxSecrets):
			f.Ignored = cmp.Or(f.allowed, better)
		}
		allowed = allowed || f.allowed != ""
		reported = reported || f.Ignored == "" && f.allowed == ""
		switch {
		case f.Ignored != "":
			f.Verdict = verifier.Verdict{State: verifier.Skipped, Reason: "suppressed"}
			continue
		case f.isDeadLike(dead):
			f.Verdict = dead.Verdict
			continue
		case tried >= maxSecrets:
			f.Verdict = verifier.Verdict{State: verifier.Skipped, Reason: fmt.Sprintf("%d other secrets of the key id were asked about", maxSecrets)}
			continue
		}
		f.Verdict = s.ask(ctx, f)
		switch f.Verdict.State {
		case verifier.Skipped, verifier.NotVerifiable, verifier.CanarySuspected: // nobody was asked
		default:
			tried++
		}
		switch f.Verdict.State {
		case verifier.Live:
			live = f
			continue
		case verifier.IDActive:
			mismatch = true
			if !near && f.Match.Rank > 0 {
				near, reported = true, false // the next takes the place
			}
		case verifier.Invalid:
			dead = f
		}
		if near {
			f.Ignored = unproved
		}
	}
	return live, tried
}

// isDeadLike reports whether the answer about dead, that the provider does not know the key
// id, holds for f too: neither has a token, and the same partition would be asked.
func (f *draft) isDeadLike(dead *draft) bool {
	if dead == nil {
		return false
	}
	a, b := f.Match.Credential, dead.Match.Credential
	return a.ID != "" && a.Token.IsZero() && b.Token.IsZero() && !a.Secret.IsZero() && a.Partition == b.Partition && f.Match.Unverifiable == ""
}

// ask returns the verdict of f. A credential that cannot be verified is not passed on.
func (s *Scanner) ask(ctx context.Context, f *draft) verifier.Verdict {
	m := &f.Match
	if m.Unverifiable == "" {
		return s.Verifier.Verify(ctx, m.Credential)
	}
	v := verifier.Verdict{State: verifier.NotVerifiable, Reason: m.Unverifiable, Identity: verifier.Identity{Account: m.Account}}
	if f.Over(time.Now()) {
		v.State, v.Reason = verifier.Expired, ""
	}
	return v
}

// takeLocationsOf gives f, which is live, the places of the candidates whose secret is
// wrong: the id stands there too.
func (f *draft) takeLocationsOf(candidates []*draft) {
	for _, c := range candidates {
		if c.Ignored == "" && c.Verdict.State == verifier.IDActive {
			c.Ignored = proved
		}
		if c.Ignored == proved {
			f.Locations = append(f.Locations, withoutSecretLines(slices.Clone(c.Locations))...)
		}
	}
	f.Locations = sortLocations(f.Locations)
}
