package orgscan

import (
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// merged is a Sink of several scans: a key that several of them find is one finding.
type merged struct {
	findings      []*finding.Finding
	byFingerprint map[string]int // index in findings
	sum           finding.Summary
}

func newMerged() *merged { return &merged{byFingerprint: map[string]int{}} }

// unread notes that a part could not be scanned, and why.
func (m *merged) unread(what string, why error) {
	m.sum.Unread = append(m.sum.Unread, finding.Unread{What: what, Why: finding.Why(why)})
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
	if first.Ignored != "" && f.Ignored == "" { // a finding counts if it counts in one of them
		first, second = f, m.findings[i]
	}
	both := *first
	both.Locations = slices.Concat(first.Locations, second.Locations)
	both.Omitted = first.Omitted + second.Omitted
	both.Others = slices.Concat(first.Others, second.Others)
	both.Candidates = slices.Concat(first.Candidates, second.Candidates)
	both.CandidatesOmitted = first.CandidatesOmitted + second.CandidatesOmitted
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

// partOf is the Sink of the scan of one repository. It puts the URL of the repository
// before the name of each unread part.
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

// report passes all findings on to sink, and closes it.
func (m *merged) report(sink scanner.Sink) error {
	return scanner.Report(scanner.FoldCandidates(m.findings), m.sum, sink)
}
