package respond

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/owner"
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
			op, err := f.Open(cmd.Context(), s.Version)
			if err != nil {
				return err
			}
			return saved.assess(cmd.Context(), s.Stdout, op, format)
		},
	}
	f.Add(cmd)
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, or json: the report again, with the facts added")
	return cmd
}

// keyID is compiled when it is first needed: hooks do not wait for it.
var keyID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(AKIA|ASIA)[A-Z0-9]{12,124}$`) })

// subjects reads the report that args name, or makes one of the ids in args.
func subjects(ctx context.Context, s *cli.Streams, args []string) (*SavedReport, error) {
	r := &SavedReport{}
	if len(args) > 0 && keyID().MatchString(args[0]) {
		r.Header = finding.Scan{Version: s.Version, Source: "assess", Target: strings.Join(args, " "), Started: time.Now().UTC()}
		for _, id := range args {
			if !keyID().MatchString(id) {
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

// assess adds the facts about each key to the report, and writes them to w: as text, or with
// the report as JSON.
func (r *SavedReport) assess(ctx context.Context, w io.Writer, op *operator.Operator, format string) error {
	a := assessment.Assessor{Operator: op}
	var page strings.Builder
	for i := range r.Findings {
		f := &r.Findings[i]
		id, account := f.Match.Credential.ID, &f.Verdict.Identity.Account
		if f.Ignored != "" || !keyID().MatchString(id) {
			continue
		}
		var facts []verifier.Fact
		if *account == "" {
			var err error
			if *account, err = op.Own().AccountOf(ctx, id); err != nil {
				facts = append(facts, owner.UnknownAccount(err))
			}
		}
		if *account != "" {
			facts = append(facts, a.Assess(ctx, f, assessment.Exposure{})...)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.Verdict.Facts = append(f.Verdict.Facts, facts...)
		showFacts(&page, f, facts)
	}
	var err error
	if format == "json" {
		err = r.Replay(finding.JSON(w))
	} else {
		_, err = io.WriteString(w, page.String())
	}
	return cli.UnfinishedIf(err)
}

var risks = [...]string{"", "note", "BAD", "ACT NOW"}

// showFacts prints facts for people, the worst first.
func showFacts(b *strings.Builder, f *finding.Finding, facts []verifier.Fact) {
	fmt.Fprintf(b, "%s  account %s\n", printable.Text(f.Match.Credential.ID), cmp.Or(printable.Text(f.Verdict.Identity.Account), "not known"))
	facts = slices.Clone(facts)
	slices.SortStableFunc(facts, func(a, c verifier.Fact) int { return cmp.Compare(c.Risk, a.Risk) })
	for _, fact := range facts {
		fmt.Fprintf(b, "  %-7s  %s: %s", risks[min(max(fact.Risk, 0), len(risks)-1)], printable.Text(fact.Name), printable.Text(fact.Value))
		if fact.Source != "" {
			fmt.Fprintf(b, "  (%s)", printable.Text(fact.Source))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
}
