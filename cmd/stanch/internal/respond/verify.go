package respond

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/owner"
)

// NewVerify returns the command "stanch verify".
func NewVerify(s *cli.Streams) *cobra.Command {
	f, out, own := &stsFlags{}, &cli.OutputFlags{}, &cli.OperatorFlags{}
	f.cache.Refresh = true // the answers that scans got are to be checked
	asOwner := false
	cmd := &cobra.Command{
		Use:   "verify [REPORT]",
		Short: "Ask again whether the keys of a saved report are live",
		Long: `Read a report that was saved with "--format json", from REPORT or from standard
input, ask AWS again, and write the report with the new answers.

STS is asked about keys whose secrets the report has (--show-secrets). With --iam,
IAM is asked with your own identity about the others: a key that was live and is
Active still is, one that is Inactive is not. A lone id that is Active is reported as
live id. The secrets are not written again.

If AWS cannot be asked about a key, the report keeps its last state, with the reason
and the time, and the exit code is 3. The exit code is 1 if AWS was asked about all
keys and one is live, and 0 if none is.`,
		Example: "  stanch verify scan.jsonl\n  stanch verify --iam --role stanch-respond --external-id example scan.jsonl",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sts, err := f.client(s.Version)
			if err != nil {
				return err
			}
			r := &SavedReport{}
			if err := readReport(cmd.Context(), s, cli.Operand(args, "-"), true, r); err != nil {
				return cli.Unfinished(err)
			}
			var op *operator.Operator
			if asOwner {
				if op, err = own.Open(cmd.Context(), s.Version); err != nil {
					return err
				}
			}
			if err := r.verify(cmd.Context(), again{sts, op, f.accounts}); err != nil {
				return err
			}
			o, err := out.Open(s.Stdout)
			if err != nil {
				return err
			}
			defer o.Discard()
			h, err := out.Handler(o)
			if err == nil {
				err = errors.Join(r.Replay(h), o.Commit())
			}
			if err != nil {
				return cli.UnfinishedIf(err)
			}
			return r.verified()
		},
	}
	out.Add(cmd)
	own.Add(cmd)
	f.add(cmd)
	cmd.Flags().BoolVar(&asOwner, "iam", false, "ask IAM with your own identity about keys without their secret")
	return cmd
}

// stsFlags say which keys STS is asked about, and where.
type stsFlags struct {
	accounts, partitions     []string
	canaryAccounts, endpoint string
	cache                    cli.CacheFlags
}

func (f *stsFlags) add(cmd *cobra.Command) {
	f.cache.AddDir(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.accounts, "accounts", nil, "verify keys of these AWS accounts only")
	flags.StringSliceVar(&f.partitions, "partitions", nil, "ask these partitions too about keys that AWS does not know: aws-cn, aws-us-gov, aws-eusc")
	flags.StringVar(&f.canaryAccounts, "canary-accounts", "", "file of further AWS accounts whose keys are never verified, one a line")
	flags.StringVar(&f.endpoint, "sts-endpoint", "", "verify at this loopback URL instead of AWS, for tests")
	_ = flags.MarkHidden("sts-endpoint")
}

func (f *stsFlags) client(version string) (*awsverifier.Client, error) {
	canaries, err := cli.ReadList("--canary-accounts", f.canaryAccounts)
	if err != nil {
		return nil, err
	}
	return awsverifier.New(awsverifier.Config{
		Version: version, Cache: f.cache.Folder(f.endpoint), Refresh: f.cache.Refresh,
		Accounts: f.accounts, CanaryAccounts: canaries, Partitions: f.partitions, Endpoint: f.endpoint,
	})
}

