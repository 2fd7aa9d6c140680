package respond

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/recheck"
)

// NewVerify returns the command "stanch verify".
func NewVerify(s *cli.Streams) *cobra.Command {
	f, out, own := &cli.STSFlags{}, &cli.OutputFlags{}, &cli.OperatorFlags{}
	f.Cache.Refresh = true // ask AWS, even if a scan has just done so
	asOwner := false
	cmd := &cobra.Command{
		Use:   "verify [REPORT]",
		Short: "Ask again whether the keys of a saved report are live",
		Long: `Read a report that was saved with "--format json", from REPORT or from standard
input, ask AWS again, and write the report with the new answers.

A report has no secrets, unless it was saved with --show-secrets: so give --iam. Then
IAM is asked with your own identity: a key that was live and is Active still is, one
that is Inactive is not. A lone id that is Active is reported as live id. Without
--iam, STS alone is asked, and about no key but those whose secrets the report has;
with it, IAM comes first, with the last use of the key. The secrets are not written
again.

If AWS cannot be asked about a key, the report keeps its last state, with the reason
and the time, and the exit code is 3. The exit code is 1 if AWS was asked about all
keys and one is live, and 0 if none is.`,
		Example: `  stanch verify --iam scan.jsonl                        # as your own identity knows them
  stanch verify secrets.jsonl                           # of a report with --show-secrets
  stanch verify --iam --role stanch-respond scan.jsonl  # in another account`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := cli.Operand(args, "-")
			if operator.IsAccessKeyID(name) {
				return errors.New(`the report is missing: "stanch verify REPORT" asks again about its keys, and "stanch assess KEY-ID" about a key id`)
			}
			sts, err := f.Client(s.Version, false)
			if err != nil {
				return err
			}
			r := &finding.Saved{}
			if err := readReport(cmd.Context(), s, name, true, r); err != nil {
				return cli.Failed(err)
			}
			var op *operator.Operator
			if asOwner {
				if op, err = openOperator(cmd.Context(), s, *own); err != nil {
					return err
				}
			}
			asking := &cli.Asking{}
			again := recheck.Rechecker{STS: sts, Operator: op, Accounts: f.Accounts, Progress: asking.Step}
			if err := s.Line.During(asking.Text, func() error { return again.Report(cmd.Context(), r) }); err != nil {
				return err
			}
			o, err := out.Open(s)
			if err != nil {
				return err
			}
			defer o.Discard()
			h, err := out.Handler(o)
			if err == nil {
				err = r.Replay(h)
				err = cmp.Or(o.Commit(), err)
			}
			if err != nil {
				return cli.Failed(err)
			}
			return verified(r, cli.Operand(args, "-"))
		},
	}
	out.Add(cmd)
	own.Add(cmd)
	f.Add(cmd)
	f.Cache.AddDir(cmd)
	cmd.Flags().BoolVar(&asOwner, "iam", false, "ask IAM with your own identity about keys without their secret")
	cli.Needs(cmd, []string{"profile", "role", "external-id"}, "iam")
	return cmd
}

// verified returns how verify ended, for the exit code. name is that of the report.
func verified(r *finding.Saved, name string) error {
	asked, of := r.Totals.Again.Asked, r.Totals.Again.Of
	lacking := slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return recheck.LacksSecret(f) && strings.HasPrefix(f.Match.Credential.ID, "AKIA")
	})
	switch {
	case r.CutOff():
		return cli.Failed(fmt.Errorf("asked AWS again about %d of %d: %w", asked, of, finding.ErrTruncated))
	case asked == 0 && lacking: // IAM was not asked
		return cli.Failed(fmt.Errorf("AWS was asked about no key, since the report has no secrets: states are those of the scan. To ask IAM with your own identity, type: stanch verify --iam %s", printable.ShellWord(name)))
	case asked < of && lacking:
		return cli.Failed(fmt.Errorf("asked AWS again about %d of %d: the report says why; --iam asks IAM about keys without their secret", asked, of))
	case asked < of:
		return cli.Failed(fmt.Errorf("asked AWS again about %d of %d: the report says why", asked, of))
	case r.Totals.Unknown > 0:
		return cli.Failed(fmt.Errorf("asked AWS again about %d of %d: for %d of them the answer does not say whether they are live", asked, of, r.Totals.Unknown))
	case r.Totals.Live > 0:
		return cli.ErrLeaks
	}
	return nil
}
