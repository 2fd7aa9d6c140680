//go:build sweep

package main

import (
	"context"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/githubhub"
)

// A searcher scans sources for a sweep. It may be used concurrently.
type searcher struct {
	assessing sync.Mutex
	mu        sync.Mutex // of what follows
	job       scanflags.Job
	made      time.Time
	set       *detectors.Set
	scanner   *scanner.Scanner
}

func newSearcher(j *scanflags.Job) *searcher {
	s := &searcher{job: *j, made: time.Now()}
	s.set, s.scanner = s.job.NewScanner(s.made)
	return s
}

// verdictTTL is how long what AWS said is good for while a process sweeps: within a sweep a
// key is asked about once, however many copies there are, or once a minute if it is live
// (verifier.Cached). A key that was activated again must not stay dead until the process
// ends.
const verdictTTL = 10 * time.Minute

// current returns what scans are made of now.
func (s *searcher) current() (*detectors.Set, *scanner.Scanner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.made).Abs() > verdictTTL {
		v, err := s.job.Flags.NewVerifier(s.job.Streams.Version)
		if err != nil {
			return nil, nil, err
		}
		s.job.STS, s.made = v, now
		s.set, s.scanner = s.job.NewScanner(now)
	}
	return s.set, s.scanner, nil
}

// scan implements sweep.Engine.Scan.
func (s *searcher) scan(ctx context.Context, src scanner.Source, page string) (sweep.Result, error) {
	if repo, ok := src.(*gitsource.Repository); ok {
		src = fetch.Source{Repository: repo, WebURL: page}
	}
	set, sc, err := s.current()
	if err != nil {
		return sweep.Result{}, err
	}
	if s.job.Flags.Owner.Assess { // an Assessor is for one goroutine
		s.assessing.Lock()
		defer s.assessing.Unlock()
	}
	k := &storeSink{}
	sink := finding.NewSink(k, finding.Scan{Version: s.job.Streams.Version, Source: "github", Target: page, Started: time.Now()}, set, false)
	err = sc.Scan(ctx, src, s.job.Assessed(ctx, sink))
	return k.result, githubhub.Later(err)
}

// A storeSink is the Handler of what a store keeps.
type storeSink struct{ result sweep.Result }

// Scan implements finding.Handler.
func (k *storeSink) Scan(finding.Scan) error { return nil }

// Repository implements finding.Handler.
func (k *storeSink) Repository(finding.Repository) error { return nil }

// Summary implements finding.Handler.
func (k *storeSink) Summary(s finding.Summary) error {
	k.result.Objects, k.result.Unread = s.Objects, s.Unread
	return nil
}

// Finding implements finding.Handler.
func (k *storeSink) Finding(f finding.Finding) error {
	k.result.Findings = append(k.result.Findings, f)
	return nil
}
