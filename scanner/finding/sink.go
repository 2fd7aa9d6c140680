package finding

import (
	"slices"

	"github.com/stanch-dev/stanch/detectors"
)

// A Sink reports a scan to a Handler. It is used by one goroutine at a time, once.
type Sink struct {
	handler   Handler
	scan      Scan
	detectors *detectors.Set
	show      bool
	records   []record
	secrets   []detectors.Secret
}

// NewSink returns the sink that reports a scan to h. Nothing reaches h before
// Close: a secret can also stand in the path, the author or the branch of
// another finding, and only at the end are all of them known and removed.
//
// It removes the secrets of all findings, and those that set finds in the names of
// files, authors and branches; set may be nil.
//
// With showSecrets the secrets are part of the findings, and nothing is removed.
// That is for the eyes of the user who asked, not for files that are passed on.
func NewSink(h Handler, s Scan, set *detectors.Set, showSecrets bool) *Sink {
	return &Sink{handler: h, scan: s, detectors: set, show: showSecrets}
}

// Finding implements scanner.Sink. It does not retain f.
func (s *Sink) Finding(f *Finding) error {
	r := f.record(s.show)
	if s.scan.Source == "git" {
		lists := [][]Location{r.Locations}
		for _, c := range r.Candidates {
			lists = append(lists, c.Locations)
		}
		for _, list := range lists {
			for i := range list {
				list[i].Repo = s.scan.Target
			}
		}
	}
	if r.Locations == nil {
		r.Locations = []Location{} // null in JSON is no list
	}
	if !s.show {
		s.secrets = append(s.secrets, f.Secrets()...)
	}
	s.records = append(s.records, r)
	return nil
}

// Close implements scanner.Sink.
func (s *Sink) Close(sum Summary) error {
	clean := newScrubber(s.secrets, s.detectors)
	scan := s.scan
	scan.Started = scan.Started.UTC()
	clean.scan(&scan)
	if err := s.handler.Scan(scan); err != nil {
		return err
	}
	for i := range s.records {
		r := &s.records[i]
		clean.finding(r)
		if err := s.handler.Finding(r.finding()); err != nil {
			return err
		}
	}
	sum.Repositories = slices.Clone(sum.Repositories)
	sum.Unread = append([]Unread{}, sum.Unread...)
	sum.Accepted = slices.Clone(sum.Accepted)
	clean.summary(&sum)
	for _, r := range sum.Repositories {
		if err := s.handler.Repository(r); err != nil {
			return err
		}
	}
	sum.Repositories = nil
	return s.handler.Summary(sum)
}
