package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/response"
)

func newRespond(s *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "respond",
		Short: "Shut leaked keys off: plan, apply, confirm, undo",
		Long: `Shut leaked keys off with your own AWS identity, reversibly. Nothing is changed
without a plan that you have seen: "plan" reads, "apply" changes what the plan
says, after you have typed what it asks for, and "undo" takes it back. Every change
is in a journal before it is made. Keys are deactivated, never deleted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPlan(s), newApply(s), newConfirm(s), newUndo(s), newLog(s), newPolicy(s))
	return cmd
}

// respondFlags are those of commands that work on an account.
type respondFlags struct {
	operatorFlags
	accounts   []string
	breakGlass string
	journal    string
	findings   string
	yes        bool
	hash       string
	maxKeys    int
	cache      cacheFlags
}

func (f *respondFlags) add(cmd *cobra.Command) {
	f.operatorFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.accounts, "accounts", nil, "change keys of these AWS accounts only (required)")
	_ = cmd.MarkFlagRequired("accounts")
	flags.StringVar(&f.breakGlass, "break-glass", "", "file of users and roles that are never touched, names or ARNs, one a line")
}

func (f *respondFlags) addJournal(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.journal, "journal", "", "the journal (default: stanch/journal.jsonl in your configuration folder)")
}

// addConsent defines the flags by which a script says what a human would type.
func (f *respondFlags) addConsent(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.yes, "yes", false, "do not ask; needs --plan")
	flags.StringVar(&f.hash, "plan", "", "the hash of the plan that was approved")
	flags.IntVar(&f.maxKeys, "max-keys", 1, "refuse plans with more keys than this")
	flags.StringVar(&f.findings, "findings", "", "report with secrets, to ask STS whether the keys are dead; \"-\" is stdin")
	f.cache.addDir(cmd)
}

func (f *respondFlags) rules() (response.Rules, error) {
	names, err := readNames("--break-glass", f.breakGlass)
	r := response.Rules{Accounts: f.accounts, BreakGlass: names}
	return r, errors.Join(err, r.Check())
}

func newPlan(s *streams) *cobra.Command {
	f := &respondFlags{}
	var force, quarantine bool
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "plan [REPORT]",
		Short: "Say what would be done about the live keys of a report",
		Long: `Read a report that was saved with "--format json", from REPORT or from standard
input, and plan how to shut off what is live in it. Nothing is changed.

If the report has the secrets (--show-secrets), AWS STS is asked again whether the
keys are live. If not, what the report says counts for an hour.`,
		Example: "  stanch git -f json -o scan.jsonl\n  stanch respond plan scan.jsonl --accounts 111122223333 -o plan.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := f.rules()
			if err != nil {
				return err
			}
			rules.ForceInUse = force
			leaks, err := readLeaks(cmd.Context(), s, operand(args, "-"))
			if err != nil {
				return unfinished(err)
			}
			op, err := f.open(cmd.Context())
			if err != nil {
				return err
			}
			p := response.Planner{Operator: op, Verifier: f.sts(), Rules: rules, Quarantine: quarantine}
			plan, err := p.Plan(cmd.Context(), leaks)
			if err != nil {
				return err
			}
			if out.file != "" {
				if err := out.save(plan.Encode()); err != nil {
					return err
				}
			}
			if out.format == "json" {
				_, err = s.stdout.Write(plan.Encode())
			} else {
				err = showPlan(s.stdout, plan, out.file)
			}
			if err == nil && len(plan.Refused) > 0 {
				err = errNotPlanned
			}
			return unfinishedIf(err)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&force, "force-in-use", false, "plan for keys that were used in the last day, too")
	cmd.Flags().BoolVar(&quarantine, "quarantine", false, "also attach AWS's quarantine policy to the user")
	cmd.Flags().StringVarP(&out.file, "output", "o", "", "write the plan to this file, for apply")
	cmd.Flags().StringVarP(&out.format, "format", "f", "text", "what stdout gets: text, or json (the plan)")
	return cmd
}

var (
	errNotPlanned = errors.New("the plan leaves live keys alone")
	errNotDone    = errors.New("see the report")
)

func unfinishedIf(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return unfinished(err)
}

func operand(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}

// save writes b to the file that --output names, whole or not at all.
func (f *outputFlags) save(b []byte) error {
	out, err := f.open(nil)
	if err != nil {
		return err
	}
	defer out.discard()
	_, err = out.Write(b)
	if err = errors.Join(err, out.commit()); err != nil {
		return unfinished(err)
	}
	return nil
}

// sts asks STS about leaked keys, each time anew: what it said a moment ago is
// what is to be checked.
func (f *respondFlags) sts() verifier.Verifier { return anew{f.endpoint} }

type anew struct{ endpoint string }

// Verify implements verifier.Verifier.
func (a anew) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	v, err := awsverifier.New(awsverifier.Config{Version: number(), Endpoint: a.endpoint})
	if err != nil {
		return verifier.Verdict{State: verifier.Unknown, Reason: "not asked", Err: err}
	}
	return v.Verify(ctx, c)
}

func newApply(s *streams) *cobra.Command {
	f := &respondFlags{}
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do what a plan says",
		Long: `Do what PLAN says, step by step, each in the journal first, and read back what AWS
makes of it. A plan is good for 15 minutes. An apply that was cut off is continued
by the same command, also later.`,
		Example: "  stanch respond apply plan.json --accounts 111122223333\n" +
			"  stanch respond apply plan.json --accounts 111122223333 --yes --plan HASH",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*response.Applier).Admit, (*response.Applier).Apply, "shut off")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	f.addConsent(cmd)
	return cmd
}

func newUndo(s *streams) *cobra.Command {
	f := &respondFlags{}
	cmd := &cobra.Command{
		Use:   "undo PLAN",
		Short: "Take back what a plan did",
		Long: `Take back, the last first, what the journal says that PLAN did: keys become active
again, and the policies that stanch put are removed. The key is as public as it was:
undo only to repair what broke, and shut it off again soon.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd.Context(), s, args[0], (*response.Applier).AdmitUndo, (*response.Applier).Undo, "make work again")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	f.addConsent(cmd)
	return cmd
}

