package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// AdmitUndo judges whether plan may be taken back.
func (a *Applier) AdmitUndo(ctx context.Context, plan response.Plan) error {
	if err := a.Rules.Check(); err != nil {
		return err
	}
	if err := plan.Check(); err != nil {
		return err
	}
	for _, k := range plan.Keys {
		if k.SwitchesItselfOff() {
			return response.Refuse(response.GateManual, "a key that is off cannot switch itself on: somebody with permissions in account %s can", k.Account)
		}
	}
	if len(plan.Keys) > a.MaxKeys {
		return response.Refuse(response.GateMany, "the plan has %d keys, and --max-keys allows %d", len(plan.Keys), a.MaxKeys)
	}
	if len(a.undoable(plan)) == 0 {
		return response.Refuse(response.GateNotApplied, "the journal has no step of this plan that is left to undo")
	}
	for _, k := range plan.Keys {
		if err := a.Rules.Allow(k.Account, k.Name, k.ARN); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
		s, err := a.session(ctx, k)
		if err != nil {
			return err
		}
		if err := a.admitUndoOfSteps(ctx, s, k); err != nil {
			return err
		}
	}
	return nil
}

// admitUndoOfSteps opens the sessions that take the steps of k back, so that nothing is
// changed if one cannot be opened.
func (a *Applier) admitUndoOfSteps(ctx context.Context, s *operator.Session, k response.Key) error {
	j := keyRun{Applier: a, session: s, key: k}
	for _, step := range k.Steps {
		arn := k.ARN
		if step.Resource != "" {
			arn = step.Resource
		}
		if err := a.Rules.Allow(step.Account(k), step.Name, arn); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
		if _, err := j.writer(ctx, step); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
	}
	return nil
}

// undoable returns the steps that the plan has taken, or may have taken, without those that
// were taken back. The last step comes first.
func (a *Applier) undoable(plan response.Plan) (steps []response.Step) {
	h := a.Journal.History(plan.Hash)
	for _, k := range plan.Keys {
		for _, s := range k.Steps {
			if t := h.Step(s); t.Ours() && !t.Skipped && !t.Undone {
				steps = append(steps, s)
			}
		}
	}
	slices.Reverse(steps)
	return steps
}

// Undo takes back the steps that plan has taken according to the journal, or may have taken
// when it was cut off, the last one first. It leaves a state that was there before the
// plan. Call AdmitUndo first. It returns an error of the journal or of ctx.
func (a *Applier) Undo(ctx context.Context, plan response.Plan) ([]response.Outcome, error) {
	left := a.undoable(plan)
	var outcomes []response.Outcome
	for _, k := range plan.Keys {
		s, err := a.session(ctx, k)
		if err != nil {
			return outcomes, err
		}
		j := keyRun{a, plan.Hash, s, k}
		o := response.Outcome{Key: k, Result: response.Undone}
		for _, step := range left {
			if !slices.Contains(k.Steps, step) {
				continue
			}
			changed, why, err := j.takeBack(ctx, step)
			switch {
			case err != nil:
				return outcomes, err
			case why != "":
				o.Result, o.Why = response.NotUndone, append(o.Why, why)
			case changed:
				o.Undid = append(o.Undid, step.Do)
			}
		}
		o.Status = j.status(ctx)
		if slices.ContainsFunc(o.Undid, restores) {
			o.Status = response.Active // IAM may not say so everywhere yet
		}
		if err := j.record(journal.Record{Event: journal.EventEnd, Result: string(o.Result)}); err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// restores reports whether to take a step of this kind back makes a key work again.
func restores(a response.Action) bool {
	return a == response.Deactivate || a == response.DisableServiceCredential
}

// status reads the status of the key; it is "" if the key has none, or if that cannot be
// read.
func (j keyRun) status(ctx context.Context) string {
	for _, step := range j.key.Steps {
		switch {
		case step.Do == response.DeactivateSelf: // to ask STS is a use of the key
			if ended := j.Journal.History(j.plan).Step(step).Ended; ended != nil {
				return ended.After
			}
		case shutsOff(step):
			is, _, _ := j.state(ctx, step) // "" with an error
			return is
		}
	}
	return ""
}

// takeBack takes one step back. changed is false if there was nothing to take back.
func (j keyRun) takeBack(ctx context.Context, step response.Step) (changed bool, why string, err error) {
	if err := ctx.Err(); err != nil {
		return false, "", err
	}
	_, before := want(step)
	is, _, err := j.state(ctx, step)
	// A managed policy that is detached may still be there.
	if err == nil && is == before && !j.Journal.History(j.plan).Step(step).Managed {
		return false, "", j.record(journal.Record{Event: journal.EventUndone, Step: &step, Before: is, After: is, Why: "it was so already"})
	}
	if err == nil {
		if err := j.record(journal.Record{Event: journal.EventUndoIntent, Step: &step, Before: is}); err != nil {
			return false, "", err
		}
		err = j.undo(ctx, step)
	}
	if err != nil {
		if ctx.Err() != nil {
			return false, "", ctx.Err()
		}
		r := journal.Record{Event: journal.EventUndoFailed, Step: &step, Why: response.Explain(err)}
		return false, fmt.Sprintf("undoing %s: %s", j.label(step), r.Why), j.record(r)
	}
	return is != before, "", j.record(journal.Record{Event: journal.EventUndone, Step: &step, Before: is, After: before})
}
