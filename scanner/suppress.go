package scanner

import (
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// A Filter returns why f is ignored, or "". The scanner makes one call at a time.
type Filter func(f *finding.Finding) string

// A LocationFilter returns why f is ignored at l, or "". A finding is suppressed only if it
// is ignored at each of its places.
type LocationFilter func(f *finding.Finding, l *finding.Location) string

// suppress asks the filters. A finding that only the user allows is marked, and suppressed
// once it is known not to be live. With HonorIgnoresForLive it also hides findings in
// doubt, since they are not verified. It leaves out pairs from several texts that are in
// doubt: their parts may not be.
func (s *Scanner) suppress(findings []*draft) []*draft {
	for _, f := range findings {
		f.Ignored = firstReason(&f.Finding, s.Filters)
		if f.Ignored != "" {
			continue
		}
		if f.allowed = s.whyAllowed(f); s.HonorIgnoresForLive {
			f.Ignored = f.allowed
		}
	}
	if s.HonorIgnoresForLive {
		findings = slices.DeleteFunc(findings, func(f *draft) bool { return f.joined != nil && s.wouldHide(f) })
		// Parts without an id are not asked about, and may belong to a pair that the user
		// allows.
		s.hideDoubtful(slices.DeleteFunc(slices.Clone(findings), func(f *draft) bool { return f.Match.Credential.ID == "" }))
	}
	return findings
}

// reportIfLive suppresses findings that the user allows, now that all their places are
// known, but reports live ones all the same. Last it hides those that are still in doubt.
func (s *Scanner) reportIfLive(findings []*draft) {
	for _, f := range findings {
		if f.Ignored != "" {
			continue
		}
		f.allowed = s.whyAllowed(f)
		if f.Verdict.State == verifier.Live && !s.HonorIgnoresForLive {
			f.Overruled = f.allowed
			continue
		}
		f.Ignored = f.allowed
	}
	s.hideDoubtful(findings)
}

// withoutSigners leaves out the id and the token of a signed request that has expired if the
// request itself is suppressed wherever they stand: both are one thing.
func withoutSigners(findings []*draft) []*draft {
	type place struct {
		blob finding.BlobID
		path string
		line int
	}
	requests := map[place]bool{}
	for _, f := range findings {
		if f.Ignored == "" || f.Match.Expires.IsZero() {
			continue
		}
		for _, l := range f.Locations {
			requests[place{l.Blob, l.Path, l.Line}] = true
		}
	}
	return slices.DeleteFunc(findings, func(f *draft) bool {
		return f.Ignored != "" && !f.Match.SignedUntil.IsZero() && f.Match.Credential.Secret.IsZero() && f.Omitted == 0 &&
			!slices.ContainsFunc(f.Locations, func(l finding.Location) bool { return !requests[place{l.Blob, l.Path, l.Line}] })
	})
}

// whyDoubtful returns why a finding of m is suppressed for its confidence, or "".
func (s *Scanner) whyDoubtful(m *detectors.Match) string {
	if s.Doubtful == nil {
		return ""
	}
	return s.Doubtful(&finding.Finding{Match: *m})
}

// hideDoubtful suppresses the findings that Doubtful names. If only the secret of a key id
// is in doubt, the id is reported without it: the id is as certain as if the secret were
// not there.
func (s *Scanner) hideDoubtful(findings []*draft) {
	shown := map[string]bool{}
	for _, f := range findings {
		if f.Ignored == "" && s.whyDoubtful(&f.Match) == "" {
			shown[f.Match.Credential.ID] = true
		}
	}
	for _, f := range findings {
		why := s.whyDoubtful(&f.Match)
		if f.Ignored != "" || why == "" {
			continue
		}
		if m := f.idAlone(); m != nil && !shown[m.Credential.ID] && s.whyDoubtful(m) == "" {
			shown[m.Credential.ID] = true
			f.Others = append(f.Others, f.Match.Credential.Secret)
			f.Match, f.Locations = *m, withoutSecretLines(f.Locations)
			continue
		}
		f.Ignored = why
	}
}

// idAlone returns the match of f without its secret, nil if it would say no more.
func (f *draft) idAlone() *detectors.Match {
	if f.Match.IDConfidence == "" || f.Match.Rank > 0 {
		return nil
	}
	m := f.Match
	m.Confidence, m.IDConfidence = m.IDConfidence, ""
	m.Secret, m.Credential.Secret = detectors.Span{}, detectors.Secret{}
	return &m
}

func firstReason(f *finding.Finding, filters []Filter) string {
	for _, filter := range filters {
		if why := filter(f); why != "" {
			return why
		}
	}
	return ""
}

// whyAllowed returns why the user allows f, or "". It marks the places that do not count.
func (s *Scanner) whyAllowed(f *draft) string {
	if why := firstReason(&f.Finding, s.Allow); why != "" {
		return why
	}
	ignored := 0
	for i := range f.Locations {
		l := &f.Locations[i]
		l.Ignored = ""
		for _, filter := range s.AllowAt {
			if l.Ignored = filter(&f.Finding, l); l.Ignored != "" {
				ignored++
				break
			}
		}
	}
	if ignored == 0 || ignored < len(f.Locations) || f.Omitted > 0 {
		return ""
	}
	return f.Locations[0].Ignored
}

// accept splits unread parts into those that the user has accepted and the others.
func (s *Scanner) accept(parts []finding.Unread) (unread, accepted []finding.Unread) {
	for _, u := range parts {
		if s.AllowUnread != nil && u.Blob != "" {
			u.Accepted = s.AllowUnread(u)
		}
		if u.Accepted != "" {
			accepted = append(accepted, u)
		} else {
			unread = append(unread, u)
		}
	}
	return unread, accepted
}
