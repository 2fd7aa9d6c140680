package respond

import (
	"context"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
)

// readLeaks reads a report that was saved with --format json, from a file, or from
// stdin if name is "-". Findings that are ignored are left out. What goes on from
// here into plans, journals and notices holds no secret, though the report may. Of a
// report that was cut off there are the leaks that it has, and finding.ErrTruncated.
func readLeaks(ctx context.Context, s *cli.Streams, name string) ([]response.Leak, error) {
	leaks, _, err := readScan(ctx, s, name)
	return leaks, err
}

// readScan is readLeaks, and returns the first record of the report as well.
func readScan(ctx context.Context, s *cli.Streams, name string) ([]response.Leak, finding.Scan, error) {
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

// scrub removes secrets from where a leak is said to be, and says it in a line.
func scrub(l *response.Leak, secrets []detectors.Secret) {
	var texts []*string
	for i := range l.Places {
		p := &l.Places[i]
		texts = append(texts, &p.Repo, &p.Path)
		for n := range p.Refs {
			texts = append(texts, &p.Refs[n])
		}
	}
	finding.Scrub(secrets, texts...)
	if len(l.Places) > 0 {
		l.Where = printable.Text(l.Places[0].String())
	}
}

// A collector is a finding.Handler that keeps what is to be acted on.
type collector struct {
	scan    finding.Scan
	leaks   []response.Leak
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
	return slices.ContainsFunc(sum.Unread, func(u scanner.Unread) bool { return u.Why == finding.ErrTruncated.Error() })
}

// Finding implements finding.Handler.
func (c *collector) Finding(f finding.Finding) error {
	secret, token := detectors.NewSecret(f.Secret), detectors.NewSecret(f.Token)
	c.secrets = append(c.secrets, secret, token, detectors.NewSecret(f.Value))
	loneID := f.SecretSHA256 == "" && f.State == verifier.Skipped // opens nothing
	if f.Ignored != "" || loneID {
		return nil
	}
	c.leaks = append(c.leaks, response.Leak{
		Fingerprint: f.Fingerprint, Rule: f.Rule, Places: places(f),
		Credential: detectors.Credential{ID: f.KeyID, Secret: secret, Token: token, Partition: partitionOf(&f)},
		Verdict: verifier.Verdict{
			State: f.State, Reason: f.Reason, At: f.VerifiedAt, Facts: f.Facts,
			Identity: verifier.Identity{
				Account: f.Account, ARN: f.Identity.ARN, Kind: f.Identity.Kind, Name: f.Identity.Name, UserID: f.Identity.UserID,
			},
		},
	})
	return nil
}

// places are where a finding counts.
func places(f finding.Finding) (list []response.Place) {
	for _, l := range f.Locations {
		if l.Ignored == "" {
			list = append(list, response.Place{
				Repo: l.Repo, Path: l.Path, Line: l.Line, Commit: l.Commit, Time: l.Time, AtHead: l.AtHead, Refs: l.Refs,
			})
		}
	}
	return list
}
