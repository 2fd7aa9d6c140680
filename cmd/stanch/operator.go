package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
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

func (f *operatorFlags) open(ctx context.Context) (*operator.Operator, error) {
	cfg := operator.Config{Profile: f.profile, Role: f.role, ExternalID: f.externalID, Version: number(), Endpoint: f.endpoint}
	if f.endpoint != "" {
		cfg.Wait = time.Millisecond // what a test does not know it does not know later either
	}
	o, err := operator.New(ctx, cfg)
	if err != nil {
		return nil, unfinished(err)
	}
	return o, nil
}

// readLeaks reads a report that was saved with --format json, from a file, or from
// stdin if name is "-". Findings that are ignored are left out.
func readLeaks(ctx context.Context, s *streams, name string) ([]response.Leak, error) {
	var leaks collector
	if err := readReport(ctx, s, name, true, &leaks); err != nil {
		return nil, err
	}
	return leaks, nil
}

// A collector is a report.Handler that keeps what is to be acted on.
type collector []response.Leak

// Scan implements report.Handler.
func (*collector) Scan(report.Scan) error { return nil }

// Summary implements report.Handler.
func (*collector) Summary(report.Summary) error { return nil }

// Finding implements report.Handler.
func (c *collector) Finding(f report.Finding) error {
	loneID := f.SecretSHA256 == "" && f.State == verifier.Skipped // opens nothing
	if f.Ignored != "" || loneID {
		return nil
	}
	*c = append(*c, response.Leak{
		Fingerprint: f.Fingerprint, Rule: f.Rule, Where: place(f),
		Credential: detectors.Credential{ID: f.KeyID, Secret: detectors.NewSecret(f.Secret), Token: detectors.NewSecret(f.Token), Partition: partitionOf(&f)},
		Verdict: verifier.Verdict{
			State: f.State, Reason: f.Reason, At: f.VerifiedAt, Facts: f.Facts,
			Identity: verifier.Identity{
				Account: f.Account, ARN: f.Identity.ARN, Kind: f.Identity.Kind, Name: f.Identity.Name, UserID: f.Identity.UserID,
			},
		},
	})
	return nil
}

// place says where a finding is first, in a line.
func place(f report.Finding) string {
	if len(f.Locations) == 0 {
		return ""
	}
	l := f.Locations[0]
	where := strings.TrimSpace(l.Repo + " " + l.Path)
	if l.Line > 0 {
		where += fmt.Sprintf(":%d", l.Line)
	}
	if l.Commit != "" {
		where += " commit " + l.Commit[:min(10, len(l.Commit))]
	}
	return printable(where)
}

// ask reads a line that has to be want, or returns an error.
func ask(ctx context.Context, s *streams, question, want string) error {
	fmt.Fprintf(s.stderr, "%s\n> ", question)
	line, err := bufio.NewReader(interruptible{ctx, s.stdin}).ReadString('\n')
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
