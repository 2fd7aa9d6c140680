package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/verifier/response"
)

// deactivation is what --deactivate asks for: a plan for what a scan has found live,
// applied under the same gates as "stanch respond".
type deactivation struct {
	wanted  bool
	respond respondFlags
	leaks   []response.Leak
	secrets []detectors.Secret // of all that was found: a path may hold one
}

func (d *deactivation) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&d.wanted, "deactivate", false, "afterwards plan for the live keys of --accounts, ask, and shut them off (see \"stanch respond\")")
	d.respond.operatorFlags.add(cmd)
	flags.StringVar(&d.respond.breakGlass, "break-glass", "", "file of users and roles that --deactivate never touches, one a line")
	d.respond.addJournal(cmd)
	d.respond.addNotify(cmd)
	flags.BoolVar(&d.respond.yes, "yes", false, "let --deactivate not ask")
	flags.IntVar(&d.respond.maxKeys, "max-keys", 1, "let --deactivate shut off no more keys than this")
}

// check refuses flags that do not go together, before anything is read.
func (d *deactivation) check(f *scanFlags) error {
	if !d.wanted {
		return nil
	}
	if f.noVerify {
		return errors.New("--deactivate and --no-verify do not go together: only what is proved live is shut off")
	}
	d.respond.accounts = f.accounts
	_, err := d.respond.rules()
	if err == nil {
		_, err = d.respond.tellers()
	}
	return err
}

// watch returns sink, and remembers what it is told that is to be shut off.
func (d *deactivation) watch(sink scanner.Sink) scanner.Sink { return watcher{sink, d} }

type watcher struct {
	scanner.Sink
	d *deactivation
}

// Finding implements scanner.Sink.
func (w watcher) Finding(f *scanner.Finding) error {
	w.d.secrets = append(w.d.secrets, f.Match.Credential.Secret, f.Match.Credential.Token)
	if f.Ignored == "" && f.Verdict.State == "live" {
		leak := response.Leak{Fingerprint: f.Fingerprint(), Rule: f.Match.Rule.ID, Credential: f.Match.Credential, Verdict: f.Verdict}
		for _, l := range f.Locations {
			leak.Places = append(leak.Places, response.Place{
				Path: l.Path, Line: l.Line, Commit: l.Commit, Time: l.Time, AtHead: l.AtHead, Refs: slices.Clone(l.Refs),
			})
		}
		w.d.leaks = append(w.d.leaks, leak)
	}
	return w.Sink.Finding(f)
}

// run shuts off what was found, after a scan that ended with scanErr. What goes to
// people goes to stderr: stdout is the report's.
func (d *deactivation) run(ctx context.Context, s *streams, scanErr error) error {
	if !d.wanted || len(d.leaks) == 0 || ctx.Err() != nil {
		return scanErr
	}
	rules, err := d.respond.rules()
	if err != nil {
		return err
	}
	targets, err := d.respond.tellers()
	if err != nil {
		return err
	}
	for i := range d.leaks {
		scrub(&d.leaks[i], d.secrets)
	}
	op, err := d.respond.open(ctx)
	if err != nil {
		return err
	}
	// The scan has asked STS a moment ago, and each key is asked about once.
	plan, err := (&response.Planner{Operator: op, Rules: rules}).Plan(ctx, d.leaks)
	if err != nil {
		return err
	}
	if err := showPlan(s.stderr, plan, ""); err != nil || len(plan.Keys) == 0 {
		return errors.Join(unfinished(errNotPlanned), err)
	}
	outcomes, err := d.apply(ctx, s, op.Own().ARN, &response.Applier{Operator: op, Rules: rules, MaxKeys: d.respond.maxKeys}, plan)
	if err = errors.Join(err, showOutcomes(s.stderr, outcomes), d.respond.tellAll(ctx, targets, op, plan, outcomes)); err != nil {
		return unfinishedIf(err)
	}
	for _, o := range outcomes {
		if o.Result != response.Contained {
			return unfinished(errNotDone)
		}
	}
	if len(plan.Refused) > 0 {
		return unfinished(errNotPlanned)
	}
	return scanErr
}

func (d *deactivation) apply(ctx context.Context, s *streams, actor string, a *response.Applier, plan response.Plan) ([]response.Outcome, error) {
	journal, err := d.respond.openJournal(actor)
	if err != nil {
		return nil, err
	}
	defer func() { _ = journal.Close() }() // each record is durable already
	a.Journal = journal
	a.Tell = func(r response.Record) { tell(s.stderr, r) }
	if err := a.Admit(ctx, plan); err != nil {
		return nil, err
	}
	if !d.respond.yes {
		if err := consent(ctx, s, plan, "shut off"); err != nil {
			return nil, err
		}
	}
	return a.Apply(ctx, plan)
}
