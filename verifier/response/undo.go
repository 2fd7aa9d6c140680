package response

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A history is what the journal knows of one plan.
type History struct {
	Begun  bool
	Undone bool              // some step was taken back
	result map[string]string // by key id; how the last apply or undo ended, "" if it did not
	steps  map[Step]*StepHistory
}

// taken is what the journal knows of one step.
type StepHistory struct {
	Intent, undoIntent    *Record // the last
	Ended                 *Record // the last that says that it is as it should be
	Off                   *Record // that says since when the key was seen to be off
	works                 bool    // the key was seen to work since
	Done, Skipped, Undone bool
	Refused               bool     // AWS took it not, the last time it was asked
	Documents             []string // of the policies that it may have put
}

func (a *Applier) history(plan string) History {
	h := History{steps: map[Step]*StepHistory{}, result: map[string]string{}}
	for i := range a.Journal.Records {
		r := &a.Journal.Records[i]
		if r.Plan != plan {
			continue
		}
		h.Begun = true
		if r.Event == EventBegin || r.Event == EventEnd {
			h.result[r.KeyID] = r.Result
		}
		if r.Step != nil {
			h.Of(*r.Step).note(r)
			h.Undone = h.Undone || r.Event == EventUndoIntent || r.Event == EventUndone
		}
	}
	return h
}

// finished reports whether nothing was left to do for plan when it was last applied.
func (h History) Finished(plan Plan) bool {
	for _, k := range plan.Keys {
		if h.result[k.KeyID] != string(Contained) || !h.SessionsDenied(k) {
			return false
		}
	}
	return true
}

// settled reports whether the sessions of k were denied after the key was seen to be
// off. Until then it may have made new ones, which an earlier policy does not deny.
func (h History) SessionsDenied(k Key) bool {
	for _, key := range k.Steps {
		for _, deny := range k.Steps {
			if key.Do != Deactivate || deny.Do != DenySessions {
				continue
			}
			off, put := h.Of(key).Off, h.Of(deny).Intent
			if off == nil || put == nil || put.Seq < off.Seq {
				return false
			}
		}
	}
	return true
}

// last returns when a step of k last came to be, or was seen to be, as it should be.
func (h History) LastChange(k Key) (t time.Time) {
	for _, s := range k.Steps {
		for _, r := range []*Record{h.Of(s).Ended, h.Of(s).Off} {
			if r != nil && r.Time.After(t) {
				t = r.Time
			}
		}
	}
	return t
}

// works reports whether k was last seen to work, after it was shut off. Somebody may have
// shut it off since: until when it made sessions is not known then.
func (h History) SeenWorking(k Key) bool {
	return slices.ContainsFunc(k.Steps, func(s Step) bool { return h.Of(s).works })
}

func (h History) Of(s Step) *StepHistory {
	if h.steps[s] == nil {
		h.steps[s] = &StepHistory{}
	}
	return h.steps[s]
}

// ours reports whether stanch has taken the step, or may have. What AWS has refused it
// somebody else may do afterwards: that is not ours to take back. A policy is
// ours in any case: its name is the plan's own.
func (t *StepHistory) Ours() bool {
	return t.Intent != nil && (t.Done || !t.Refused || t.Intent.Step.Do == DenySessions)
}

func (t *StepHistory) note(r *Record) {
	switch r.Event {
	case EventIntent:
		t.Intent, t.Off, t.Done, t.Skipped, t.Refused = r, nil, false, false, false
		if r.Document != "" {
			t.Documents = append(t.Documents, r.Document)
		}
	case EventFailed:
		t.Refused = t.Refused || r.Refused
	case EventDone:
		t.Done, t.Ended, t.works = true, r, false
	case EventSkipped:
		t.Skipped, t.Ended, t.works = true, r, false
	case EventOff:
		t.Off, t.works = r, false
	case EventConfirm:
		t.Off, t.works = nil, true
	case EventUndoIntent:
		t.undoIntent = r
	case EventUndone:
		t.Undone = true
	}
}

