package respond

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/planner"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
)

// A Deactivation is the part of a scan that --deactivate asks for: a plan for the keys that
// the scan finds live, applied under the same gates as "stanch respond apply".
type Deactivation struct {
	// Quiet keeps accounts, users and roles out of the log: anybody can read it.
	Quiet bool

	wanted  bool
	respond respondFlags
	leaks   []finding.Finding
	lone    []string           // ids that work, whose secret was not found
	secrets []detectors.Secret // of all findings: a path may hold one
}

// Add adds the flags to a command.
func (d *Deactivation) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&d.wanted, "deactivate", false, "after the scan, plan for the live keys of --accounts, ask, and shut them off (\"stanch respond\")")
	flags.StringVar(&d.respond.breakGlass, "break-glass", "", "never touch the users and roles in `FILE`, names or ARNs, one a line")
	d.respond.addJournal(cmd)
	d.respond.addNotify(cmd)
	flags.BoolVar(&d.respond.yes, "yes", false, "with --deactivate, do not ask for confirmation")
	flags.IntVar(&d.respond.maxKeys, "max-keys", 1, "with --deactivate, shut off at most `N` keys")
	cli.Needs(cmd, []string{"break-glass", "journal", "notify", "yes", "max-keys"}, "deactivate")
}

// Wanted reports whether --deactivate is given.
func (d *Deactivation) Wanted() bool { return d.wanted }

// Check refuses flags that do not go together, before anything is read. verifies reports
// whether the scan asks STS, with the flags sts. It makes the scan sign in as the operator, and
// ask STS again about keys that were live in an earlier run.
func (d *Deactivation) Check(ctx context.Context, verifies bool, own *OwnerFlags, sts *cli.STSFlags) error {
	if !d.wanted {
		return nil
	}
	if !verifies {
		return errors.New("--deactivate shuts off only keys that are proved live: it and --no-verify do not go together, and \"stanch ci\" needs --verify")
	}
	own.deactivates, sts.Cache.Refresh = true, true
	d.respond.OperatorFlags, d.respond.cache, d.respond.proxy = own.OperatorFlags, sts.Cache, sts.Proxy
	d.respond.accounts = sts.Accounts
	err := d.respond.complete(ctx)
	if err == nil {
		_, err = d.respond.rules()
	}
	if err == nil {
		_, err = d.respond.targets()
	}
	return err
}

// CheckCI refuses flags that only work where a person types.
func (d *Deactivation) CheckCI() error {
	switch {
	case !d.wanted:
		return nil
	case d.respond.journal == "":
		return errors.New("--deactivate needs --journal in CI: name a file, and keep it and the plan beside it where not everybody can read them, or nothing can be undone")
	case !d.respond.yes:
		return &response.RefusedError{Gate: response.GateConfirm, Why: "nobody can type in CI: add --yes"}
	}
	return nil
}

// Watch returns a sink that passes findings to s, and keeps those to shut off; s itself
// without --deactivate.
func (d *Deactivation) Watch(s scanner.Sink) scanner.Sink {
	if !d.wanted {
		return s
	}
	return watcher{s, d}
}

type watcher struct {
	scanner.Sink
	d *Deactivation
}

// Finding implements scanner.Sink.
func (w watcher) Finding(f *finding.Finding) error {
	w.d.secrets = append(w.d.secrets, f.Secrets()...)
	if f.Ignored == "" && f.Verdict.State == "live" {
		leak := *f // the sink must not retain f
		leak.Locations = slices.Clone(f.Locations)
		for i := range leak.Locations {
			l := &leak.Locations[i]
			l.Refs = slices.Clone(l.Refs)
		}
		w.d.leaks = append(w.d.leaks, leak)
	}
	if f.Ignored == "" && f.Verdict.State == verifier.IDActive {
		w.d.lone = append(w.d.lone, f.Match.Credential.ID)
	}
	return w.Sink.Finding(f)
}

// Run shuts off the keys that a scan found live; scanErr is how the scan ended. It writes to
// stderr: stdout is the report's. If the keys are not shut off, that is the error, and not
// that there were leaks; but an incomplete scan stays one.
func (d *Deactivation) Run(ctx context.Context, s *cli.Streams, op *operator.Operator, scanErr error) error {
	if !d.wanted || op == nil || ctx.Err() != nil {
		return scanErr
	}
	s = s.Loud() // it asks, and what it changes is no note
	d.showLone(s.Stderr)
	if len(d.leaks) == 0 {
		return scanErr
	}
	// The scan has asked STS a moment ago, and each key is asked about once.
	err := d.shutOff(ctx, s, s.Stderr, &planner.Planner{Operator: op, Commands: d.respond.typed.Commands("", "")})
	switch {
	case err == nil:
		return scanErr
	case errors.Is(scanErr, cli.ErrIncomplete):
		return errors.Join(scanErr, err)
	}
	return err
}