// verify brings the states of r up to date.
func (r *SavedReport) verify(ctx context.Context, a again) error {
	r.Totals.Live, r.Totals.Unknown, r.Totals.Again = 0, 0, &finding.Again{}
	for i := range r.Findings {
		f := &r.Findings[i]
		cred := f.Match.Credential
		cred.Partition = partitionOf(f)
		f.Match.Credential = detectors.Credential{ID: cred.ID} // the report is not to hold them again
		if f.Ignored != "" {
			continue
		}
		if wanted, answered := a.ask(ctx, f, cred); wanted {
			r.Totals.Again.Of++
			if answered {
				r.Totals.Again.Asked++
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch f.Verdict.State {
		case verifier.Live:
			r.Totals.Live++
		case verifier.Unknown:
			r.Totals.Unknown++
		}
	}
	return nil
}

const noSecret = "the report holds no secret"

// verified returns how verify ended, for the exit code.
func (r *SavedReport) verified() error {
	asked, of := r.Totals.Again.Asked, r.Totals.Again.Of
	lacking := slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return strings.HasSuffix(f.Stale, noSecret) && strings.HasPrefix(f.Match.Credential.ID, "AKIA")
	})
	switch {
	case cutOff(r.Totals):
		return cli.Unfinished(fmt.Errorf("%d of %d asked: %w", asked, of, finding.ErrTruncated))
	case asked < of && lacking: // IAM was not asked
		return cli.Unfinished(fmt.Errorf("%d of %d asked: the report says why; --iam asks IAM about keys without their secret", asked, of))
	case asked < of:
		return cli.Unfinished(fmt.Errorf("%d of %d asked: the report says why", asked, of))
	case r.Totals.Unknown > 0:
		return cli.Unfinished(fmt.Errorf("%d of %d asked, and of %d it is not known whether they are live", asked, of, r.Totals.Unknown))
	case r.Totals.Live > 0:
		return cli.ErrLeaks
	}
	return nil
}

// An again asks about the keys of a saved report once more.
type again struct {
	sts      verifier.Verifier
	op       *operator.Operator // nil: IAM is not asked
	accounts []string           // if any, nothing is asked about others
}

// ask asks about f: STS if cred has a secret, else IAM. wanted is false for findings that
// are not asked about: canaries; those that have expired; those that are not verifiable,
// such as the key of another store, which must not be sent to AWS; and those that give
// nothing to ask with, such as a lone id, unless IAM is asked.
func (a again) ask(ctx context.Context, f *finding.Finding, cred detectors.Credential) (wanted, answered bool) {
	incomplete := f.SecretSHA256() == "" || strings.HasPrefix(cred.ID, "ASIA") && !f.HasToken()
	f.Stale = ""
	state := f.Verdict.State
	switch {
	case cred.ID == "", state == verifier.CanarySuspected, state == verifier.Expired, state == verifier.NotVerifiable:
		return false, false
	case !cred.Secret.IsZero() && !incomplete:
		return true, renew(f, a.sts.Verify(ctx, cred))
	case a.op != nil && strings.HasPrefix(cred.ID, "AKIA") && keyID().MatchString(cred.ID):
		return true, a.askOwner(ctx, f)
	case state == verifier.Skipped && incomplete:
		return false, false
	}
	keep(f, noSecret)
	return true, false
}

// keep leaves f as it was, and notes why AWS was not asked.
func keep(f *finding.Finding, why string) {
	f.Stale = "not asked again: " + why
	if f.Verdict.At.IsZero() && !told(f.Verdict.State) {
		f.Stale = "not asked: " + why
	}
}

// told reports whether s is an answer of AWS.
func told(s verifier.State) bool {
	return s == verifier.Live || s == verifier.IDActive || s == verifier.Invalid
}

// partitionOf returns the partition to ask about a key first: that in which it was live, or
// the one that the text around it named.
func partitionOf(f *finding.Finding) string {
	if parts := strings.Split(f.Verdict.Identity.ARN, ":"); len(parts) > 1 {
		return parts[1]
	}
	for _, x := range f.Verdict.Facts {
		if x.Name == awskeys.PartitionHint {
			return x.Value
		}
	}
	return ""
}

