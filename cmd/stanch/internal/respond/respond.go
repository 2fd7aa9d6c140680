// Package respond holds the commands that act on leaked keys: assess, verify, respond and
// inventory, and the flags --assess and --deactivate of scans. Each command turns flags into
// options and calls a library below verifier.
package respond

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/notify"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
)

// respondFlags are the flags of commands that work on an account.
type respondFlags struct {
	cli.OperatorFlags
	accounts   []string
	breakGlass string
	// Where these two are from, for errors. accountsFrom is "" for --accounts.
	accountsFrom, breakGlassFrom string

	journal  string
	findings string
	yes      bool
	hash     string
	maxKeys  int
	self     bool
	notify   []string
	proxy    cli.ProxyFlag
	cache    cli.CacheFlags
	typed    advice.Flags // see complete

	leakedProxy detectors.Secret // of proxy, see complete
}

func (f *respondFlags) add(cmd *cobra.Command) {
	f.addLimits(cmd)
	cmd.Flags().BoolVar(&f.self, "self", false, "let the leaked key switch itself off; nothing of your identity is used")
}

// addLimits defines the flags of a command that has no --self.
func (f *respondFlags) addLimits(cmd *cobra.Command) {
	f.OperatorFlags.Add(cmd)
	f.proxy.Add(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.accounts, "accounts", nil, "act only on keys of these AWS `ACCOUNTS`")
	flags.StringVar(&f.breakGlass, "break-glass", "", "never touch the users and roles in `FILE`, names or ARNs, one a line")
}

func (f *respondFlags) addJournal(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.journal, "journal", "", "use the journal in `FILE` (default: stanch/journal.jsonl in your configuration folder)")
}

// addConsent defines the flags by which a script gives the consent that a person types.
func (f *respondFlags) addConsent(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.yes, "yes", false, "do not ask; needs --plan")
	flags.StringVar(&f.hash, "plan", "", "the `HASH` of the plan that was approved")
	flags.IntVar(&f.maxKeys, "max-keys", 1, "refuse plans with more than `N` keys")
	f.addNotify(cmd)
	f.cache.AddDir(cmd)
}

// addFindings defines the report whose secrets prove that keys are dead.
func (f *respondFlags) addFindings(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.findings, "findings", "", "ask STS whether keys are dead, with the secrets in the report `FILE`; \"-\" is standard input")
}

// addNotify defines the targets that get notices.
func (f *respondFlags) addNotify(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.notify, "notify", nil,
		"send the result to `TARGET`: "+notify.Targets)
}

// rules returns the operator's limits for work on keys of some accounts, if they are known
// yet. The flags must be complete.
func (f *respondFlags) rules(accounts ...string) (response.Rules, error) {
	names, err := cli.ReadList(f.breakGlassFrom, f.breakGlass)
	r := response.Rules{Accounts: f.accounts, AccountsFrom: f.accountsFrom, BreakGlass: names, Self: f.self}
	return r, errors.Join(err, r.CheckFor(accounts))
}

// identity returns who the operator is and their name for the journal; nobody with
// --self.
func (f *respondFlags) identity(ctx context.Context, s *cli.Streams) (*operator.Operator, string, error) {
	if f.self {
		return nil, "somebody with a leaked key (--self)", nil
	}
	op, err := f.Open(ctx, s)
	if err != nil {
		return nil, "", err
	}
	return op, op.Own().ARN, nil
}

// startsFrom keeps what a plan for leaks starts from, for the next command.
func (f *respondFlags) startsFrom(st start, leaks []finding.Finding) {
	f.typed.Start, f.typed.Sweep = st.operand, st.sweep
	if hasSecrets(leaks) {
		f.typed.Findings = st.operand
	}
}

// hasSecrets reports whether STS can be asked about a live key of leaks.
func hasSecrets(leaks []finding.Finding) bool {
	return slices.ContainsFunc(leaks, func(l finding.Finding) bool {
		return l.Verdict.State == verifier.Live && !l.Match.Credential.Secret.IsZero()
	})
}

