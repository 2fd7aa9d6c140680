package respond

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// NewAssess returns the command "stanch assess".
func NewAssess(s *cli.Streams) *cobra.Command {
	f := &cli.OperatorFlags{}
	var format string
	cmd := &cobra.Command{
		Use:   "assess [REPORT | KEY-ID...]",
		Short: "Say how dangerous leaked keys are: their owner, rights and use",
		Long: `Ask AWS with your own identity about the keys of a report that was saved with
"--format json" (REPORT, or standard input), or about key ids: their owner, age and
rights, their use since they leaked, and whether their account notices such things.
The leaked key is not used, and nothing is changed.

If you may not ask a question, the answer is the permission that is missing. With
--format json the report is written again, with the facts added.`,
		Example: "  stanch git -f json | stanch assess\n  stanch assess scan.jsonl --role stanch-read --external-id example",
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %s: must be text or json", format)
			}
			saved, err := subjects(cmd.Context(), s, args)
			if err != nil {
				return cli.Unfinished(err)
			}
			op, err := openOperator(cmd.Context(), *f, s.Version)
			if err != nil {
				return err
			}
			var page strings.Builder
			a := assessment.Assessor{Operator: op}
			err = a.Report(cmd.Context(), saved, func(f *finding.Finding, facts []verifier.Fact) { assessment.WriteFacts(&page, f, facts) })
			switch {
			case err != nil:
				return err
			case format == "json":
				err = saved.Replay(finding.JSON(s.Stdout))
			default:
				_, err = io.WriteString(s.Stdout, page.String())
			}
			return cli.UnfinishedIf(err)
		},
	}
	f.Add(cmd)
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, or json: the report again, with the facts added")
	return cmd
}

// subjects reads the report that args name, or makes one of the ids in args.
func subjects(ctx context.Context, s *cli.Streams, args []string) (*finding.Saved, error) {
	r := &finding.Saved{}
	if len(args) > 0 && operator.IsAccessKeyID(args[0]) {
		r.Header = finding.Scan{Version: s.Version, Source: "assess", Target: strings.Join(args, " "), Started: time.Now().UTC()}
		for _, id := range args {
			if !operator.IsAccessKeyID(id) {
				return nil, fmt.Errorf("%s is not an access key id", id)
			}
			account, _ := awskeys.Account(id)
			r.Findings = append(r.Findings, finding.Finding{
				Match:     detectors.Match{Rule: awskeys.AccessKey, Credential: detectors.Credential{ID: id}},
				Digest:    &finding.Digest{}, // the id alone is no finding that could be ignored
				Verdict:   verifier.Verdict{State: verifier.Skipped, Reason: "lone id: there is no secret to verify with", Identity: verifier.Identity{Account: account}},
				Locations: []finding.Location{},
			})
		}
		r.Totals.Findings = len(r.Findings)
		return r, nil
	}
	if len(args) > 1 {
		return nil, errors.New("one report, or key ids")
	}
	return r, readReport(ctx, s, cli.Operand(args, "-"), false, r)
}