// renew replaces the verdict of f by v, and reports whether v is an answer. If it is none,
// the last answer of AWS stays.
func renew(f *finding.Finding, v verifier.Verdict) (answered bool) {
	asked := !v.At.IsZero()
	none := v.State == verifier.Unknown || v.State == verifier.Skipped
	if none && told(f.Verdict.State) {
		keep(f, strings.TrimPrefix(v.Reason, "not asked: "))
		if asked {
			f.Stale = "asked again, without an answer: " + strings.TrimPrefix(v.Reason, "no answer: ")
		}
		return false
	}
	who := f.Verdict.Identity
	if v.Identity.ARN != "" {
		who = v.Identity
	}
	who.Account = cmp.Or(v.Identity.Account, f.Verdict.Identity.Account)
	v.Facts, v.At, v.Identity = renewed(f, v.Facts), v.At.UTC(), who
	f.Verdict = v
	return !none
}

// renewed returns the facts of f with those of the last answer replaced by facts. Call it
// before the time of the new answer is noted: the fact UsedBefore is about the question of
// the time that f has.
func renewed(f *finding.Finding, facts []verifier.Fact) []verifier.Fact {
	old := slices.DeleteFunc(f.Verdict.Facts, func(x verifier.Fact) bool {
		ofAnswer := slices.Contains([]string{"sts-endpoint", "http-status", "error-code", "aws-request-id", verifier.CachedFact}, x.Name)
		again := slices.ContainsFunc(facts, func(y verifier.Fact) bool { return x.Name == y.Name && x.Source == y.Source })
		return ofAnswer || again || fromIAM(x)
	})
	has := func(name string) bool {
		return slices.ContainsFunc(old, func(x verifier.Fact) bool { return x.Name == name })
	}
	if has(operator.UsedBefore) && !has(operator.UsedBeforeAt) && !f.Verdict.At.IsZero() {
		old = append(old, verifier.Fact{Name: operator.UsedBeforeAt, Value: f.Verdict.At.UTC().Format(time.RFC3339)})
	}
	return append(old, facts...)
}

// fromIAM reports whether x is the status of a key by IAM, not by an inventory.
func fromIAM(x verifier.Fact) bool {
	return x.Name == owner.KeyStatus && strings.HasPrefix(x.Source, "iam:")
}

// askOwner asks IAM of the key's account for its status, which STS does not tell without the
// secret, and reports whether IAM has answered.
func (a again) askOwner(ctx context.Context, f *finding.Finding) (answered bool) {
	v, id := &f.Verdict, f.Match.Credential.ID
	var err error
	if v.Identity.Account == "" {
		v.Identity.Account, err = owner.AccountOf(ctx, a.op, id)
	}
	if v.Identity.Account != "" && len(a.accounts) > 0 && !slices.Contains(a.accounts, v.Identity.Account) {
		keep(f, "account "+v.Identity.Account+" is not among those to verify")
		return false
	}
	var key owner.Key
	if err == nil {
		key, err = owner.Find(ctx, a.op, v.Identity.Account, id)
	}
	if err != nil {
		v.Facts = append(slices.DeleteFunc(v.Facts, fromIAM), key.Fact(err))
		keep(f, "IAM does not tell: "+assessment.Why(err))
		return false
	}
	v.Facts = renewed(f, []verifier.Fact{key.Fact(nil)})
	v.At = time.Now().UTC()
	switch {
	case v.State == verifier.Live && key.Status == owner.Active: // it was, and an id has one secret for good
		v.Reason = ""
	case key.Status == owner.Active && v.State != verifier.IDActive && f.SecretSHA256() != "":
		v.State, v.Reason = verifier.Unknown, "IAM says that the id is Active; whether the secret is its own was not asked"
	default:
		v.State, v.Reason = key.State()
	}
	a.identify(ctx, f, key.User)
	return true
}

// identify notes the user of the key of f, if the user was not known or has a new name.
func (a again) identify(ctx context.Context, f *finding.Finding, user string) {
	who := &f.Verdict.Identity
	if who.Kind != "" && who.Kind != "user" || who.Name == user {
		return
	}
	arn := owner.ARN(ctx, a.op, f.Verdict.Identity.Account, user)
	if arn == "" && who.Name != "" {
		return // a new name and an old ARN would not agree
	}
	who.Kind, who.Name, who.ARN = "user", user, arn
}
