package respond

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/apply"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/response/planner"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
)

// change reads a plan from a file and lets do work on it. verb names the work in the
// question for consent: "shut off". With "" nobody is asked, since nothing is changed.
func (f *respondFlags) change(ctx context.Context, s *cli.Streams, file string,
	do func(*protocol.Run, context.Context, response.Plan) ([]response.Outcome, error), verb string,
) error {
	if err := f.complete(ctx); err != nil {
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
	rules, err := f.rules(accountsOf(plan)...)
	if err != nil {
		return err
	}
	if verb != "" {
		if err := protocol.Approve(plan, f.hash, f.yes); err != nil {
			return err
		}
	}
	targets, err := f.targets()
	if err != nil {
		return err
	}
	secrets, err := f.secrets(ctx, s)
	if err != nil {
		return err
	}
	op, actor, err := f.identity(ctx, s)
	if err != nil {
		return err
	}
	r, err := f.newRun(s, op, actor, rules, secrets)
	if err != nil {
		return err
	}
	if verb != "" && !f.yes {
		r.Consent = protocol.Ask(cli.Interruptible(ctx, s.Stdin), page(s.Stderr), verb, "--yes --plan HASH")
	}
	var outcomes []response.Outcome
	err = s.Line.During((&cli.Asking{}).Text, func() error {
		outcomes, err = do(r, ctx, plan)
		return err
	})
	if response.Refused(err) == response.GateNotApplied {
		err = fmt.Errorf("%w; if another plan was written over this file: stanch keeps each plan that it applies as %s", err, filepath.Join(filepath.Dir(r.JournalFile), "plan-*.json"))
	}
	// Notices come last: no listener keeps a key from being shut off.
	p := page(s.Stdout)
	p.Again = verb == "" // confirm
	shown := errors.Join(p.WriteOutcomes(outcomes, file, plan, f.typed), f.notifyAll(ctx, s, targets, op, plan, outcomes))
	var begun *protocol.UnfinishedError
	switch {
	case err != nil && !errors.As(err, &begun):
		return err
	case err == nil && !allDone(outcomes):
		err = errNotDone
	}
	return cli.UnfinishedIf(errors.Join(err, shown))
}

// page returns a page on w, which may be a terminal.
func page(w io.Writer) *advice.Page { return &advice.Page{W: w, Width: cli.Width(w)} }

// accountsOf returns the accounts of the keys in a plan.
func accountsOf(plan response.Plan) (accounts []string) {
	for _, k := range plan.Keys {
		accounts = append(accounts, k.Account)
	}
	return accounts
}

// allDone reports whether nothing is left to do for any key.
func allDone(outcomes []response.Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o response.Outcome) bool {
		return o.Result != response.Contained && o.Result != response.Undone
	})
}

// newRun returns a run that asks nobody for consent.
func (f *respondFlags) newRun(s *cli.Streams, op *operator.Operator, actor string, rules response.Rules, secrets protocol.Credentials) (*protocol.Run, error) {
	name, err := f.journalName()
	if err != nil {
		return nil, err
	}
	leaked := f.Config(s)
	leaked.LeakedProxy = f.leakedProxy
	r := &protocol.Run{
		JournalFile: name, Actor: actor,
		Forget: func(id string) { f.cache.Forget(s.Stderr, f.Endpoint, id) },
		Applier: apply.Applier{
			Operator: op, Rules: rules, MaxKeys: f.maxKeys, Activity: f.trail(),
			Recheck:  secrets.Recheck(f.sts(s.Version)),
			Leaked:   protocol.Credentials(nil).Leaked(leaked),
			OnRecord: func(r journal.Record) { advice.WriteRecord(s.Stderr, r) },
		},
	}
	if f.self {
		r.Applier.Leaked = secrets.Leaked(leaked)
	}
	if f.Endpoint != "" { // a test server has nothing to wait for
		r.Applier.Sleep = func(context.Context, time.Duration) {}
	}
	return r, nil
}

// trail returns a reader of CloudTrail for the keys of one run.
func (f *respondFlags) trail() *activity.Reader {
	r := &activity.Reader{}
	if f.Endpoint != "" { // a test server has no rate to keep
		r.Pace = -1
	}
	return r
}

// secrets reads the credentials that STS can be asked with, by key id.
func (f *respondFlags) secrets(ctx context.Context, s *cli.Streams) (protocol.Credentials, error) {
	byID := protocol.Credentials{}
	if f.findings == "" {
		return byID, nil
	}
	if f.findings == "-" && !f.yes {
		return nil, errors.New("--findings -: standard input is where you type; use a file, or --yes")
	}
	saved := &finding.Saved{}
	if err := readReport(ctx, s, f.findings, true, saved); err != nil {
		return nil, cli.Failed(err)
	}
	for _, l := range planner.Leaks(saved) {
		if !l.Match.Credential.Secret.IsZero() && l.Verdict.State == verifier.Live {
			byID[l.Match.Credential.ID] = l.Match.Credential
		}
	}
	if len(byID) == 0 {
		return nil, fmt.Errorf("--findings %s: it holds no live key with its secret: save the report with --show-secrets", f.findings)
	}
	return byID, nil
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
