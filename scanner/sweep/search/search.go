// Package search scans sources for a sweep with the wiring of all scans, scanner/run, and
// returns the findings to the store.
package search

import (
	"context"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/githubhub"
)

// A Searcher scans sources. It may be used concurrently.
type Searcher struct {
	// Options returns the options of scans, with a verifier that remembers no answer. It is
	// called by one goroutine at a time.
	Options func() scanrun.Options
	Version string // of this program
	// Wrap, if it is not nil, returns a sink that adds facts to findings and passes them to
	// the given sink. Scans then run one at a time.
	Wrap func(context.Context, scanner.Sink) scanner.Sink
	// Verified, if it is not nil, returns the scanner.Scanner.Verified of one scan.
	Verified func() func(done, of, ignored int)
	Now      func() time.Time // the clock of the store; nil for that of this machine

	wrapping sync.Mutex
	mu       sync.Mutex // guards the fields below
	made     time.Time
	set      *detectors.Set
	scanner  *scanner.Scanner
}

// verdictTTL is how long the process of a sweep believes an answer of AWS. Within a sweep
// it asks about a key once, however many copies there are; about a live key, once a minute
// (verifier.Cached). A key that was activated again must not stay dead until the process
// ends.
const verdictTTL = 10 * time.Minute

// current returns the scanner to use now, and its detectors of credentials.
func (s *Searcher) current() (*detectors.Set, *scanner.Scanner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.scanner == nil || now.Sub(s.made).Abs() > verdictTTL {
		o := s.Options()
		s.made = now
		s.set, s.scanner = o.NewScanner(now)
		s.scanner.EachSecret = true
	}
	return s.set, s.scanner
}

func (s *Searcher) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Scan implements engine.Engine.Scan.
func (s *Searcher) Scan(ctx context.Context, src scanner.Source, page string) (sweep.Result, error) {
	if repo, ok := src.(*gitsource.Repository); ok {
		src = fetch.Source{Repository: repo, WebURL: page}
	}
	set, sc := s.current()
	collected := &storeSink{}
	var sink scanner.Sink = finding.NewSink(collected, finding.Scan{Version: s.Version, Source: "github", Target: page, Started: time.Now()}, set, false)
	if s.Wrap != nil {
		s.wrapping.Lock()
		defer s.wrapping.Unlock()
		sink = s.Wrap(ctx, sink)
	}
	one := *sc // other scans share it
	if s.Verified != nil {
		one.Verified = s.Verified()
	}
	err := one.Scan(ctx, src, sink)
	return collected.result, githubhub.Later(err, s.now())
}

// A storeSink is a Handler that collects the result of a scan for a store.
type storeSink struct{ result sweep.Result }

// Scan implements finding.Handler.
func (s *storeSink) Scan(finding.Scan) error { return nil }

// Repository implements finding.Handler.
func (s *storeSink) Repository(finding.Repository) error { return nil }

// Summary implements finding.Handler.
func (s *storeSink) Summary(sum finding.Summary) error {
	s.result.Objects, s.result.Unread = sum.Objects, sum.Unread
	return nil
}

// Finding implements finding.Handler.
func (s *storeSink) Finding(f finding.Finding) error {
	s.result.Findings = append(s.result.Findings, f)
	return nil
}
