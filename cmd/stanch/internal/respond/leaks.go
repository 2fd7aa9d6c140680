package respond

import (
	"context"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// readLeaks reads a report that was saved with --format json, from a file or, if name is
// "-", from stdin. It leaves out findings that are ignored. The leaks hold no secret but in
// their Match, so none gets into plans, journals and notices, though the report may
// have them. Of a report that was cut off, it returns the leaks that there are, and
// finding.ErrTruncated.
func readLeaks(ctx context.Context, s *cli.Streams, name string) ([]finding.Finding, error) {
	leaks, _, err := readScan(ctx, s, name)
	return leaks, err
}

// readScan is readLeaks, and also returns the first record of the report.
func readScan(ctx context.Context, s *cli.Streams, name string) ([]finding.Finding, finding.Scan, error) {
	var c collector
	if err := readReport(ctx, s, name, true, &c); err != nil {
		return nil, c.scan, err
	}
	for i := range c.leaks {
		scrub(&c.leaks[i], c.secrets)
	}
	finding.Scrub(c.secrets, &c.scan.Target)
	if !c.whole {
		return c.leaks, c.scan, fmt.Errorf("%s ends early: %w", name, finding.ErrTruncated)
	}
	return c.leaks, c.scan, nil
}

// scrub removes secrets from the locations of a leak.
func scrub(f *finding.Finding, secrets []detectors.Secret) {
	var texts []*string
	for i := range f.Locations {
		l := &f.Locations[i]
		texts = append(texts, &l.Repo, &l.Path)
		for n := range l.Refs {
			texts = append(texts, &l.Refs[n])
		}
	}
	finding.Scrub(secrets, texts...)
}

// A collector is a finding.Handler that keeps the leaks of a report.
type collector struct {
	scan    finding.Scan
	leaks   []finding.Finding
	secrets []detectors.Secret // of all findings
	whole   bool
}

// Scan implements finding.Handler.
func (c *collector) Scan(s finding.Scan) error { c.scan = s; return nil }

// Repository implements finding.Handler.
func (*collector) Repository(finding.Repository) error { return nil }

// Summary implements finding.Handler.
func (c *collector) Summary(sum finding.Summary) error {
	c.whole = !cutOff(sum)
	return nil
}

// cutOff reports whether a report ended before its summary.
func cutOff(sum finding.Summary) bool {
	return slices.ContainsFunc(sum.Unread, func(u finding.Unread) bool { return u.Why == finding.ErrTruncated.Error() })
}

// Finding implements finding.Handler.
func (c *collector) Finding(f finding.Finding) error {
	cred := &f.Match.Credential
	c.secrets = append(c.secrets, cred.Secret, cred.Token)
	loneID := f.SecretSHA256() == "" && f.Verdict.State == verifier.Skipped // opens nothing
	if f.Ignored != "" || loneID {
		return nil
	}
	cred.Partition = partitionOf(&f)
	f.Locations = slices.DeleteFunc(f.Locations, func(l finding.Location) bool { return l.Ignored != "" })
	c.leaks = append(c.leaks, f)
	return nil
}
