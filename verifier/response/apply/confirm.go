package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// IAM takes seconds to agree with itself everywhere. If it does not agree after the last of
// these waits, a minute in all, that is reported.
var waits = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second}

// confirm reads every step back, and asks STS about the key if it can, until all agree. why
// names the one that does not.
func (j keyRun) confirm(ctx context.Context) (why string, err error) {
	if !j.key.SwitchesItselfOff() { // else STS, the only one to ask, has answered
		j.awaitPropagation(ctx)
	}
	seen, err := j.observeUntilAgreed(ctx, j.key.Steps)
	if err != nil {
		return "", err
	}
	if seen.why != "" {
		seen.result = string(response.Unconfirmed)
	}
	return seen.why, j.recordObservation(seen)
}

// recordObservation puts seen into the journal.
func (j keyRun) recordObservation(seen observation) error {
	r := journal.Record{Event: journal.EventConfirm, Result: seen.result, Why: seen.why}
	if seen.works != nil {
		r.Step, r.After = seen.works, seen.status
	}
	return j.record(r)
}

// observeUntilAgreed observes steps until all of them are confirmed, for a minute at most.
func (j keyRun) observeUntilAgreed(ctx context.Context, steps []response.Step) (seen observation, err error) {
	for n := 0; ; n++ {
		seen = j.observe(ctx, steps)
		if ctx.Err() != nil {
			return observation{}, ctx.Err()
		}
		if seen.why == "" || n == len(waits) {
			return seen, nil
		}
		j.sleep(ctx, waits[n])
	}
}

