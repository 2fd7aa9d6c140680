package scannertest

import (
	"errors"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// A Sink records the report of a scan. The zero Sink is ready. It is not for concurrent
// use, as no scanner.Sink is.
type Sink struct {
	Findings []finding.Finding // copies
	Summary  finding.Summary
	Closed   bool
}

var _ scanner.Sink = (*Sink)(nil)

// Finding keeps a copy of f. It is an error after Close.
func (s *Sink) Finding(f *finding.Finding) error {
	if s.Closed {
		return errors.New("finding after close")
	}
	c := *f
	c.Locations = slices.Clone(f.Locations)
	s.Findings = append(s.Findings, c)
	return nil
}

// Close keeps the summary. It is an error to close twice.
func (s *Sink) Close(sum finding.Summary) error {
	if s.Closed {
		return errors.New("closed twice")
	}
	sum.Unread = slices.Clone(sum.Unread)
	s.Closed, s.Summary = true, sum
	return nil
}
