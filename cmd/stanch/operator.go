package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// operatorFlags say who the operator is.
type operatorFlags struct {
	profile, role, externalID string
	endpoint                  string
}

func (f *operatorFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.profile, "profile", "", "your profile of ~/.aws (default: as the AWS CLI chooses)")
	flags.StringVar(&f.role, "role", "", "name of the role to assume in accounts other than your own")
	flags.StringVar(&f.externalID, "external-id", "", "external id that goes with --role")
	addEndpoint(cmd, &f.endpoint)
}

func addEndpoint(cmd *cobra.Command, endpoint *string) {
	cmd.Flags().StringVar(endpoint, "aws-endpoint", "", "ask this loopback URL instead of AWS, for tests")
	_ = cmd.Flags().MarkHidden("aws-endpoint")
}

func (f *operatorFlags) config(version string) operator.Config {
	cfg := operator.Config{Profile: f.profile, Role: f.role, ExternalID: f.externalID, Version: version, Endpoint: f.endpoint}
	if f.endpoint != "" {
		cfg.Wait = time.Millisecond // what a test does not know it does not know later either
	}
	return cfg
}

func (f *operatorFlags) open(ctx context.Context, version string) (*operator.Operator, error) {
	o, err := operator.New(ctx, f.config(version))
	if err != nil {
		return nil, unfinished(err)
	}
	return o, nil
}

// readLeaks reads a report that was saved with --format json, from a file, or from
// stdin if name is "-". Findings that are ignored are left out. What goes on from
// here into plans, journals and notices holds no secret, though the report may. Of a
// report that was cut off there are the leaks that it has, and report.ErrTruncated.
func readLeaks(ctx context.Context, s *streams, name string) ([]response.Leak, error) {
	leaks, _, err := readScan(ctx, s, name)
	return leaks, err
}

// readScan is readLeaks, and returns the first record of the report as well.
func readScan(ctx context.Context, s *streams, name string) ([]response.Leak, report.Scan, error) {
	var c collector
	if err := readReport(ctx, s, name, true, &c); err != nil {
		return nil, c.scan, err
	}
	for i := range c.leaks {
		scrub(&c.leaks[i], c.secrets)
	}
	report.Scrub(c.secrets, &c.scan.Target)
	if !c.whole {
		return c.leaks, c.scan, fmt.Errorf("%s ends early: %w", name, report.ErrTruncated)
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
	report.Scrub(secrets, texts...)
	if len(l.Places) > 0 {
		l.Where = printable.Text(l.Places[0].String())
	}
}

// A collector is a report.Handler that keeps what is to be acted on.
type collector struct {
	scan    report.Scan
	leaks   []response.Leak
	secrets []detectors.Secret // of all findings
	whole   bool
}

// Scan implements report.Handler.
func (c *collector) Scan(s report.Scan) error { c.scan = s; return nil }

// Repository implements report.Handler.
func (*collector) Repository(report.Repository) error { return nil }

// Summary implements report.Handler.
func (c *collector) Summary(sum report.Summary) error {
	c.whole = !cutOff(sum)
	return nil
}

// cutOff reports whether a report ended before its summary.
func cutOff(sum report.Summary) bool {
	return slices.ContainsFunc(sum.Unread, func(u scanner.Unread) bool { return u.Why == report.ErrTruncated.Error() })
}

// Finding implements report.Handler.
func (c *collector) Finding(f report.Finding) error {
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
func places(f report.Finding) (list []response.Place) {
	for _, l := range f.Locations {
		if l.Ignored == "" {
			list = append(list, response.Place{
				Repo: l.Repo, Path: l.Path, Line: l.Line, Commit: l.Commit, Time: l.Time, AtHead: l.AtHead, Refs: l.Refs,
			})
		}
	}
	return list
}

// ask reads a line of typed, which has to be want, or returns an error.
func ask(ctx context.Context, typed *bufio.Reader, stderr io.Writer, question, want string) error {
	fmt.Fprintf(stderr, "%s\n> ", question)
	line, err := typed.ReadString('\n')
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if strings.TrimSpace(line) != want {
		if err != nil {
			return &response.RefusedError{Gate: response.GateConfirm, Why: "nothing was typed (in a script: --yes)"}
		}
		return &response.RefusedError{Gate: response.GateConfirm, Why: "what was typed is something else"}
	}
	return nil
}

// readNames reads names, one a line; "#" begins a comment.
func readNames(flag, file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, line)
		}
	}
	return slices.Compact(names), nil
}
