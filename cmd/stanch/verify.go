package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

func newVerify(s *streams) *cobra.Command {
	f, out, own := &scanFlags{}, &outputFlags{}, &operatorFlags{}
	f.cache.anew = true // what scans were told before is what is to be checked
	asOwner := false
	cmd := &cobra.Command{
		Use:   "verify [REPORT]",
		Short: "Ask again whether the keys of a saved report are live",
		Long: `Read a report that was saved with "--format json", from REPORT or from standard
input, ask again, and write the report with what is known now.

STS is asked about keys whose secrets the report has (--show-secrets). With --iam,
IAM is asked with your own identity about the others: a key that was live and is
Active still is, one that is Inactive is not. A lone id that is Active is reported as
live id. The secrets are not written again.`,
		Example: "  stanch verify scan.jsonl\n  stanch verify --iam --role stanch-respond --external-id example scan.jsonl",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sts, err := f.verifier()
			if err != nil {
				return err
			}
			r := &stream{}
			if err := readReport(cmd.Context(), s, operand(args, "-"), true, r); err != nil {
				return unfinished(err)
			}
			var op *operator.Operator
			if asOwner {
				if op, err = own.open(cmd.Context()); err != nil {
					return err
				}
			}
			if err := r.verify(cmd.Context(), sts, op); err != nil {
				return err
			}
			o, err := out.open(s.stdout)
			if err != nil {
				return err
			}
			defer o.discard()
			h, err := out.handler(o)
			if err == nil {
				err = errors.Join(r.replay(h), o.commit())
			}
			switch {
			case err != nil:
				return unfinishedIf(err)
			case r.summary.Live > 0:
				return errLeaks
			}
			return nil
		},
	}
	out.add(cmd)
	own.add(cmd)
	f.cache.addDir(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&asOwner, "iam", false, "ask IAM with your own identity about keys without their secret")
	flags.StringSliceVar(&f.accounts, "accounts", nil, "verify keys of these AWS accounts only")
	flags.StringSliceVar(&f.partitions, "partitions", nil, "ask these partitions too about keys that AWS does not know: aws-cn, aws-us-gov, aws-eusc")
	flags.StringVar(&f.canaryAccounts, "canary-accounts", "", "file of further AWS accounts whose keys are never verified, one a line")
	flags.StringVar(&f.stsEndpoint, "sts-endpoint", "", "verify at this loopback URL instead of AWS, for tests")
	_ = flags.MarkHidden("sts-endpoint")
	return cmd
}

// verify brings the states of r up to date. op may be nil.
func (r *stream) verify(ctx context.Context, sts *awsverifier.Client, op *operator.Operator) error {
	r.summary.Live, r.summary.Unknown = 0, 0
	for i := range r.findings {
		f := &r.findings[i]
		if f.Ignored != "" {
			continue
		}
		switch {
		case f.Secret != "" && f.KeyID != "":
			renew(f, sts.Verify(ctx, detectors.Credential{
				ID: f.KeyID, Secret: detectors.NewSecret(f.Secret), Token: detectors.NewSecret(f.Token), Partition: partitionOf(f),
			}))
		case op != nil && strings.HasPrefix(f.KeyID, "AKIA") && keyID().MatchString(f.KeyID):
			askOwner(ctx, op, f)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.Secret, f.Token = "", ""
		switch f.State {
		case verifier.Live:
			r.summary.Live++
		case verifier.Unknown:
			r.summary.Unknown++
		}
	}
	return nil
}

// partitionOf returns where to ask about a key first: where it was live, or what the
// text around it named.
func partitionOf(f *report.Finding) string {
	if parts := strings.Split(f.Identity.ARN, ":"); len(parts) > 1 {
		return parts[1]
	}
	return hint(f.Facts)
}

// hint returns the partition that the text around a key named, "" for none.
func hint(facts []verifier.Fact) string {
	for _, f := range facts {
		if f.Name == awskeys.PartitionHint {
			return f.Value
		}
	}
	return ""
}

// renew puts what is known now in the place of what was, but for what the text said.
func renew(f *report.Finding, v verifier.Verdict) {
	facts := []verifier.Fact{}
	if p := hint(f.Facts); p != "" {
		facts = append(facts, verifier.Fact{Name: awskeys.PartitionHint, Value: p})
	}
	f.State, f.Reason, f.Facts = v.State, v.Reason, append(facts, v.Facts...)
	if !v.At.IsZero() {
		f.VerifiedAt = v.At.UTC()
	}
	if v.Identity.Account != "" {
		f.Account = v.Identity.Account
	}
	if v.Identity.ARN != "" {
		f.Identity = report.Identity{ARN: v.Identity.ARN, Kind: v.Identity.Kind, Name: v.Identity.Name, UserID: v.Identity.UserID}
	}
}

// askOwner asks IAM of the key's account for its status, which STS does not tell.
func askOwner(ctx context.Context, op *operator.Operator, f *report.Finding) {
	account, err := f.Account, error(nil)
	if account == "" {
		account, err = accountFor(ctx, op, f.KeyID)
		f.Account = account
	}
	var owner ownership
	if err == nil {
		owner, err = ownerOf(ctx, op, account, f.KeyID)
	}
	live := f.State == verifier.Live && owner.status == "Active" // it was, and it is the same key
	if err == nil && !live {
		f.State, f.Reason = owner.state()
	}
	f.Facts = append(f.Facts, owner.fact(err))
}
