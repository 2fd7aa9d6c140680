package main

import (
	"context"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

// paged is a repository whose places say which one it is.
type paged struct {
	*gitsource.Repository
	page string
}

// Locate implements scanner.Source.
func (p paged) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	return p.Repository.Locate(ctx, ids, func(id scanner.BlobID, place scanner.Provenance) error {
		place.Repo = p.page
		return yield(id, place)
	})
}

// merged is a Sink of several scans: a key that several of them find is one finding.
type merged struct {
	findings      []*scanner.Finding
	byFingerprint map[string]int // index in findings
	sum           scanner.Summary
}

// Finding implements scanner.Sink.
func (m *merged) Finding(f *scanner.Finding) error {
	key := f.Fingerprint()
	i, known := m.byFingerprint[key]
	if !known {
		m.byFingerprint[key] = len(m.findings)
		kept := *f
		m.findings = append(m.findings, &kept)
		return nil
	}
	to := m.findings[i]
	if to.Ignored != "" && f.Ignored == "" { // what counts in one of them counts
		locations, omitted := to.Locations, to.Omitted
		*to = *f
		to.Locations, to.Omitted = append(to.Locations[:len(to.Locations):len(to.Locations)], locations...), to.Omitted+omitted
		return nil
	}
	to.Locations, to.Omitted = append(to.Locations[:len(to.Locations):len(to.Locations)], f.Locations...), to.Omitted+f.Omitted
	to.Others = append(to.Others[:len(to.Others):len(to.Others)], f.Others...)
	return nil
}

// Close implements scanner.Sink.
func (m *merged) Close(sum scanner.Summary) error {
	m.sum.Objects += sum.Objects
	m.sum.Bytes += sum.Bytes
	m.sum.Unread = append(m.sum.Unread, sum.Unread...)
	m.sum.Accepted = append(m.sum.Accepted, sum.Accepted...)
	return nil
}

// report passes all on to sink, and closes it.
func (m *merged) report(sink scanner.Sink) error {
	return scanner.Report(m.findings, m.sum, sink)
}
