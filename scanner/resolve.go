package scanner

import (
	"context"
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// needsOtherTexts reports whether the parts that a key id needs may stand in other
// texts: its own are missing, or were refused.
func needsOtherTexts(own []*draft) bool {
	open := false
	for _, f := range own {
		switch {
		case f.Ignored != "":
		case f.Match.Lacks() == 0 && f.Verdict.State != verifier.IDActive:
			return false
		default:
			open = true
		}
	}
	return open
}

// verifyJoined asks about one key id with parts from other texts, best first, and returns
// the live one. It goes on only while the provider says that the id is active: after any
// other answer, the next part would fare no better.
func (s *Scanner) verifyJoined(ctx context.Context, joint []*draft, tried int) *draft {
	for _, f := range joint {
		switch {
		case !f.joined.usable():
			continue
		case f.Ignored != "":
			f.Verdict = verifier.Verdict{State: verifier.Skipped, Reason: "suppressed"}
			return nil // it was known, and is the one
		case tried >= maxSecrets:
			return nil
		}
		f.Verdict = s.ask(ctx, f)
		f.joined.tried = true
		tried++
		switch f.Verdict.State {
		case verifier.Live:
			return f
		case verifier.IDActive:
		default:
			return nil
		}
	}
	return nil
}

// usable reports whether no part of j is suppressed: an example, for one.
func (j *joined) usable() bool {
	for _, f := range []*draft{j.id, j.secret, j.token} {
		if f != nil && f.Ignored != "" && f.Ignored != proved {
			return false
		}
	}
	return true
}

// resolve drops joined findings that need not be reported, findings that are now part of a
// joined one, and parts that mean nothing on their own. It resolves proved pairs first:
// their parts belong to nobody else. It joins no pair that would then be hidden for its
// confidence, since the parts may have more.
func (s *Scanner) resolve(findings []*draft) []*draft {
	groups := byID(findings)
	kept, gone := map[*draft]bool{}, map[*draft]bool{}
	foldProven(findings, gone)
	for _, choose := range []func([]*draft) *draft{bestProven, bestUnproven} {
		for _, group := range groups {
			_, joint := splitJoined(group)
			if f := choose(joint); f != nil && !kept[f] && f.isFree(gone) && !s.wouldHide(f) {
				kept[f] = true
				f.absorbParts(gone)
			}
		}
	}
	for _, group := range groups {
		own, joint := splitJoined(group)
		for _, f := range own {
			f.takeVerdictOf(joint)
			if !s.EachSecret && !slices.ContainsFunc(joint, func(j *draft) bool { return kept[j] }) {
				f.noteCandidates(joint, gone)
			}
		}
	}
	left := slices.DeleteFunc(findings, func(f *draft) bool {
		return gone[f] || f.Match.NeedsID || f.joined != nil && !kept[f]
	})
	for _, f := range left {
		f.applyProof()
	}
	sortFindings(left)
	return left
}

// wouldHide reports whether f, which is joined, would be hidden for its confidence alone.
func (s *Scanner) wouldHide(f *draft) bool {
	return f.Verdict.State != verifier.Live && f.Ignored == "" && f.allowed == "" && s.whyDoubtful(&f.Match) != ""
}

// applyProof raises the confidence as the verdict allows: a key id that AWS knows is a real
// one, and the secret of a live key belongs to it.
func (f *draft) applyProof() {
	switch {
	case f.Ignored != "":
	case f.Verdict.State == verifier.Live:
		f.Match.Confidence, f.Match.Rank = detectors.High, 0
	case f.Verdict.State == verifier.IDActive:
		f.Match.Confidence = detectors.High
	}
}

// foldProven takes secrets that stand alone into the live key to which they were proved to
// belong, and marks them as gone. fold has already done so for the secrets that fit best.
func foldProven(findings []*draft, gone map[*draft]bool) {
	live := map[string]*draft{}
	for _, f := range findings {
		if c := f.Match.Credential; f.joined == nil && f.Verdict.State == verifier.Live && c.ID != "" {
			live["secret "+c.Secret.SHA256()] = f
		}
	}
	for _, part := range findings {
		f := live[loneHalf(part.Match.Credential)]
		if f == nil || part.Match.Rule.Value {
			continue
		}
		f.take(part, f.unnamedLocations(part.asPart(part.Locations)))
		f.sortLocations()
		gone[part] = true
	}
}

// bestProven returns the one of joint that the provider has authenticated, or one that is
// suppressed because somebody knew it before.
func bestProven(joint []*draft) *draft {
	for _, f := range joint {
		v := &f.Verdict
		canary := v.State == verifier.CanarySuspected && !v.At.IsZero()
		if f.joined.usable() && (v.State == verifier.Live || canary || f.Ignored != "") {
			return f
		}
	}
	for _, f := range joint {
		if f.joined.usable() && f.allowed != "" {
			return f
		}
	}
	return nil
}

// bestUnproven returns the best of joint if it may be reported without proof: the provider
// was not asked or did not answer, and nothing else fits as well. An answer that the
// session is over proves nothing about an id whose token was only guessed.
func bestUnproven(joint []*draft) *draft {
	for _, f := range joint {
		if !f.joined.tried {
			continue
		}
		switch f.Verdict.State {
		case verifier.Skipped, verifier.Unknown, verifier.CanarySuspected:
			if f.joined.sure && f.joined.id.Match.Lacks() != 0 {
				return f
			}
		}
		return nil
	}
	return nil
}

// unnamedLocations returns the places of the secret of f in list that no place of f names
// yet as its SecretLine.
func (f *draft) unnamedLocations(list []finding.Location) []finding.Location {
	type line struct {
		blob         finding.BlobID
		path, commit string
		line         int
	}
	named := map[line]bool{}
	for _, l := range f.Locations {
		named[line{l.Blob, l.Path, l.Commit, l.SecretLine}] = true
	}
	return slices.DeleteFunc(list, func(l finding.Location) bool { return named[line{l.Blob, l.Path, l.Commit, l.Line}] })
}

// isFree reports whether no part of f is in gone.
func (f *draft) isFree(gone map[*draft]bool) bool {
	j := f.joined
	return !gone[j.id] && !gone[j.secret] && !gone[j.token]
}

// absorbParts moves the places of the parts of f, which is joined, to f, and marks the
// parts as gone.
func (f *draft) absorbParts(gone map[*draft]bool) {
	for _, part := range []*draft{f.joined.id, f.joined.secret, f.joined.token} {
		if part == nil {
			continue
		}
		places := part.asPart(part.Locations)
		if part == f.joined.id && f.joined.secret != nil {
			places = withoutSecretLines(places)
		}
		f.take(part, places)
		if part.Match.Credential.ID == "" || part.Match.Lacks() != 0 {
			gone[part] = true
		}
	}
	f.sortLocations()
}

// sortLocations sorts the places of f and omits the last if there are too many.
func (f *draft) sortLocations() {
	f.Locations = sortLocations(f.Locations)
	if more := len(f.Locations) - maxLocations; more > 0 {
		f.Locations = f.Locations[:maxLocations]
		f.Omitted += more
	}
}

// take adds to f the places and the other secrets of part.
func (f *draft) take(part *draft, places []finding.Location) {
	f.Locations = append(f.Locations, places...)
	f.Omitted += part.Omitted
	f.Others = append(f.Others, part.Others...)
}

// takeVerdictOf gives f the answer about its key id, if the provider was asked with parts
// from other texts that turned out not to belong to the id.
func (f *draft) takeVerdictOf(joint []*draft) {
	for _, c := range joint {
		f.Others = append(f.Others, c.Match.Credential.Secret, c.Match.Credential.Token)
		if !c.joined.tried || f.Match.Lacks() == 0 || f.Ignored != "" {
			continue
		}
		switch state := c.Verdict.State; {
		case state == verifier.IDActive,
			state == verifier.Unknown && f.Verdict.State != verifier.IDActive,
			// With the token of another session, every id is unknown.
			state == verifier.Invalid && c.joined.token == nil:
			f.Verdict = c.Verdict
		}
	}
}
