package response

import (
	"context"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/verifier"
)

// IAM takes seconds to agree with itself everywhere. What is not confirmed after
// the last of these waits, a minute in all, is reported.
var waits = []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second}

// confirm reads every step back, and asks STS about the key if it can, until all
// agree. why says who does not.
func (j entry) confirm(ctx context.Context) (why string, err error) {
	for n := 0; ; n++ {
		var result string
		if result, why = j.look(ctx); why == "" {
			return "", j.put(Record{Event: EventConfirm, Result: result})
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if n == len(waits) {
			return why, j.put(Record{Event: EventConfirm, Result: string(Unconfirmed), Why: why})
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

// look returns what agrees, or what does not.
func (j entry) look(ctx context.Context) (result, why string) {
	deactivates := false
	for _, step := range j.key.Steps {
		after, _ := step.want()
		document := ""
		if put := j.history(j.plan).of(step).intent; put != nil {
			document = put.Document // who has the rights may have put another one in its place
		}
		is, err := j.state(ctx, step, document)
		if err != nil {
			return "", fmt.Sprintf("%s: reading it back: %s", step.Do, explain(err))
		}
		if is != after {
			return "", fmt.Sprintf("%s: read back, it is %s", step.Do, is)
		}
		deactivates = deactivates || step.Do == Deactivate
	}
	if j.key.self() {
		return "STS does not know the key any more", ""
	}
	// To a session STS says who it is even if a policy denies it everything.
	if !deactivates || j.Recheck == nil {
		return "IAM agrees", ""
	}
	v, asked := j.Recheck(ctx, j.key.KeyID)
	switch {
	case !asked:
		return "IAM agrees; STS was not asked, for want of the secret", ""
	case v.State == verifier.Invalid:
		return "IAM and STS agree", ""
	}
	return "", fmt.Sprintf("STS says of the key: %s %s", v.State, v.Reason)
}

// Confirm looks at the keys of an applied plan once more, some time later: an
// attacker may have undone it. It writes to the journal, and changes nothing.
func (a *Applier) Confirm(ctx context.Context, plan Plan) ([]Outcome, error) {
	if !a.history(plan.Hash).begun {
		return nil, refuse(GateNotApplied, "the journal does not know the plan")
	}
	var outcomes []Outcome
	for _, k := range plan.Keys {
		s, err := a.session(ctx, k)
		if ctx.Err() != nil {
			return outcomes, ctx.Err()
		}
		j := entry{a, plan.Hash, s, k}
		o := Outcome{Key: k, Result: Contained}
		result, why := "", ""
		if err != nil { // the other keys may be of an account that can be asked
			why = err.Error()
		} else {
			result, why = j.look(ctx)
		}
		if why != "" {
			o.Result, o.Why, result = Unconfirmed, []string{why}, string(Unconfirmed)
		}
		if err := j.put(Record{Event: EventConfirm, Result: result, Why: why}); err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}
