// Package apply takes the steps of a plan, confirms them and takes them back. It is the
// only package that changes something at AWS, and each change is in the journal first.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// An Applier applies plans and takes them back. It is used by one goroutine.
type Applier struct {
	Operator *operator.Operator // nil if Rules.Self
	Journal  *journal.Journal
	Rules    response.Rules
	// MaxKeys is how many keys a plan may have.
	MaxKeys int
	// Recheck asks STS about the leaked key, each time by a new request. It returns false if
	// it has no secret to ask with. nil never asks.
	Recheck func(ctx context.Context, keyID string) (verifier.Verdict, bool)
	// Leaked opens a session of the leaked key, if Rules.Self. It returns false if it has no
	// secret to do so.
	Leaked func(k response.Key) (*operator.Session, bool, error)
	// Activity reads what the key did; nil reads it at the rate that AWS allows.
	Activity *activity.Reader
	Now      func() time.Time                           // nil means time.Now
	Sleep    func(ctx context.Context, d time.Duration) // nil waits
	// OnRecord, if not nil, is called with each record once it is durable.
	OnRecord func(journal.Record)
}

// Admit judges whether plan may be applied, before any step is taken. An apply that was
// begun may be continued after the plan has expired: nothing new is approved by it.
func (a *Applier) Admit(ctx context.Context, plan response.Plan) error {
	if err := a.admitPlan(plan); err != nil {
		return err
	}
	if a.Journal.History(plan.Hash).Finished(plan) {
		if err := a.admitFinished(ctx, plan); err != nil {
			return err
		}
	}
	for _, k := range plan.Keys {
		s, err := a.session(ctx, k)
		if err != nil {
			return err
		}
		if _, err := response.Guard(ctx, a.Operator, s, a.Rules, k); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
		if err := a.admitSteps(ctx, s, k); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
		if err := a.admitUnchanged(ctx, s, plan.Hash, k); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
	}
	return nil
}

func (a *Applier) admitPlan(plan response.Plan) error {
	if err := a.Rules.Check(); err != nil {
		return err
	}
	if plan.Sum() != plan.Hash {
		return response.Refuse(response.GateChanged, "the plan was changed after it was made")
	}
	if err := plan.Check(); err != nil {
		return err
	}
	if err := a.admitKind(plan); err != nil {
		return err
	}
	h := a.Journal.History(plan.Hash)
	switch now := a.now(); {
	case h.Undone:
		return response.Refuse(response.GateFinished, "the plan was undone: make a new one")
	case !h.Begun && now.After(plan.Expires):
		return response.Refuse(response.GateExpired, "the plan expired at %s: make a new one", plan.Expires.Format(time.RFC3339))
	case plan.Created.After(now.Add(time.Minute)), plan.Expires.Sub(plan.Created) > response.PlanLife:
		return response.Refuse(response.GateExpired, "the plan is from the future or is valid for too long: %s to %s",
			plan.Created.Format(time.RFC3339), plan.Expires.Format(time.RFC3339))
	case len(plan.Keys) == 0:
		return response.Refuse(response.GateNoKey, "the plan has no keys: nothing would be shut off")
	case len(plan.Keys) > a.MaxKeys:
		return response.Refuse(response.GateMany, "the plan has %d keys, and --max-keys allows %d", len(plan.Keys), a.MaxKeys)
	}
	for _, k := range plan.Keys {
		if err := a.Rules.Allow(k.Account, k.Name, k.ARN); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
	}
	return nil
}

// admitKind refuses to use a leaked key unless the operator says --self each time, and then
// refuses everything else.
func (a *Applier) admitKind(plan response.Plan) error {
	for _, k := range plan.Keys {
		switch {
		case k.SwitchesItselfOff() && !a.Rules.Self:
			return response.Refuse(response.GateSelf, "the plan uses the leaked key %s itself: give --self again, or plan with a responder", k.KeyID)
		case !k.SwitchesItselfOff() && a.Rules.Self:
			return response.Refuse(response.GateSelf, "the plan does not use the leaked key %s itself: leave --self out", k.KeyID)
		}
	}
	return nil
}

