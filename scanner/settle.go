package scanner

import (
	"context"
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// looksFurther reports whether the parts that a key id needs may stand in other
// texts: its own are missing, or were refused.
func looksFurther(own []*Finding) bool {
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

// verifyJoined asks for the parts from other texts that may belong to one key id,
// best first, as long as the provider says that the id lives, and returns the live
// one. Anything else that it says is no better for the next.
func (s *Scanner) verifyJoined(ctx context.Context, joint []*Finding, mismatches int) *Finding {
	for _, f := range joint {
		switch {
		case !f.joined.usable():
			continue
		case f.Ignored != "":
			f.Verdict = verifier.Verdict{State: verifier.Skipped, Reason: "suppressed"}
			return nil // it was known, and is the one
		case mismatches >= maxSecrets:
			return nil
		}
		f.Verdict = s.ask(ctx, f)
		f.joined.tried = true
		switch f.Verdict.State {
		case verifier.Live:
			return f
		case verifier.IDActive:
			mismatches++
		default:
			return nil
		}
	}
	return nil
}

// usable reports whether no part of j is suppressed: an example, for one.
func (j *joined) usable() bool {
	for _, f := range []*Finding{j.id, j.secret, j.token} {
		if f != nil && f.Ignored != "" && f.Ignored != proved {
			return false
		}
	}
	return true
}

// settle drops what was joined and is not to be reported, what is now a part of a
// joined finding, and the parts that are nothing on their own. What is proved is
// settled first: its parts belong to nobody else.
func settle(findings []*Finding) []*Finding {
	groups := byID(findings)
	kept, gone := map[*Finding]bool{}, map[*Finding]bool{}
	for _, choose := range []func([]*Finding) *Finding{proven, likely} {
		for _, group := range groups {
			_, joint := split(group)
			if f := choose(joint); f != nil && !kept[f] && f.free(gone) {
				kept[f] = true
				f.complete(gone)
			}
		}
	}
	for _, group := range groups {
		own, joint := split(group)
		for _, f := range own {
			f.learn(joint)
		}
	}
	left := slices.DeleteFunc(findings, func(f *Finding) bool {
		return gone[f] || f.Match.Partner || f.joined != nil && !kept[f]
	})
	sortFindings(left)
	return left
}

// proven returns which of joint the provider authenticated, or is suppressed:
// somebody knew it before.
func proven(joint []*Finding) *Finding {
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

// likely returns the best of joint if it is to be reported without proof: nobody
// was asked, or nobody answered, and nothing else fits as well. A session that is
// over proves nothing of an id whose token was only guessed.
func likely(joint []*Finding) *Finding {
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

// free reports whether no part of f is in gone.
func (f *Finding) free(gone map[*Finding]bool) bool {
	j := f.joined
	return !gone[j.id] && !gone[j.secret] && !gone[j.token]
}

// complete makes f, which is joined, the whole of its parts, and marks them as gone.
func (f *Finding) complete(gone map[*Finding]bool) {
	if f.Verdict.State == verifier.Live {
		f.Match.Confidence = detectors.High
	}
	for _, part := range []*Finding{f.joined.id, f.joined.secret, f.joined.token} {
		if part == nil {
			continue
		}
		places := part.asPart(part.Locations)
		if part == f.joined.id && f.joined.secret != nil {
			places = idPlaces(places)
		}
		f.Locations = append(f.Locations, places...)
		f.Omitted += part.Omitted
		f.Others = append(f.Others, part.Others...)
		if part.Match.Credential.ID == "" || part.Match.Lacks() != 0 {
			gone[part] = true
		}
	}
	f.Locations = sortLocations(f.Locations)
	if more := len(f.Locations) - maxLocations; more > 0 {
		f.Locations = f.Locations[:maxLocations]
		f.Omitted += more
	}
}

// learn takes over what the provider said of the key id of f when it was asked
// with parts from other texts, which were not those of the id.
func (f *Finding) learn(joint []*Finding) {
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