func (a *Applier) sleep(ctx context.Context, d time.Duration) {
	if a.Sleep != nil {
		a.Sleep(ctx, d)
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// An observation is the state of a key and its steps, read back from AWS.
type observation struct {
	result string         // who confirms it: IAM, or IAM and STS
	why    string         // why it is not confirmed; "" if it is
	status string         // of the key itself, see Outcome
	sts    bool           // STS was asked
	denies bool           // the policy that denies sessions is there
	works  *response.Step // the step that shuts the key off, if the key works all the same
}

// observe reads steps back, and asks STS about the key if one of them is about the key.
func (j keyRun) observe(ctx context.Context, steps []response.Step) (seen observation) {
	var deactivates *response.Step
	for _, step := range steps {
		is, why, err := j.readBack(ctx, step)
		if err != nil {
			why = "reading it back: " + response.Explain(err)
		}
		if shutsOff(step) {
			seen.status = is
		}
		seen.denies = seen.denies || step.Do == response.DenySessions && is == response.Present
		if why != "" && seen.why == "" {
			seen.why = j.label(step) + ": " + why
		}
		if step.Do == response.Deactivate {
			deactivates = &step
		}
		if shutsOff(step) && is == response.Active {
			seen.works = &step
		}
	}
	switch {
	case seen.why != "":
		return seen
	case j.key.SwitchesItselfOff():
		seen.result, seen.sts = "STS does not know the key any more", true
		return seen
	case deactivates == nil || j.Recheck == nil:
		// STS answers a session even if a policy denies it everything.
		seen.result = "IAM agrees"
		return seen
	}
	v, asked := j.Recheck(ctx, j.key.KeyID)
	seen.sts = asked
	switch {
	case !asked:
		seen.result = "IAM agrees; STS was not asked: no report gives the secret (--findings)"
	case v.State == verifier.Invalid:
		seen.result = "IAM and STS agree"
	default:
		seen.why = strings.TrimSpace(fmt.Sprintf("STS says of the key: %s %s", v.State, v.Reason))
		if v.State == verifier.Live {
			seen.works = deactivates
		}
	}
	return seen
}

// readBack reads the state of the object of step, and says why it is not as the step left
// it. If there is nothing left to shut off, that is as good.
func (j keyRun) readBack(ctx context.Context, step response.Step) (is, why string, err error) {
	after, _ := want(step)
	is, held, err := j.state(ctx, step)
	if is == response.Absent || errors.Is(err, operator.ErrNotFound) {
		gone, goneErr := j.gone(ctx, step, err)
		switch {
		case goneErr != nil:
			return "", "", goneErr
		case gone:
			return response.Absent, "", nil
		}
	}
	put := j.Journal.History(j.plan).Step(step).Intent
	switch {
	case err != nil:
		return "", "", err
	case step.PutsPolicy() && is == response.Present && put != nil && held != put.Document:
		return is, other(step).Error(), nil // somebody has put another one in its place
	case is != after:
		return is, "read back, it is " + is, nil
	}
	return is, "", nil
}

// gone reports whether the absent object of step leaves nothing to shut off: the key is
// deleted, or its user is, or the policy was taken off when all sessions were over. notFound
// is set if IAM does not know the user either. It is an error if the user has another name
// now: then the key and its sessions go on.
func (j keyRun) gone(ctx context.Context, step response.Step, notFound error) (bool, error) {
	if err := j.renamed(ctx, step); err != nil {
		return false, err
	}
	if notFound == nil && (shutsOff(step) || step.Do == response.DenySessions && j.sessionsOver()) {
		return true, nil
	}
	s, err := j.reader(ctx, step)
	if err != nil {
		return false, err
	}
	if notFound == nil && step.Do == response.DenyConsole {
		if has, err := s.HasPassword(ctx, step.Name); err == nil && !has {
			return true, nil // the password was deleted
		}
	}
	_, err = s.Tags(ctx, step.Kind, step.Name)
	if errors.Is(err, operator.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// renamed returns an error if the key of step is of another user than the plan says, as IAM
// tells by its id. A key that is gone has none.
func (j keyRun) renamed(ctx context.Context, step response.Step) error {
	if step.Kind != "user" || j.key.Status == "" || response.IsServiceCredentialID(j.key.KeyID) || j.key.SwitchesItselfOff() {
		return nil
	}
	used, err := j.session.LastUsed(ctx, j.key.KeyID)
	var e *operator.Error
	if errors.As(err, &e) && (e.Denied() || errors.Is(err, operator.ErrNotFound)) {
		used, err = operator.LastUsed{}, nil // so AWS answers about a key that is gone
	}
	if err != nil || used.User == "" || used.User == step.Name {
		return err
	}
	return fmt.Errorf("key %s is of user %s now: somebody has renamed user %s; plan again", j.key.KeyID, used.User, step.Name)
}

// Confirm reads the keys of an applied plan back some time later: an attacker may have
// undone it. It writes to the journal, and changes nothing at AWS.
func (a *Applier) Confirm(ctx context.Context, plan response.Plan) ([]response.Outcome, error) {
	h := a.Journal.History(plan.Hash)
	if !h.Begun {
		return nil, response.Refuse(response.GateNotApplied, "the journal has no record of this plan")
	}
	var outcomes []response.Outcome
	for _, k := range plan.Keys {
		s, err := a.session(ctx, k)
		if ctx.Err() != nil {
			return outcomes, ctx.Err()
		}
		j := keyRun{a, plan.Hash, s, k}
		o, seen := response.Outcome{Key: k, Result: response.Contained, Closed: h.Undone}, observation{}
		var recent, made []response.Remnant
		if err != nil { // the other keys may be of an account that can be asked
			seen.why = err.Error()
		} else {
			recent, made = j.recent(ctx, plan)
			seen = j.observe(ctx, k.Steps)
		}
		if o.Status = seen.status; seen.denies {
			o.Until = j.denyNeededUntil()
		}
		switch late := j.survivingSessions(); {
		case seen.why != "" && seen.status == response.Absent:
			o.Result = response.Incomplete // it is about its sessions
		case seen.why != "":
			o.Result = response.Unconfirmed
		case late != "":
			o.Result, seen.why = response.Incomplete, late
		}
		if seen.why != "" {
			o.Why = []string{seen.why}
		}
		if err == nil {
			o.Left, o.Made = j.remains(ctx, plan, recent, made)
			o.Notes = j.late()
			j.describe(&o)
		}
		if ctx.Err() != nil {
			return outcomes, ctx.Err()
		}
		if o.AddLeft(); len(o.Why) > 0 {
			seen.result, seen.why = string(o.Result), strings.Join(o.Why, "; ")
		}
		if err := j.recordObservation(seen); err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// admitFinished refuses a plan that was applied, if all of its steps still hold. If they do
// not, somebody has undone it, and the plan may be applied again.
func (a *Applier) admitFinished(ctx context.Context, plan response.Plan) error {
	holds := true
	for _, k := range plan.Keys {
		s, err := a.session(ctx, k)
		if err != nil {
			return err
		}
		j := keyRun{a, plan.Hash, s, k}
		seen := j.observe(ctx, k.Steps)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if seen.why == "" {
			continue
		}
		holds, seen.result = false, string(response.Unconfirmed)
		if err := j.recordObservation(seen); err != nil {
			return err
		}
	}
	if holds {
		return response.Refuse(response.GateFinished, "the plan was applied, and its steps are still in effect: nothing is left to do")
	}
	return nil
}