// admitUnchanged refuses a key that somebody changed since the plan was made.
func (a *Applier) admitUnchanged(ctx context.Context, s *operator.Session, hash string, k response.Key) error {
	if k.SwitchesItselfOff() {
		return a.admitSelf(ctx, hash, k)
	}
	for _, step := range k.Steps {
		if step.Do != response.Deactivate || a.Journal.History(hash).Step(step).Intent != nil {
			continue
		}
		is, _, err := state(ctx, step, s, "")
		if err != nil {
			return response.Unreadable("its status", err)
		}
		if is != k.Status {
			return response.Refuse(response.GateDrift, "it was %s when the plan was made, and is %s now: plan again", k.Status, is)
		}
	}
	return nil
}

func (a *Applier) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

// Apply takes the steps of plan that are not taken yet, and confirms them. Call Admit
// first. It returns an error of the journal or of ctx: the run ended in the middle, and
// Apply can be called again.
func (a *Applier) Apply(ctx context.Context, plan response.Plan) ([]response.Outcome, error) {
	// Judged again: the person may have taken hours to give consent.
	if err := a.admitPlan(plan); err != nil {
		return nil, err
	}
	// Each stage is done for all keys before the next begins. So all keys are off before
	// stanch waits for AWS, and the waits of several keys are one.
	var attempts []attempt
	for _, k := range plan.Keys {
		t, err := a.attempt(ctx, plan, k)
		if err != nil {
			return nil, err
		}
		attempts = append(attempts, t)
	}
	for i := range attempts {
		if err := attempts[i].contain(ctx); err != nil {
			return nil, err
		}
	}
	var outcomes []response.Outcome
	for _, t := range attempts {
		o, err := t.end(ctx, plan)
		if err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// A keyRun is the work of a plan on one key.
type keyRun struct {
	*Applier
	plan    string
	session *operator.Session
	key     response.Key
}

func (j keyRun) record(r journal.Record) error {
	r.Time, r.Plan = j.now(), j.plan
	if j.session != nil { // there may be no way into the account
		r.Actor = j.session.ARN
	}
	r.Account, r.KeyID = j.key.Account, j.key.KeyID
	if err := j.Journal.Put(r); err != nil {
		return err
	}
	if j.OnRecord != nil {
		j.OnRecord(r)
	}
	return nil
}

// take takes one step, unless it was taken and still holds. why says why it was not taken;
// err comes from the journal or from ctx.
func (j keyRun) take(ctx context.Context, step response.Step) (why string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	h := j.Journal.History(j.plan).Step(step)
	outdated := j.outdated(step)
	ended := h.Done || h.Skipped
	if ended && !outdated && !j.noLongerHolds(ctx, step) {
		return "", nil
	}
	begun := h.Intent != nil && !ended && !h.Refused && !outdated
	after, _ := want(step)
	is, held, err := j.state(ctx, step)
	was := is == after || shutsOff(step) && is == response.Absent // nothing is left to shut off
	if err == nil && step.PutsPolicy() && is == response.Present {
		was = begun && held == h.Intent.Document
		if !slices.Contains(h.Documents, held) { // an older one of ours is replaced
			err = other(step)
		}
	}
	if err == nil && is == response.Absent && step.PutsPolicy() && step.Kind == "role" && j.roleGone(ctx, step) {
		return "", j.record(journal.Record{Event: journal.EventSkipped, Step: &step, Before: is, After: is, Why: "the role was deleted: its sessions can do nothing"})
	}
	switch {
	case err != nil:
		return j.failed(ctx, step, false, err)
	case was && begun:
		return "", j.record(journal.Record{Event: journal.EventDone, Step: &step, After: is, Why: "the answer to an earlier call was lost"})
	case was:
		return "", j.record(journal.Record{Event: journal.EventSkipped, Step: &step, Before: is, After: is})
	}
	document := ""
	if begun {
		document = h.Intent.Document // the same one, if it was put already
	} else {
		r := journal.Record{Event: journal.EventIntent, Step: &step, Before: is}
		switch step.Do {
		case response.DenySessions:
			before, note := j.denyBefore()
			r.Document, r.Why = denyDocument(before), note
		case response.DenyConsole:
			r.Document = denyConsoleDocument()
		}
		r.Managed = h.Managed
		if err := j.record(r); err != nil {
			return "", err
		}
		document = r.Document
	}
	return j.change(ctx, step, is, document)
}

// noLongerHolds reports whether a step that was taken is seen not to hold any more. If it
// cannot be read now, confirm reads it later.
func (j keyRun) noLongerHolds(ctx context.Context, step response.Step) bool {
	_, why, err := j.readBack(ctx, step)
	return err == nil && why != ""
}

// change makes the call of step, whose intent is in the journal.
func (j keyRun) change(ctx context.Context, step response.Step, is, document string) (why string, err error) {
	after, _ := want(step)
	done := journal.Record{Event: journal.EventDone, Step: &step, Before: is, After: after}
	s, err := j.writer(ctx, step)
	if err != nil {
		return j.failed(ctx, step, false, err)
	}
	read, err := j.reader(ctx, step)
	if err != nil {
		return j.failed(ctx, step, false, err)
	}
	policy := managedPolicy{step, step.ManagedARN(j.key), read, s}
	if j.Journal.History(j.plan).Step(step).Managed {
		err = policy.put(ctx, document)
	} else if err = do(ctx, step, s, document); step.PutsPolicy() && noRoom(err) {
		r := journal.Record{Event: journal.EventIntent, Step: &step, Before: is, Document: document, Managed: true, Why: "no room for an inline policy: " + err.Error()}
		if err := j.record(r); err != nil {
			return "", err
		}
		err = policy.put(ctx, document)
	}
	if err == nil {
		return "", j.record(done)
	}
	if step.Do == response.DeactivateSelf {
		// The first of two attempts may have succeeded: then the second signs with a key
		// that is off.
		if now, _, stateErr := j.state(ctx, step); stateErr == nil && now == after {
			done.Why = "the answer to an earlier call was lost"
			return "", j.record(done)
		}
	}
	return j.failed(ctx, step, true, err)
}

// outdated reports whether step denies sessions issued before some time, and the key was
// deactivated, or seen to be off, only later: it may have made new sessions in the meantime.
func (j keyRun) outdated(step response.Step) bool {
	h := j.Journal.History(j.plan)
	put := h.Step(step).Intent
	if step.Do != response.DenySessions || put == nil {
		return false
	}
	for _, other := range j.key.Steps {
		t := h.Step(other)
		for _, r := range []*journal.Record{t.Ended, t.Off} {
			if other.Do == response.Deactivate && r != nil && r.Seq > put.Seq {
				return true
			}
		}
	}
	return false
}

// state reads the state of the object of step, and the document if it is a policy.
func (j keyRun) state(ctx context.Context, step response.Step) (is, document string, err error) {
	if step.Do == response.DeactivateSelf {
		is, err = j.selfState(ctx, j.key.KeyID)
		return is, "", err
	}
	s, err := j.reader(ctx, step)
	if err != nil {
		return "", "", err
	}
	managed := ""
	if j.Journal.History(j.plan).Step(step).Managed {
		managed = step.ManagedARN(j.key)
	}
	return state(ctx, step, s, managed)
}

// failed records why a step was not taken. asked says whether AWS was asked to take it.
func (j keyRun) failed(ctx context.Context, step response.Step, asked bool, cause error) (why string, err error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	r := journal.Record{Event: journal.EventFailed, Step: &step, Why: response.Explain(cause)}
	var e *operator.Error
	if errors.As(cause, &e) {
		r.Code = e.Code
		r.Refused = asked && e.Status/100 == 4 && !e.Busy()
		if step.Do == response.DeactivateSelf && e.Denied() {
			r.Why = "the key has no permission to switch itself off, so a responder in its account has to: " + e.Refusal()
		}
	}
	return j.label(step) + ": " + r.Why, j.record(r)
}
