package finding

import (
	"cmp"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/verifier"
)

// NewSink returns the sink that reports a scan to h. Nothing reaches h before
// Close: a secret can also stand in the path, the author or the branch of
// another finding, and only at the end are all of them known and removed.
//
// Removed are the secrets of all findings, and what set finds in the names of
// files, authors and branches; set may be nil.
//
// With showSecrets the secrets are part of the findings, and nothing is removed.
// That is for the eyes of who asked, not for files that are passed on.
//
// The sink is used by one goroutine at a time, once.
func NewSink(h Handler, s Scan, set *detectors.Set, showSecrets bool) scanner.Sink {
	return &sink{h: h, scan: s, detectors: set, show: showSecrets}
}

type sink struct {
	h         Handler
	scan      Scan
	detectors *detectors.Set
	show      bool
	findings  []Finding
	secrets   []detectors.Secret
}

// Finding implements scanner.Sink.
func (s *sink) Finding(f *scanner.Finding) error {
	r := s.record(f)
	c := f.Match.Credential
	if s.show {
		r.Secret, r.Token = c.Secret.Reveal(), c.Token.Reveal()
		if r.HasValue {
			r.Secret, r.Value = "", r.Secret
		}
	} else {
		s.secrets = append(append(s.secrets, c.Secret, c.Token), f.Others...)
	}
	s.findings = append(s.findings, r)
	return nil
}

// Close implements scanner.Sink.
func (s *sink) Close(sum scanner.Summary) error {
	clean := newScrubber(s.secrets, s.detectors)
	scan := s.scan
	scan.Started = scan.Started.UTC()
	clean.scan(&scan)
	if err := s.h.Scan(scan); err != nil {
		return err
	}
	for _, f := range s.findings {
		clean.finding(&f)
		if err := s.h.Finding(f); err != nil {
			return err
		}
	}
	r := summary(sum)
	clean.summary(&r)
	return s.h.Summary(r)
}

func (s *sink) record(f *scanner.Finding) Finding {
	m, v := &f.Match, &f.Verdict
	r := Finding{
		Fingerprint:  f.Fingerprint(),
		Rule:         m.Rule.ID,
		Title:        m.Rule.Title,
		Confidence:   m.Confidence,
		Grade:        m.Grade,
		KeyID:        m.Credential.ID,
		SecretSHA256: m.Credential.Secret.SHA256(),
		HasToken:     !m.Credential.Token.IsZero(),
		SecretRank:   m.Rank,
		Account:      v.Identity.Account,
		State:        cmp.Or(v.State, verifier.Skipped), // ignored findings are never verified
		Reason:       v.Reason,
		VerifiedAt:   v.At.UTC(),
		Identity:     Identity{v.Identity.ARN, v.Identity.Kind, v.Identity.Name, v.Identity.UserID},
		Facts:        append(facts(m), v.Facts...),
		Ignored:      f.Ignored,
		Overruled:    f.Overruled,
		Omitted:      f.Omitted,
		Locations:    make([]Location, len(f.Locations)),
	}
	if m.Rule.Value {
		r.HasValue, r.SecretSHA256 = true, ""
	}
	for i := range f.Locations {
		r.Locations[i] = s.location(&f.Locations[i])
	}
	return r
}

// facts returns what the text says of m: never nil, which would be null in JSON, and
// a copy, to be scrubbed.
func facts(m *detectors.Match) []verifier.Fact {
	list := append([]verifier.Fact{}, m.Facts...)
	if !m.Expires.IsZero() {
		list = append(list, verifier.Fact{Name: "expires", Value: m.Expires.UTC().Format(time.RFC3339), Risk: 1})
	}
	return list
}

func (s *sink) location(l *scanner.Location) Location {
	r := Location{
		Kind: l.Kind, Path: l.Path, Part: l.Part,
		Line: l.Line, Column: l.Column, EndColumn: l.EndColumn,
		Commit: l.Commit, Author: l.Author, Email: l.Email, Time: l.Time.UTC(),
		AtHead: l.AtHead, Blob: string(l.Blob),
		Refs: slices.Clone(l.Refs), MoreRefs: l.MoreRefs, Unreachable: l.Unreachable,
		Ignored: l.Ignored,
	}
	if l.SecretLine != l.Line {
		r.SecretLine = l.SecretLine
	}
	if r.Repo = l.Repo; s.scan.Source == "git" {
		r.Repo = s.scan.Target
	}
	return r
}

func summary(s scanner.Summary) Summary {
	return Summary{
		Findings: s.Findings, Ignored: s.Ignored, Live: s.Live, Unknown: s.Unknown,
		Objects: s.Objects, Bytes: s.Bytes,
		Unread:    append([]scanner.Unread{}, s.Unread...),
		Accepted:  slices.Clone(s.Accepted),
		Stopped:   s.Stopped,
		ElapsedMS: s.Elapsed.Milliseconds(),
	}
}