// shutOff makes a plan by p, whose rules it sets, and applies it. It writes both to out.
func (d *Deactivation) shutOff(ctx context.Context, s *cli.Streams, out io.Writer, p *planner.Planner) error {
	rules, err := d.respond.rules()
	if err != nil {
		return err
	}
	rules.ForceInUse = p.Rules.ForceInUse
	targets, err := d.respond.targets()
	if err != nil {
		return err
	}
	planner.Scrub(d.leaks, d.secrets)
	p.Rules, p.Activity = rules, d.respond.trail()
	plan, err := planShown(ctx, s, p, d.leaks)
	if err != nil {
		return d.hide(err)
	}
	if len(plan.Keys) == 0 {
		return errors.Join(cli.UnfinishedIf(notPlanned(plan)), d.showPlan(out, plan, ""))
	}
	r, err := d.newRun(ctx, s, p.Operator, rules)
	var file string
	if err == nil {
		file, err = protocol.SavePlan(plan, r.JournalFile)
	}
	if err != nil {
		return cli.Unfinished(fmt.Errorf("writing the plan, which undo needs: %w", err))
	}
	if err = d.showPlan(out, plan, file); err != nil {
		return errors.Join(cli.Unfinished(errNotApplied), err)
	}
	var outcomes []response.Outcome
	err = s.Line.During((&cli.Asking{}).Text, func() error {
		outcomes, err = r.Apply(ctx, plan)
		return err
	})
	notified := d.respond.notifyAll(ctx, s, targets, p.Operator, plan, outcomes)
	if err = errors.Join(d.hide(err), d.showOutcomes(out, outcomes, file, plan), d.hide(notified)); err != nil {
		return cli.UnfinishedIf(err)
	}
	if !allDone(outcomes) {
		return cli.Unfinished(errNotDone)
	}
	return cli.UnfinishedIf(notPlanned(plan))
}

func (d *Deactivation) newRun(ctx context.Context, s *cli.Streams, op *operator.Operator, rules response.Rules) (*protocol.Run, error) {
	secrets := protocol.Credentials{}
	for _, l := range d.leaks {
		if !l.Match.Credential.Secret.IsZero() {
			secrets[l.Match.Credential.ID] = l.Match.Credential
		}
	}
	r, err := d.respond.newRun(s, op, op.Own().ARN, rules, secrets)
	if err != nil {
		return nil, err
	}
	if d.Quiet {
		r.Applier.OnRecord = nil
	}
	if !d.respond.yes {
		r.Consent = protocol.Ask(cli.Interruptible(ctx, s.Stdin), page(s.Stderr), "shut off", "--yes")
	}
	return r, nil
}

// showLone names the ids that work and get no plan: nothing proves that their secret leaked.
func (d *Deactivation) showLone(stderr io.Writer) {
	for _, id := range d.lone {
		do := ""
		if !d.Quiet {
			do = ". If you know that it leaked:\n  " + d.respond.typed.Plan(id)
		}
		fmt.Fprintln(stderr, printable.Text("LEFT ALONE  "+id+"  its secret was not found"+do))
	}
}

// showPlan writes which keys will be shut off, and which will not.
func (d *Deactivation) showPlan(out io.Writer, plan response.Plan, file string) error {
	if !d.Quiet {
		return page(out).ShowPlan(plan, file)
	}
	for _, k := range plan.Keys {
		fmt.Fprintf(out, "SHUT OFF  %s\n", printable.Text(k.KeyID))
	}
	for _, r := range plan.Refused {
		fmt.Fprintf(out, "LEFT ALONE  %s  %s\n", printable.Text(r.KeyID), r.Gate)
	}
	if file != "" {
		fmt.Fprintf(out, "The plan is in %s\n", printable.Text(file))
	}
	return nil
}

func (d *Deactivation) showOutcomes(out io.Writer, outcomes []response.Outcome, file string, plan response.Plan) error {
	if !d.Quiet {
		return page(out).WriteOutcomes(outcomes, file, plan, d.respond.typed)
	}
	for _, o := range outcomes {
		fmt.Fprintf(out, "%s  %s\n", o.Result, printable.Text(o.Key.KeyID))
	}
	return nil
}

// hide returns err without the names that must not be in a public log. They are in the
// journal.
func (d *Deactivation) hide(err error) error {
	gate := response.Refused(err)
	switch {
	case err == nil || !d.Quiet || errors.Is(err, context.Canceled):
		return err
	case gate != "":
		return &response.RefusedError{Gate: gate, Why: "the reason is not printed where everybody can read it (--name-accounts prints it)"}
	}
	return cli.Unfinished(errors.New("the keys could not be shut off: the reason is not printed where everybody can read it (--name-accounts prints it)"))
}