func newConfirm(s *streams) *cobra.Command {
	f := &respondFlags{maxKeys: 1 << 30, yes: true}
	cmd := &cobra.Command{
		Use:   "confirm PLAN",
		Short: "Look whether what a plan did still holds",
		Long: `Read back what PLAN did, some minutes or days later: who has the rights can undo it.
With --findings STS is asked about the keys as well. Nothing is changed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			admit := func(*response.Applier, context.Context, response.Plan) error { return nil }
			return f.change(cmd.Context(), s, args[0], admit, (*response.Applier).Confirm, "")
		},
	}
	f.add(cmd)
	f.addJournal(cmd)
	cmd.Flags().StringVar(&f.findings, "findings", "", "report with secrets, to ask STS whether the keys are dead; \"-\" is stdin")
	return cmd
}

// change admits a plan, asks for consent unless verb is "", and does what do does.
func (f *respondFlags) change(ctx context.Context, s *streams, file string,
	admit func(*response.Applier, context.Context, response.Plan) error,
	do func(*response.Applier, context.Context, response.Plan) ([]response.Outcome, error), verb string,
) error {
	rules, err := f.rules()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	plan, err := response.ParsePlan(b)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if verb != "" && f.yes && f.hash != plan.Hash {
		return errors.New("--yes: --plan has to be the hash of the plan that was approved")
	}
	secrets, err := f.secrets(ctx, s)
	if err != nil {
		return err
	}
	op, err := f.open(ctx)
	if err != nil {
		return err
	}
	journal, err := f.openJournal(op.Own().ARN)
	if err != nil {
		return err
	}
	defer func() { _ = journal.Close() }() // each record is durable already
	a := &response.Applier{Operator: op, Journal: journal, Rules: rules, MaxKeys: f.maxKeys, Recheck: f.recheck(secrets)}
	a.Tell = func(r response.Record) { tell(s.stderr, r) }
	if err := admit(a, ctx, plan); err != nil {
		return err
	}
	if verb != "" && !f.yes {
		if err := consent(ctx, s, plan, verb); err != nil {
			return err
		}
	}
	for _, k := range plan.Keys {
		f.cache.forget(s.stderr, f.endpoint, k.KeyID)
	}
	outcomes, err := do(a, ctx, plan)
	showErr := showOutcomes(s.stdout, outcomes)
	for _, o := range outcomes {
		if err == nil && o.Result != response.Contained && o.Result != response.Undone {
			err = errNotDone
		}
	}
	if response.Refused(err) != "" {
		return err
	}
	return unfinishedIf(errors.Join(err, showErr))
}

// consent has the account and the end of the key id typed for each key.
func consent(ctx context.Context, s *streams, plan response.Plan, verb string) error {
	for _, k := range plan.Keys {
		want := k.Account + " " + k.KeyID[max(0, len(k.KeyID)-4):]
		question := fmt.Sprintf("To %s %s of %s %s in account %s, type the account and the last four characters of the key id:",
			verb, k.KeyID, k.Kind, printable(k.Name), k.Account)
		if err := ask(ctx, s, question, want); err != nil {
			return err
		}
	}
	return nil
}

// secrets reads the credentials that STS can be asked with, by key id.
func (f *respondFlags) secrets(ctx context.Context, s *streams) (map[string]detectors.Credential, error) {
	byID := map[string]detectors.Credential{}
	if f.findings == "" {
		return byID, nil
	}
	if f.findings == "-" && !f.yes {
		return nil, errors.New("--findings -: standard input is where you type; use a file, or --yes")
	}
	leaks, err := readLeaks(ctx, s, f.findings)
	if err != nil {
		return nil, unfinished(err)
	}
	for _, l := range leaks {
		if !l.Credential.Secret.IsZero() && l.Verdict.State == verifier.Live {
			byID[l.Credential.ID] = l.Credential
		}
	}
	if len(byID) == 0 {
		return nil, fmt.Errorf("--findings %s: it holds no live key with its secret: save the report with --show-secrets", f.findings)
	}
	return byID, nil
}

func (f *respondFlags) recheck(secrets map[string]detectors.Credential) func(context.Context, string) (verifier.Verdict, bool) {
	return func(ctx context.Context, id string) (verifier.Verdict, bool) {
		c, ok := secrets[id]
		if !ok {
			return verifier.Verdict{}, false
		}
		return f.sts().Verify(ctx, c), true
	}
}

func (f *respondFlags) journalName() (string, error) {
	if f.journal != "" {
		return f.journal, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("where the journal is: %w (use --journal)", err)
	}
	return filepath.Join(dir, "stanch", "journal.jsonl"), nil
}

func (f *respondFlags) openJournal(actor string) (*response.Journal, error) {
	name, err := f.journalName()
	if err != nil {
		return nil, err
	}
	j, err := response.OpenJournal(name, actor)
	if err != nil {
		return nil, unfinished(err)
	}
	return j, nil
}
