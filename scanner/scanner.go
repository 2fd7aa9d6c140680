// Package scanner is the pipeline: it reads the texts of a source, searches them, locates
// and pairs the matches, filters, verifies and reports them, in that order and in one
// direction.
//
//	Source → Detect → Locate → Pair across texts → Suppress → Verify → Sink
//
// It knows nothing of AWS, of git or of output formats: those are the
// detectors, sources, verifiers and sinks that it is given.
package scanner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/archive"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// A Scanner holds the parts of a scan. Its fields must not change while it
// scans; several scans may share one.
type Scanner struct {
	Detectors *detectors.Set
	// Annotators add facts to a finding that come from its places, a clock or a list of the
	// user's. They run before the filters, one call at a time.
	Annotators []func(*finding.Finding)
	// Filters suppress examples and placeholders; Allow and AllowAt suppress as the user
	// says. The first that gives a reason counts. A finding that is allowed is verified all
	// the same, and reported if it is live, unless HonorIgnoresForLive.
	Filters             []Filter
	Allow               []Filter
	AllowAt             []LocationFilter
	HonorIgnoresForLive bool
	// Doubtful suppresses findings for their confidence, and looks at nothing else of
	// them. It may be nil. It judges after Verifier, which may prove a finding in doubt, or
	// before with HonorIgnoresForLive.
	Doubtful Filter
	// EachSecret reports each secret that may belong to a key id as a finding of its own.
	// Otherwise there is one finding for an id, with Candidates. It is for a store that
	// reads single texts again, and knows findings by their fingerprints.
	EachSecret bool
	// AllowUnread returns why something that could not be read does not make the scan
	// incomplete, or "". It may be nil.
	AllowUnread func(finding.Unread) string
	// Unpack has the readers of archives that are not the pipeline's own.
	Unpack   archive.Walker
	Verifier verifier.Verifier
	// Workers is how many key ids are verified at once; 0 is one.
	Workers int
	// Verified, if not nil, is told how many key ids have been verified, and of how many: with
	// 0 before the first, and once more after each. The user ignores the last number of them,
	// unless they are live. One call is made at a time.
	Verified func(done, of, ignored int)
}

// Scan reads all of src and reports to sink, which it closes in any case.
//
// It returns the error of the source if that could not go on, the error of ctx if that
// ended first, or the error of the sink. Findings until then have been reported, and the
// summary says that the scan is incomplete.
func (s *Scanner) Scan(ctx context.Context, src Source, sink Sink) error {
	start := time.Now()
	found := &hits{}
	sum := finding.Summary{}
	var objects, size atomic.Int64

	readErr := s.read(ctx, src, &objects, &size, func(b Blob) error {
		if b.Err != nil {
			why := strings.TrimPrefix(finding.Why(b.Err), b.Name+": ") // the name is said already
			found.fail(unread{Unread: finding.Unread{What: b.Name, Why: why, Blob: b.ID}})
			return ctx.Err()
		}
		found.add(b, "", b.Data, s.detect(b))
		if b.Window != nil {
			if b.Window.Offset == 0 && archive.Is(b.Data) {
				found.unreadMember(b, "", errLargeArchive)
			}
			return ctx.Err()
		}
		return s.Unpack.Walk(ctx, b.Data, func(member string, data []byte, err error) error {
			if err != nil {
				found.unreadMember(b, member, err)
				return nil
			}
			found.add(b, member, data, s.Detectors.Detect(nil, data))
			return nil
		})
	})
	if readErr != nil {
		found.unread("the rest of the source", readErr)
	}

	findings := found.findings()
	if err := found.locate(ctx, src); err != nil {
		found.unread("where some findings come from", err)
	}
	findings = locate(findings, found)
	s.annotate(findings)
	findings = append(findings, pairAcrossTexts(findings)...)
	findings = s.suppress(findings)
	s.verify(ctx, findings)
	findings = s.resolve(findings)
	s.reportIfLive(findings)
	findings = withoutSigners(findings)
	if readErr == nil {
		readErr = ctx.Err() // the steps after reading were cut short
	}

	sum.Objects, sum.Bytes = objects.Load(), size.Load()
	sum.Unread, sum.Accepted = s.accept(found.unreadParts())
	sum.Stopped = readErr != nil
	sum.ElapsedMS = time.Since(start).Milliseconds()
	return errors.Join(readErr, s.report(findings, sum, sink))
}

var errLargeArchive = errors.New("an archive too large to be held in memory: it was searched as it is, not unpacked")

// detect returns the matches of the text of b.
func (s *Scanner) detect(b Blob) []detectors.Match {
	if b.Version == nil {
		return s.Detectors.Detect(nil, b.Data)
	}
	b.Version.Text = b.Data
	s.Detectors.DetectVersion(b.Version)
	return slices.Clone(b.Version.Matches)
}

// read reads src and counts its texts. A source that can leave out texts that cannot match
// does so.
func (s *Scanner) read(ctx context.Context, src Source, objects, size *atomic.Int64, yield func(Blob) error) error {
	counted := func(b Blob) error {
		if b.Err == nil {
			if b.Window == nil || b.Window.Offset == 0 {
				objects.Add(1)
			}
			size.Add(int64(len(b.Data)))
		}
		return yield(b)
	}
	selective, ok := src.(SelectiveSource)
	if !ok {
		return src.Blobs(ctx, counted)
	}
	return selective.BlobsMatching(ctx, Prefilter{
		Filters: s.Detectors.Filters(),
		Whole:   archive.Is, HeadSize: archive.HeadSize,
		Passed: func(n, bytes int64) { objects.Add(n); size.Add(bytes) },
	}, counted)
}

func (s *Scanner) annotate(findings []*draft) {
	for _, f := range findings {
		for _, annotate := range s.Annotators {
			annotate(&f.Finding)
		}
	}
}

// report passes drafts to sink, and closes it.
func (s *Scanner) report(drafts []*draft, sum finding.Summary, sink Sink) error {
	findings := make([]*finding.Finding, len(drafts))
	for i, d := range drafts {
		findings[i] = &d.Finding
	}
	if !s.EachSecret {
		findings = FoldCandidates(findings)
	}
	return Report(findings, sum, sink)
}

// Report counts findings in sum, passes them to sink and closes it.
func Report(findings []*finding.Finding, sum finding.Summary, sink Sink) error {
	var errs []error
	for _, f := range findings {
		sum.Count(f)
		errs = append(errs, sink.Finding(f))
	}
	return errors.Join(append(errs, sink.Close(sum))...)
}