var (
	errNotApplied = errors.New("the plan was not applied")
	errNotDone    = errors.New("see the report")
)

// A notPlannedError says that a plan leaves keys alone for which something is still to do.
type notPlannedError string

// Error implements error.
func (e notPlannedError) Error() string { return string(e) }

// notPlanned returns a notPlannedError, or nil if plan leaves nothing to do. Not all of the keys
// that it leaves alone are known to be live: nobody may know an id, since it was made up.
func notPlanned(plan response.Plan) error {
	left, examples := 0, ""
	for _, r := range plan.Refused {
		if r.Gate == response.GateContained {
			continue
		}
		left++
		nobodys := r.Gate == response.GateIdentity || r.Gate == response.GateAccount
		if !nobodys || !operator.IsAccessKeyID(r.KeyID) {
			continue
		}
		if why := awskeys.Placeholder(detectors.Credential{ID: r.KeyID}); why != "" {
			examples += fmt.Sprintf("; %s looks made up (%s)", r.KeyID, why)
		}
	}
	switch left {
	case 0:
		return nil
	case 1:
		return notPlannedError("the plan leaves 1 key alone" + examples)
	}
	return notPlannedError(fmt.Sprintf("the plan leaves %d keys alone%s", left, examples))
}

// sts asks STS about leaked keys, each time by a new request, since earlier answers may no
// longer be true.
func (f *respondFlags) sts(version string) verifier.Verifier {
	return protocol.FreshSTS{Version: version, Endpoint: f.Endpoint, Proxy: f.leakedProxy}
}

func newApply(s *cli.Streams) *cobra.Command {
	f := &respondFlags{}
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Take the steps of a plan",
		Long: `Take the steps of PLAN, each in the journal first, and read them back from AWS. A plan
is good for 15 minutes. The same command continues an apply that was cut off, also
later.`,
		Example: `  stanch respond apply plan.json --accounts 111122223333                    # asks you
  stanch respond apply plan.json --accounts 111122223333 --yes --plan HASH  # in a script`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*protocol.Run).Apply, "shut off")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	f.addConsent(cmd)
	f.addFindings(cmd)
	return cmd
}

func newUndo(s *cli.Streams) *cobra.Command {
	f := &respondFlags{}
	cmd := &cobra.Command{
		Use:   "undo PLAN",
		Short: "Take back the steps of a plan",
		Long: `Take back the steps of PLAN that are in the journal, the last first: keys become active
again, and the policies that stanch put are removed. The key is as public as it was:
undo only to repair a service that broke, and shut the key off again soon.`,
		Example: "  stanch respond undo plan.json --accounts 111122223333",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*protocol.Run).Undo, "reactivate")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	f.addConsent(cmd)
	// A key that is off cannot switch itself on, and nothing is signed with it: the refusal of
	// --self says why, and --sts-proxy stands in commands that were printed.
	_ = cmd.Flags().MarkHidden("self")
	_ = cmd.Flags().MarkHidden("sts-proxy")
	return cmd
}

func newConfirm(s *cli.Streams) *cobra.Command {
	f := &respondFlags{maxKeys: 1 << 30, yes: true}
	cmd := &cobra.Command{
		Use:   "confirm PLAN",
		Short: "Look whether the steps of a plan still hold",
		Long: `Read back the steps of PLAN, some minutes or days later: an intruder with the rights can
undo them. With --findings STS is asked about the keys as well. Nothing is changed.`,
		Example: "  stanch respond confirm plan.json --accounts 111122223333",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*protocol.Run).Confirm, "")
		},
	}
	f.add(cmd)
	cmd.Flags().Lookup("self").Usage = "confirm a plan that was made with --self; nothing of your identity is used"
	f.addJournal(cmd)
	f.addNotify(cmd)
	f.addFindings(cmd)
	return cmd
}
