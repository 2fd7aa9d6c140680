package scannertest

import (
	"errors"
	"slices"

	"github.com/stanch-dev/stanch/scanner"
)

// A Sink records what a scan reports. The zero Sink is ready. It is not for
// concurrent use, as no scanner.Sink is.
type Sink struct {
	Findings []scanner.Finding // copies
	Summary  scanner.Summary
	Closed   bool
}

var _ scanner.Sink = (*Sink)(nil)

// Finding keeps a copy of f. It is an error after Close.
func (s *Sink) Finding(f *scanner.Finding) error {
	if s.Closed {
		return errors.New("finding after close")
	}
	c := *f
	c.Locations = slices.Clone(f.Locations)
	s.Findings = append(s.Findings, c)
	return nil
}

// Close keeps the summary. It is an error to close twice.
func (s *Sink) Close(sum scanner.Summary) error {
	if s.Closed {
		return errors.New("closed twice")
	}
	sum.Unread = slices.Clone(sum.Unread)
	s.Closed, s.Summary = true, sum
	return nil
}
