// Package run wires a scan, the same for every command: from options to a scanner.Scanner
// and a sink that writes the report, and from these to the Result that decides the exit
// code.
//
//	Options → NewScanner ──→ Scanner ─┐
//	Handler → NewSink → Wraps → count ─┴→ Scan.Run → Result
//
// It is public for the commands of stanch, and no contract.
package run

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/archive"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/bundle"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/verifier"
)

// Options say how a scan judges findings: by which rules, ignore files and verifier.
type Options struct {
	Project *project.Config
	// MinConfidence ignores findings of less confidence; "" ignores none.
	MinConfidence detectors.Confidence
	Annotators    []func(*finding.Finding)
	Verifier      verifier.Verifier
	Log           *slog.Logger // of verdicts; may be nil
	// WithoutLFS accepts content of Git LFS that is not here. A server never has it when it
	// receives the pointer, and a commit that merges pointers need not have it either: to
	// refuse them would keep all of Git LFS out. Checkouts in CI and clones of organizations
	// come without it too. Reports name it all the same.
	WithoutLFS bool
}

// workers is how many keys are verified at once: as many as verifier.Limited has questions
// under way.
const workers = 16

// NewScanner returns the scanner that o asks for, and its detectors of credentials, without
// the rules of the user. A presigned URL that expired before now is ignored; with the zero
// time, none is ignored.
func (o *Options) NewScanner(now time.Time) (*detectors.Set, *scanner.Scanner) {
	set := catalog.NewSet()
	sc := &scanner.Scanner{
		Detectors:  o.Project.Extend(set),
		Annotators: o.Annotators,
		Filters:    []scanner.Filter{placeholders, otherStores, expiredURLs(now)},
		Unpack:     archive.Walker{Bundle: bundle.Walk},
		Verifier:   o.Verifier,
		Workers:    workers,
	}
	if o.MinConfidence != "" {
		sc.Doubtful = below(o.MinConfidence)
	}
	if o.Log != nil {
		sc.Verifier = loggedVerifier{o.Verifier, o.Log}
	}
	o.Project.Suppress(sc)
	sc.Allow = append(slices.Clip(sc.Allow), expiredSigners(now))
	if o.WithoutLFS {
		sc.AllowUnread = orLFS(sc.AllowUnread)
	}
	return set, sc
}

// orLFS returns allow, which may be nil, and accepts content of Git LFS besides.
func orLFS(allow func(finding.Unread) string) func(finding.Unread) string {
	return func(part finding.Unread) string {
		if part.Why == archive.ErrPointer.Error() {
			return "Git LFS keeps it outside of the commits"
		}
		if allow == nil {
			return ""
		}
		return allow(part)
	}
}

// A Scan is a scan that makes one report.
type Scan struct {
	Options
	Header      finding.Scan // the first record of the report
	Handler     finding.Handler
	ShowSecrets bool
	// Wraps put sinks in front of the report: the last one sees a finding first.
	Wraps  []func(scanner.Sink) scanner.Sink
	FailOn FailOn
}

// A Result holds all that decides the exit code of a scan.
type Result struct {
	Leaks int // findings that FailOn counts
	// Unanswered counts the findings about which AWS gave no answer, if FailOn counts live keys
	// alone: each of them may be one. A report of sweeps also has keys that no sweep asked about.
	Unanswered int
	Summary    finding.Summary
}

// Count counts f, as failOn says.
func (r *Result) Count(f *finding.Finding, failOn FailOn) {
	switch {
	case f.Ignored != "":
	case failOn.Counts(f.Verdict.State):
		r.Leaks++
	case failOn == FailOnLive && (f.Verdict.State == verifier.Unknown || f.Verdict.Reason == verifier.NotAsked):
		r.Unanswered++
	}
}

// Scan scans src.
func (s *Scan) Scan(ctx context.Context, src scanner.Source) (Result, error) {
	return s.Run(func(sc *scanner.Scanner, sink scanner.Sink) error { return sc.Scan(ctx, src, sink) })
}

// Run calls scan, which may scan several sources and closes the sink.
func (s *Scan) Run(scan func(*scanner.Scanner, scanner.Sink) error) (Result, error) {
	set, sc := s.NewScanner(s.Header.Started)
	var sink scanner.Sink = finding.NewSink(s.Handler, s.Header, set, s.ShowSecrets)
	for _, wrap := range s.Wraps {
		sink = wrap(sink)
	}
	count := &failCounter{Sink: sink, failOn: s.FailOn}
	err := scan(sc, count)
	return count.Result, err
}

// A FailOn says which findings make a scan fail: the values of --fail-on.
type FailOn string

// The values of FailOn, from the strictest.
const (
	FailOnAny     FailOn = "any"
	FailOnUnknown FailOn = "unknown" // live, or not known to be dead
	FailOnLive    FailOn = "live"
	// FailOnNew counts findings in any state that the last sweep has seen first. A scan has no
	// memory to tell them by; package sweepreport asks the database.
	FailOnNew   FailOn = "new"
	FailOnNever FailOn = "never"
)

// FailLevels are the values of FailOn that a scan takes, and SweepFailLevels those that a
// report of sweeps takes.
var (
	FailLevels      = []string{string(FailOnAny), string(FailOnUnknown), string(FailOnLive), string(FailOnNever)}
	SweepFailLevels = []string{string(FailOnAny), string(FailOnUnknown), string(FailOnLive), string(FailOnNew), string(FailOnNever)}
)

// Counts reports whether a finding in state makes the scan fail. It is false for FailOnNew,
// which no state decides.
func (f FailOn) Counts(state verifier.State) bool {
	switch f {
	case FailOnAny:
		return true
	case FailOnUnknown:
		return state.MayBeLive()
	case FailOnLive:
		return state == verifier.Live
	}
	return false
}

// A failCounter counts findings on their way to the report.
type failCounter struct {
	scanner.Sink
	Result
	failOn FailOn
}

// Finding implements scanner.Sink.
func (c *failCounter) Finding(f *finding.Finding) error {
	c.Count(f, c.failOn)
	return c.Sink.Finding(f)
}

// Close implements scanner.Sink.
func (c *failCounter) Close(sum finding.Summary) error {
	c.Summary = sum
	return c.Sink.Close(sum)
}

// A loggedVerifier logs verdicts.
type loggedVerifier struct {
	verifier.Verifier
	log *slog.Logger
}

// Verify implements verifier.Verifier.
func (l loggedVerifier) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	v := l.Verifier.Verify(ctx, c)
	l.log.Debug("verified", "credential", c, "state", v.State, "reason", v.Reason, "err", v.Err)
	return v
}
