package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/apply"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/response/planner"
)

// deactivation is what --deactivate asks for: a plan for what a scan has found live,
// applied under the same gates as "stanch respond".
type deactivation struct {
	wanted  bool
	respond respondFlags
	leaks   []response.Leak
	secrets []detectors.Secret // of all that was found: a path may hold one
	cache   cli.CacheFlags
	// quiet is of logs that everybody can read: no account, user or role is named.
	quiet bool
}

func (d *deactivation) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&d.wanted, "deactivate", false, "afterwards plan for the live keys of --accounts, ask, and shut them off (see \"stanch respond\")")
	flags.StringVar(&d.respond.breakGlass, "break-glass", "", "file of users and roles that --deactivate never touches, one a line")
	d.respond.addJournal(cmd)
	d.respond.addNotify(cmd)
	flags.BoolVar(&d.respond.yes, "yes", false, "let --deactivate not ask")
	flags.IntVar(&d.respond.maxKeys, "max-keys", 1, "let --deactivate shut off no more keys than this")
}

// check refuses flags that do not go together, before anything is read. It tells f what
// the scan has to do.
func (d *deactivation) check(f *scanFlags) error {
	if !d.wanted {
		return nil
	}
	if !f.verifies() {
		return errors.New("--deactivate shuts off only what is proved live: it and --no-verify do not go together, and \"stanch ci\" needs --verify")
	}
	f.owner.wanted, f.cache.Refresh = true, true // what was live in an earlier run is no proof
	d.respond.OperatorFlags, d.cache = f.owner.OperatorFlags, f.cache
	d.respond.accounts = f.accounts
	_, err := d.respond.rules()
	if err == nil {
		_, err = d.respond.tellers()
	}
	return err
}

// checkCI refuses what only works where somebody sits.
func (d *deactivation) checkCI() error {
	switch {
	case !d.wanted:
		return nil
	case d.respond.journal == "":
		return errors.New("--deactivate needs --journal in CI: name a file, and keep it and the plan beside it where not everybody can read them, or nothing can be undone")
	case !d.respond.yes:
		return &response.RefusedError{Gate: response.GateConfirm, Why: "nobody types in CI: --yes"}
	}
	return nil
}

// attach makes j tell d what it finds.
func (d *deactivation) attach(j *job) {
	if d.wanted {
		j.wraps = append(j.wraps, func(s scanner.Sink) scanner.Sink { return watcher{s, d} })
	}
}

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
func (d *deactivation) run(ctx context.Context, s *cli.Streams, op *operator.Operator, scanErr error) error {
	if !d.wanted || op == nil || len(d.leaks) == 0 || ctx.Err() != nil {
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
	// The scan has asked STS a moment ago, and each key is asked about once.
	plan, err := (&planner.Planner{Operator: op, Rules: rules}).Plan(ctx, d.leaks)
	if err != nil {
		return d.hide(err)
	}
	file, err := d.savePlan(plan)
	if err != nil {
		return cli.Unfinished(fmt.Errorf("writing the plan, which undo needs: %w", err))
	}
	if err = d.showPlan(s.Stderr, plan, file); err != nil || len(plan.Keys) == 0 {
		return errors.Join(cli.Unfinished(errNotPlanned), err)
	}
	outcomes, err := d.apply(ctx, s, &apply.Applier{Operator: op, Rules: rules, MaxKeys: d.respond.maxKeys}, plan)
	told := d.respond.tellAll(ctx, s.Version, targets, op, plan, outcomes)
	if err = errors.Join(d.hide(err), d.showOutcomes(s.Stderr, outcomes), d.hide(told)); err != nil {
		return cli.UnfinishedIf(err)
	}
	for _, o := range outcomes {
		if o.Result != response.Contained {
			return cli.Unfinished(errNotDone)
		}
	}
	if len(plan.Refused) > 0 {
		return cli.Unfinished(errNotPlanned)
	}
	return scanErr
}

func (d *deactivation) apply(ctx context.Context, s *cli.Streams, a *apply.Applier, plan response.Plan) ([]response.Outcome, error) {
	opened, err := d.respond.openJournal(a.Operator.Own().ARN)
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }() // each record is durable already
	a.Journal, a.Sleep = opened, d.respond.sleep()
	secrets := map[string]detectors.Credential{}
	for _, l := range d.leaks {
		secrets[l.Credential.ID] = l.Credential
	}
	a.Recheck = d.respond.recheck(s.Version, secrets)
	if !d.quiet {
		a.OnRecord = func(r journal.Record) { tell(s.Stderr, r) }
	}
	if err := a.Admit(ctx, plan); err != nil {
		return nil, err
	}
	if !d.respond.yes {
		if err := consent(ctx, s, plan, "shut off"); err != nil {
			return nil, err
		}
	}
	for _, k := range plan.Keys {
		d.cache.Forget(s.Stderr, d.respond.Endpoint, k.KeyID)
	}
	return a.Apply(ctx, plan)
}

// savePlan writes a plan for some keys beside the journal, and returns where: undo and
// confirm need it.
func (d *deactivation) savePlan(plan response.Plan) (name string, err error) {
	if len(plan.Keys) == 0 {
		return "", nil
	}
	journalFile, err := d.respond.journalName()
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(journalFile)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name = filepath.Join(dir, "plan-"+plan.ID+".json")
	return name, os.WriteFile(name, plan.Encode(), 0o600)
}

// showPlan says what will be done, and what will not.
func (d *deactivation) showPlan(stderr io.Writer, plan response.Plan, file string) error {
	if !d.quiet {
		return d.respond.showPlan(stderr, plan, file)
	}
	for _, k := range plan.Keys {
		fmt.Fprintf(stderr, "SHUT OFF  %s\n", printable.Text(k.KeyID))
	}
	for _, r := range plan.Refused {
		fmt.Fprintf(stderr, "LEFT ALONE  %s  %s\n", printable.Text(r.KeyID), r.Gate)
	}
	if file != "" {
		fmt.Fprintf(stderr, "The plan is in %s\n", printable.Text(file))
	}
	return nil
}

func (d *deactivation) showOutcomes(stderr io.Writer, outcomes []response.Outcome) error {
	if !d.quiet {
		return showOutcomes(stderr, outcomes)
	}
	for _, o := range outcomes {
		fmt.Fprintf(stderr, "%s  %s\n", o.Result, printable.Text(o.Key.KeyID))
	}
	return nil
}

// hide returns err without what a log that everybody can read must not name. The journal
// has it.
func (d *deactivation) hide(err error) error {
	gate := response.Refused(err)
	switch {
	case err == nil || !d.quiet || errors.Is(err, context.Canceled):
		return err
	case gate != "":
		return &response.RefusedError{Gate: gate, Why: "why is not said where everybody can read it (--name-accounts)"}
	}
	return cli.Unfinished(errors.New("the keys could not be shut off: why is not said where everybody can read it (--name-accounts)"))
}
