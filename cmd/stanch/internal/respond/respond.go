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
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/planner"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
)

// NewRespond returns the command "stanch respond".
func NewRespond(s *cli.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "respond",
		Short: "Shut leaked keys off: plan, apply, confirm, undo",
		Long: `Shut leaked keys off with your own AWS identity, reversibly. Nothing is changed
without a plan that you have seen: "plan" only reads, "apply" takes the steps of the
plan once you have typed the answer that it asks for, and "undo" takes them back. Every
change is in a journal before it is made. Keys are deactivated, never deleted.`,
		Args: cli.NoCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPlan(s), newApply(s), newConfirm(s), newUndo(s), newLog(s), newPolicy(s))
	return cmd
}

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
	cache    cli.CacheFlags
	typed    advice.Flags // see complete
}

func (f *respondFlags) add(cmd *cobra.Command) {
	f.OperatorFlags.Add(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.accounts, "accounts", nil, "change keys of these AWS accounts only")
	flags.StringVar(&f.breakGlass, "break-glass", "", "file of users and roles that are never touched, names or ARNs, one a line")
	flags.BoolVar(&f.self, "self", false, "let the leaked key switch itself off; nothing of your identity is used")
}

func (f *respondFlags) addJournal(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.journal, "journal", "", "the journal (default: stanch/journal.jsonl in your configuration folder)")
}

// addConsent defines the flags by which a script gives the consent that a person types.
func (f *respondFlags) addConsent(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.yes, "yes", false, "do not ask; needs --plan")
	flags.StringVar(&f.hash, "plan", "", "the hash of the plan that was approved")
	flags.IntVar(&f.maxKeys, "max-keys", 1, "refuse plans with more keys than this")
	flags.StringVar(&f.findings, "findings", "", "report with secrets, to ask STS whether the keys are dead; \"-\" is stdin")
	f.addNotify(cmd)
	f.cache.AddDir(cmd)
}

// addNotify defines the targets that get notices.
func (f *respondFlags) addNotify(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.notify, "notify", nil,
		"tell how it went: securityhub, eventbridge[:BUS], sns:TOPIC-ARN, webhook:URL or webhook:env:VARIABLE; more than once if wanted")
}

// rules returns the operator's limits. The flags must be complete.
func (f *respondFlags) rules() (response.Rules, error) {
	names, err := cli.ReadList(f.breakGlassFrom, f.breakGlass)
	r := response.Rules{Accounts: f.accounts, AccountsFrom: f.accountsFrom, BreakGlass: names, Self: f.self}
	return r, errors.Join(err, r.Check())
}

// identity returns who the operator is and their name for the journal; nobody with
// --self.
func (f *respondFlags) identity(ctx context.Context, version string) (*operator.Operator, string, error) {
	if f.self {
		return nil, "somebody with a leaked key (--self)", nil
	}
	op, err := f.Open(ctx, version)
	if err != nil {
		return nil, "", err
	}
	return op, op.Own().ARN, nil
}