// AdmitUndo judges whether plan may be taken back.
func (a *Applier) AdmitUndo(ctx context.Context, plan Plan) error {
	if err := a.Rules.Check(); err != nil {
		return err
	}
	if err := plan.Check(); err != nil {
		return err
	}
	for _, k := range plan.Keys {
		if k.SwitchesItselfOff() {
			return Refuse(GateManual, "a key that is off cannot switch itself on: who has rights in account %s can", k.Account)
		}
	}
	if len(plan.Keys) > a.MaxKeys {
		return Refuse(GateMany, "the plan has %d keys, and --max-keys allows %d", len(plan.Keys), a.MaxKeys)
	}
	if len(a.undoable(plan)) == 0 {
		return Refuse(GateNotApplied, "no step of the plan is in the journal that is not undone already")
	}
	for _, k := range plan.Keys {
		if err := a.Rules.Allow(k.Account, k.Name, k.ARN); err != nil {
			return fmt.Errorf("key %s: %w", k.KeyID, err)
		}
		if _, err := a.session(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// undoable returns the steps that the plan has taken, or may have taken, and that
// are not taken back, the last first.
func (a *Applier) undoable(plan Plan) (steps []Step) {
	h := a.history(plan.Hash)
	for _, k := range plan.Keys {
		for _, s := range k.Steps {
			if t := h.Of(s); t.Ours() && !t.Skipped && !t.Undone {
				steps = append(steps, s)
			}
		}
	}
	slices.Reverse(steps)
	return steps
}

// Undo takes back the steps that the journal says plan has taken, and those that
// it may have taken when it was cut off; the last first. What was so before is
// left. Call AdmitUndo first. The error is of the journal or of ctx.
func (a *Applier) Undo(ctx context.Context, plan Plan) ([]Outcome, error) {
	left := a.undoable(plan)
	var outcomes []Outcome
	for _, k := range plan.Keys {
		s, err := a.session(ctx, k)
		if err != nil {
			return outcomes, err
		}
		j := keyRun{a, plan.Hash, s, k}
		o := Outcome{Key: k, Result: Undone}
		for _, step := range left {
			if !slices.Contains(k.Steps, step) {
				continue
			}
			changed, why, err := j.takeBack(ctx, step)
			switch {
			case err != nil:
				return outcomes, err
			case why != "":
				o.Result, o.Why = NotUndone, append(o.Why, why)
			case changed:
				o.Undid = append(o.Undid, step.Do)
			}
		}
		o.Status = j.status(ctx)
		if slices.ContainsFunc(o.Undid, func(a Action) bool { return a != DenySessions && a != Quarantine }) {
			o.Status = Active // IAM may not say so everywhere yet
		}
		if err := j.record(Record{Event: EventEnd, Result: string(o.Result)}); err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// status reads how the key itself is; "" if it has no status, or if that cannot be read.
func (j keyRun) status(ctx context.Context) string {
	for _, step := range j.key.Steps {
		switch {
		case step.Do == DeactivateSelf: // to ask STS is a use of the key
			if ended := j.history(j.plan).Of(step).Ended; ended != nil {
				return ended.After
			}
		case step.shutsOff():
			is, _, _ := j.state(ctx, step) // "" with an error
			return is
		}
	}
	return ""
}

// takeBack takes one step back. changed is false if it was so already.
func (j keyRun) takeBack(ctx context.Context, step Step) (changed bool, why string, err error) {
	if err := ctx.Err(); err != nil {
		return false, "", err
	}
	_, before := step.want()
	is, _, err := j.state(ctx, step)
	if err == nil && is == before {
		return false, "", j.record(Record{Event: EventUndone, Step: &step, Before: is, After: is, Why: "it was so already"})
	}
	if err == nil {
		if err := j.record(Record{Event: EventUndoIntent, Step: &step, Before: is}); err != nil {
			return false, "", err
		}
		err = step.undo(ctx, j.session)
	}
	if err != nil {
		if ctx.Err() != nil {
			return false, "", ctx.Err()
		}
		r := Record{Event: EventUndoFailed, Step: &step, Why: Explain(err)}
		return false, fmt.Sprintf("undoing %s: %s", step.Do, r.Why), j.record(r)
	}
	return true, "", j.record(Record{Event: EventUndone, Step: &step, Before: is, After: before})
}
