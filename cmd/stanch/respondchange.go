package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/apply"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// change admits a plan, asks for consent unless verb is "", and does what do does.
func (f *respondFlags) change(ctx context.Context, s *cli.Streams, file string,
	admit func(*apply.Applier, context.Context, response.Plan) error,
	do func(*apply.Applier, context.Context, response.Plan) ([]response.Outcome, error), verb string,
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
	if err := f.approved(plan, verb); err != nil {
		return err
	}
	tellers, err := f.tellers()
	if err != nil {
		return err
	}
	secrets, err := f.secrets(ctx, s)
	if err != nil {
		return err
	}
	op, actor, err := f.identity(ctx, s.Version)
	if err != nil {
		return err
	}
	opened, err := f.openJournal(actor)
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }() // each record is durable already
	a := &apply.Applier{Operator: op, Journal: opened, Rules: rules, MaxKeys: f.maxKeys, Recheck: f.recheck(s.Version, secrets), Leaked: f.leaked(s.Version, secrets)}
	a.Sleep = f.sleep()
	a.OnRecord = func(r journal.Record) { tell(s.Stderr, r) }
	if err := admit(a, ctx, plan); err != nil {
		return err
	}
	if verb != "" && !f.yes {
		if err := consent(ctx, s, plan, verb); err != nil {
			return err
		}
	}
	for _, k := range plan.Keys {
		f.cache.Forget(s.Stderr, f.Endpoint, k.KeyID)
	}
	outcomes, err := do(a, ctx, plan)
	// Who is told is told last: no listener keeps a key from being shut off.
	showErr := errors.Join(showOutcomes(s.Stdout, outcomes), f.tellAll(ctx, s.Version, tellers, op, plan, outcomes))
	for _, o := range outcomes {
		if err == nil && o.Result != response.Contained && o.Result != response.Undone {
			err = errNotDone
		}
	}
	if response.Refused(err) != "" {
		return err
	}
	return cli.UnfinishedIf(errors.Join(err, showErr))
}

// sleep returns how to wait for AWS; nil waits. At an endpoint for tests there is nothing
// to wait for, as in config.
func (f *respondFlags) sleep() func(context.Context, time.Duration) {
	if f.Endpoint == "" {
		return nil
	}
	return func(context.Context, time.Duration) {}
}

// approved holds that plan is the one whose hash a script has, if there is a verb for what
// is done to it.
func (f *respondFlags) approved(plan response.Plan, verb string) error {
	if verb != "" && (f.yes || f.hash != "") && f.hash != plan.Hash {
		return &response.RefusedError{Gate: response.GateHash, Why: "--plan has to be the hash of the plan that was approved"}
	}
	for _, k := range plan.Keys {
		if f.yes && verb != "" && k.Kind == "root" {
			return &response.RefusedError{Gate: response.GateRoot, Why: "a key of the root user is never switched off by a script: leave --yes out, and type"}
		}
	}
	return nil
}

// consent has the account and the end of the key id typed for each key.
func consent(ctx context.Context, s *cli.Streams, plan response.Plan, verb string) error {
	typed := bufio.NewReader(cli.Interruptible(ctx, s.Stdin)) // one for all: it reads ahead
	for _, k := range plan.Keys {
		want := k.Account + " " + k.KeyID[max(0, len(k.KeyID)-4):]
		question := fmt.Sprintf("To %s %s of %s in account %s, type the account and the last four characters of the key id:",
			verb, k.KeyID, principal(k), k.Account)
		if err := ask(ctx, typed, s.Stderr, question, want); err != nil {
			return err
		}
	}
	return nil
}

// secrets reads the credentials that STS can be asked with, by key id.
func (f *respondFlags) secrets(ctx context.Context, s *cli.Streams) (map[string]detectors.Credential, error) {
	byID := map[string]detectors.Credential{}
	if f.findings == "" {
		return byID, nil
	}
	if f.findings == "-" && !f.yes {
		return nil, errors.New("--findings -: standard input is where you type; use a file, or --yes")
	}
	leaks, err := readLeaks(ctx, s, f.findings)
	if err != nil && !errors.Is(err, report.ErrTruncated) {
		return nil, cli.Unfinished(err)
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

func (f *respondFlags) recheck(version string, secrets map[string]detectors.Credential) func(context.Context, string) (verifier.Verdict, bool) {
	return func(ctx context.Context, id string) (verifier.Verdict, bool) {
		c, ok := secrets[id]
		if !ok {
			return verifier.Verdict{}, false
		}
		return f.sts(version).Verify(ctx, c), true
	}
}

// leaked opens sessions of the leaked keys themselves, for --self.
func (f *respondFlags) leaked(version string, secrets map[string]detectors.Credential) func(response.Key) (*operator.Session, bool, error) {
	return func(k response.Key) (*operator.Session, bool, error) {
		c, ok := secrets[k.KeyID]
		if !ok || !f.self {
			return nil, false, nil
		}
		s, err := operator.Leaked(f.Config(version), c, k.ARN)
		return s, true, err
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

func (f *respondFlags) openJournal(actor string) (*journal.Journal, error) {
	name, err := f.journalName()
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(name, actor)
	if err != nil {
		return nil, cli.Unfinished(err)
	}
	return j, nil
}