func newPlan(s *cli.Streams) *cobra.Command {
	f := &respondFlags{}
	var force, quarantine bool
	var out cli.OutputFlags
	cmd := &cobra.Command{
		Use:   "plan [REPORT]",
		Short: "Plan how to shut off the live keys of a report",
		Long: `Read a report that was saved with "--format json", from REPORT or from standard
input, and plan how to shut off its live keys. Nothing is changed.

If the report has the secrets (--show-secrets), AWS STS is asked again whether the
keys are live. Without them, the answers in the report count for an hour; "stanch
verify --iam" renews them.`,
		Example: "  stanch git -f json -o scan.jsonl\n  stanch respond plan scan.jsonl --accounts 111122223333 -o plan.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(cmd.Context()); err != nil {
				return err
			}
			rules, err := f.rules()
			if err != nil {
				return err
			}
			if out.Format != "text" && out.Format != "json" {
				return fmt.Errorf("--format %s: text, or json", out.Format)
			}
			if out.File != "" && out.ToStdout() { // the plan itself, and not both
				out.File, out.Format = "", "json"
			}
			if f.self && quarantine {
				return errors.New("--self and --quarantine do not go together: a leaked key does nothing but switch itself off")
			}
			rules.ForceInUse = force
			saved := &finding.Saved{}
			if err := readReport(cmd.Context(), s, cli.Operand(args, "-"), true, saved); err != nil {
				return cli.Unfinished(err)
			}
			leaks := planner.Leaks(saved)
			if hasSecrets(leaks) {
				f.typed.Findings = cli.Operand(args, "-")
			}
			op, _, err := f.identity(cmd.Context(), s.Version)
			if err != nil {
				return err
			}
			p := planner.Planner{Operator: op, Verifier: f.sts(s.Version), Rules: rules, Quarantine: quarantine, Renew: f.typed.Renew(cli.Operand(args, "-"), saved.Header.Source, saved.Header.Target)}
			plan, err := p.Plan(cmd.Context(), leaks)
			if err != nil {
				return err
			}
			err = writePlan(&out, s, f, plan)
			if saved.CutOff() && (err == nil || errors.Is(err, errNotPlanned)) {
				err = fmt.Errorf("%s ends early: the plan lacks the keys of the missing part", cli.Operand(args, "standard input"))
			}
			return cli.UnfinishedIf(err)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&force, "force-in-use", false, "plan for keys that were used in the last day, too")
	cmd.Flags().BoolVar(&quarantine, "quarantine", false, "also attach AWS's quarantine policy to the user")
	cmd.Flags().StringVarP(&out.File, "output", "o", "", "write the plan to this file, for apply; \"-\" is standard output, in place of the text")
	cmd.Flags().StringVarP(&out.Format, "format", "f", "text", "format of stdout: text, or json (the plan)")
	return cmd
}

// hasSecrets reports whether STS can be asked about a live key of leaks.
func hasSecrets(leaks []finding.Finding) bool {
	return slices.ContainsFunc(leaks, func(l finding.Finding) bool {
		return l.Verdict.State == verifier.Live && !l.Match.Credential.Secret.IsZero()
	})
}

// writePlan writes a plan to the file that f names and to stdout.
func writePlan(f *cli.OutputFlags, s *cli.Streams, by *respondFlags, plan response.Plan) (err error) {
	if f.File != "" {
		if err := f.Save(s.Stdout, plan.Encode()); err != nil {
			return err
		}
	}
	if f.Format == "json" {
		_, err = s.Stdout.Write(plan.Encode())
	} else {
		err = advice.WritePlan(s.Stdout, plan, f.File, by.typed)
	}
	if err == nil && len(plan.Refused) > 0 {
		err = errNotPlanned
	}
	return err
}

var (
	errNotPlanned = errors.New("the plan leaves live keys alone")
	errNotDone    = errors.New("see the report")
)

// sts asks STS about leaked keys, each time by a new request, since earlier answers may no
// longer be true.
func (f *respondFlags) sts(version string) verifier.Verifier {
	return protocol.FreshSTS{Version: version, Endpoint: f.Endpoint}
}

func newApply(s *cli.Streams) *cobra.Command {
	f := &respondFlags{}
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Take the steps of a plan",
		Long: `Take the steps of PLAN, each in the journal first, and read them back from AWS. A plan
is good for 15 minutes. The same command continues an apply that was cut off, also
later.`,
		Example: "  stanch respond apply plan.json --accounts 111122223333\n" +
			"  stanch respond apply plan.json --accounts 111122223333 --yes --plan HASH",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*protocol.Run).Apply, "shut off")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	f.addConsent(cmd)
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
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*protocol.Run).Undo, "make work again")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	f.addConsent(cmd)
	return cmd
}

func newConfirm(s *cli.Streams) *cobra.Command {
	f := &respondFlags{maxKeys: 1 << 30, yes: true}
	cmd := &cobra.Command{
		Use:   "confirm PLAN",
		Short: "Look whether the steps of a plan still hold",
		Long: `Read back the steps of PLAN, some minutes or days later: an intruder with the rights can
undo them. With --findings STS is asked about the keys as well. Nothing is changed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*protocol.Run).Confirm, "")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	f.addNotify(cmd)
	cmd.Flags().StringVar(&f.findings, "findings", "", "report with secrets, to ask STS whether the keys are dead; \"-\" is stdin")
	return cmd
}
