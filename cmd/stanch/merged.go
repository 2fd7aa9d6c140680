package main

import (
	"context"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
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
	findings      []*finding.Finding
	byFingerprint map[string]int // index in findings
	sum           finding.Summary
}

// Finding implements scanner.Sink.
func (m *merged) Finding(f *finding.Finding) error {
	key := f.Fingerprint()
	i, known := m.byFingerprint[key]
	if !known {
		m.byFingerprint[key] = len(m.findings)
		kept := *f
		m.findings = append(m.findings, &kept)
		return nil
	}
	first, second := m.findings[i], f
	if first.Ignored != "" && f.Ignored == "" { // what counts in one of them counts
		first, second = f, m.findings[i]
	}
	both := *first
	both.Locations = slices.Concat(first.Locations, second.Locations)
	both.Omitted = first.Omitted + second.Omitted
	both.Others = slices.Concat(first.Others, second.Others)
	m.findings[i] = &both
	return nil
}

// Close implements scanner.Sink.
func (m *merged) Close(sum finding.Summary) error {
	m.sum.Objects += sum.Objects
	m.sum.Bytes += sum.Bytes
	m.sum.Unread = append(m.sum.Unread, sum.Unread...)
	m.sum.Accepted = append(m.sum.Accepted, sum.Accepted...)
	return nil
}

// partOf is the Sink of the scan of one repository: it says of what could not be
// read which one it is in.
type partOf struct {
	scanner.Sink
	page string
}

// Close implements scanner.Sink.
func (p partOf) Close(sum finding.Summary) error {
	for _, list := range [][]finding.Unread{sum.Unread, sum.Accepted} {
		for i := range list {
			if !strings.HasPrefix(list[i].What, p.page) { // texts of GitHub have URLs
				list[i].What = p.page + " " + list[i].What
			}
		}
	}
	return p.Sink.Close(sum)
}

// report passes all on to sink, and closes it.
func (m *merged) report(sink scanner.Sink) error {
	return scanner.Report(m.findings, m.sum, sink)
}
