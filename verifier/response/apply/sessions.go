package apply

import (
	"context"
	"fmt"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// session opens the session that reads about k: in its account, or the leaked key's own.
func (a *Applier) session(ctx context.Context, k response.Key) (*operator.Session, error) {
	if k.SwitchesItselfOff() {
		s, ok, err := a.Leaked(k)
		if err == nil && !ok {
			err = response.Refuse(response.GateSelf, "--self signs with the leaked key: give a report with its secret (--findings)")
		}
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.KeyID, err)
		}
		return s, nil
	}
	s, err := a.in(ctx, k, k.Account, permissions.Read())
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", k.KeyID, err)
	}
	return s, nil
}

// in opens a session that policy narrows. The Operator keeps it for the next call.
func (a *Applier) in(ctx context.Context, k response.Key, account, policy string) (*operator.Session, error) {
	s, err := a.Operator.In(ctx, account, k.Fingerprint[:min(8, len(k.Fingerprint))], policy)
	if err != nil {
		return nil, response.Refuse(response.GateResponder, "%v", err)
	}
	return s, nil
}

// reader returns the session that reads the object of step, which may be in another account
// than the key.
func (j keyRun) reader(ctx context.Context, step response.Step) (*operator.Session, error) {
	if account := step.Account(j.key); account != j.key.Account {
		return j.in(ctx, j.key, account, permissions.Read())
	}
	return j.session, nil
}

// writer returns the session that may take step, and nothing else.
func (j keyRun) writer(ctx context.Context, step response.Step) (*operator.Session, error) {
	if j.key.SwitchesItselfOff() {
		return j.session, nil
	}
	return j.in(ctx, j.key, step.Account(j.key), permissions.Write(j.key, step))
}

// admitSteps opens the sessions of all steps of k, so that nothing is changed if one cannot
// be opened, and judges the roles that the key has assumed. A role that was deleted since
// the plan holds nothing back.
func (a *Applier) admitSteps(ctx context.Context, s *operator.Session, k response.Key) error {
	j := keyRun{Applier: a, session: s, key: k}
	for _, step := range k.Steps {
		if _, err := j.writer(ctx, step); err != nil {
			return err
		}
		if step.Name == k.Name && step.Kind == k.Kind {
			continue
		}
		r, err := j.reader(ctx, step)
		if err != nil {
			return err
		}
		if err := response.GuardRole(ctx, a.Operator, r, a.Rules, k, step); err != nil && response.Refused(err) != response.GateIdentity {
			return fmt.Errorf("role %s: %w", step.Resource, err)
		}
	}
	return nil
}

// label names step in a sentence about the key.
func (j keyRun) label(step response.Step) string {
	if step.Name == j.key.Name && step.Kind == j.key.Kind {
		return string(step.Do)
	}
	return string(step.Do) + " of " + step.Kind + " " + step.Name
}
