package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// A key that is off at IAM goes on making sessions, each good for 36 hours, until STS has
// heard from IAM. That took 3 to 4 seconds when it was measured; AWS names no bound. So
// the sessions are denied twice: at once, and again when STS no longer knows the key.
const (
	// propagation is how long to wait for a change at IAM to reach STS, if STS cannot be
	// asked: more than twice the longest time measured.
	propagation = 10 * time.Second
	// margin is how far ahead of AWS's time sessions are denied. The console's "Revoke
	// active sessions" takes the same 30 seconds: not every endpoint of STS hears at once.
	margin = 30 * time.Second
	// tolerable is the difference of two clocks that is not reported. A Date has no
	// fractions of seconds, and answers take their time.
	tolerable = 10 * time.Second
)

// An attempt is one run of the steps for one key.
type attempt struct {
	keyRun
	missed  map[response.Step]bool
	outcome response.Outcome
}

func (a *Applier) attempt(ctx context.Context, plan response.Plan, k response.Key) (attempt, error) {
	s, err := a.session(ctx, k)
	if err != nil {
		return attempt{}, err
	}
	t := attempt{keyRun{a, plan.Hash, s, k}, map[response.Step]bool{}, response.Outcome{Key: k}}
	if err := t.record(journal.Record{Event: journal.EventBegin, Where: k.Where, SecretSHA256: k.SecretSHA256}); err != nil {
		return attempt{}, err
	}
	for _, step := range k.Steps {
		why, err := t.take(ctx, step)
		if err != nil {
			return attempt{}, err
		}
		if t.downgrade("", why); why != "" {
			t.missed[step] = true
		}
	}
	t.outcome.Result = t.result()
	return t, nil
}

// downgrade notes why the key is not contained; "" notes nothing.
func (t *attempt) downgrade(result response.Result, why string) {
	if why != "" {
		t.outcome.Result, t.outcome.Why = result, append(t.outcome.Why, why)
	}
}

// contain waits until the key is seen to be off, and denies the sessions that it made
// until then. A step that was missed, such as one for a role, keeps the others from nothing.
func (t *attempt) contain(ctx context.Context) error {
	if t.outcome.Result != response.Contained && t.outcome.Result != response.Incomplete {
		return nil
	}
	why, err := t.awaitOff(ctx)
	if t.downgrade(response.Unconfirmed, why); why != "" || err != nil {
		return err
	}
	for _, step := range t.key.Steps {
		if !t.outdated(step) || t.missed[step] {
			continue
		}
		why, err := t.take(ctx, step)
		if t.downgrade(response.Incomplete, why); err != nil {
			return err
		}
	}
	return nil
}

// end reads everything back, compares the account with the plan, and returns the outcome.
func (t *attempt) end(ctx context.Context, plan response.Plan) (response.Outcome, error) {
	recent, made := t.recent(ctx, plan) // before the steps are read back: an intruder has no time to undo one unseen
	if t.outcome.Result == response.Contained {
		why, err := t.confirm(ctx)
		if err != nil {
			return response.Outcome{}, err
		}
		if t.downgrade(response.Unconfirmed, why); why == "" {
			t.downgrade(response.Incomplete, t.survivingSessions())
		}
	}
	o := &t.outcome
	o.Left, o.Made = t.remains(ctx, plan, recent, made)
	if ctx.Err() != nil {
		return response.Outcome{}, ctx.Err()
	}
	o.AddLeft()
	o.Notes, o.Status, o.Until = append(t.notes(), t.late()...), t.status(ctx), t.denyNeededUntil()
	t.describe(o)
	if err := t.recordActive(); err != nil {
		return response.Outcome{}, err
	}
	return *o, t.record(journal.Record{Event: journal.EventEnd, Result: string(o.Result)})
}

// recordActive notes that the key is Active at the very end, although it was seen to be off:
// somebody has set it to Active while the account was read.
func (t *attempt) recordActive() error {
	i := slices.IndexFunc(t.key.Steps, func(s response.Step) bool { return s.Do == response.Deactivate })
	if i < 0 || t.outcome.Status != response.Active || t.missed[t.key.Steps[i]] || t.outcome.Result == response.Unconfirmed {
		return nil
	}
	why := "deactivate: it was Inactive, and somebody has set it to Active again"
	t.downgrade(response.Unconfirmed, why)
	return t.recordObservation(observation{result: string(response.Unconfirmed), why: why, status: response.Active, works: &t.key.Steps[i]})
}

// result returns the result according to the steps taken, before anything is read back.
func (t *attempt) result() response.Result {
	denied := slices.ContainsFunc(t.key.Steps, func(s response.Step) bool {
		return s.Do == response.DenySessions && t.label(s) == string(s.Do) && !t.missed[s]
	})
	off := denied // a session has nothing else to shut off
	for _, s := range t.key.Steps {
		if shutsOff(s) {
			off = !t.missed[s]
		}
	}
	switch {
	case len(t.missed) == 0:
		return response.Contained
	case off:
		return response.Incomplete
	case denied:
		return response.Partly
	}
	return response.Untouched
}

// awaitOff waits until the key is seen to be off: until STS does not know it any more or, if
// STS cannot be asked, until IAM has called it Inactive for as long as propagation takes.
func (j keyRun) awaitOff(ctx context.Context) (why string, err error) {
	i := slices.IndexFunc(j.key.Steps, func(s response.Step) bool { return s.Do == response.Deactivate })
	if i < 0 || j.Journal.History(j.plan).Step(j.key.Steps[i]).Off != nil {
		return "", nil
	}
	key := j.key.Steps[i : i+1]
	seen, err := j.observeUntilAgreed(ctx, key)
	if err == nil && seen.why == "" && !seen.sts {
		j.awaitPropagation(ctx)
		seen, err = j.observeUntilAgreed(ctx, key)
	}
	switch {
	case err != nil:
		return "", err
	case seen.why != "":
		seen.result = string(response.Unconfirmed)
		return seen.why, j.recordObservation(seen)
	}
	return "", j.record(journal.Record{Event: journal.EventOff, Step: &key[0], After: seen.status, Result: seen.result})
}

// awaitPropagation waits until the last change of the key is old enough to have reached STS.
func (j keyRun) awaitPropagation(ctx context.Context) {
	if d := propagation - j.now().Sub(j.Journal.History(j.plan).LastChange(j.key)); d > 0 {
		j.sleep(ctx, min(d, propagation)) // the clock may have been set back since
	}
}

// denyBefore returns the time before which sessions are denied, and a note on it. It is
// AWS's time with a margin, since this machine's clock may be wrong. If AWS does not tell
// its time, it is the latest time that AWS's clock can show, given that AWS accepts the
// signatures of this machine.
func (j keyRun) denyBefore() (before time.Time, note string) {
	if now, _, known := j.session.Time(); known {
		return now.Add(margin), j.clockDifference()
	}
	return j.now().Add(operator.MaxSkew + margin), fmt.Sprintf(
		"IAM's answers do not say what time it is there: sessions are denied up to %s after this machine's time", operator.MaxSkew+margin)
}

// clockDifference says how the clock of this machine differs from AWS's, "" if it does not.
func (j keyRun) clockDifference() string {
	_, ahead, _ := j.session.Time() // 0 if it is not known
	switch off := ahead.Round(time.Second); {
	case off >= tolerable:
		return "the clock of this machine is " + off.String() + " ahead of AWS's"
	case off <= -tolerable:
		return "the clock of this machine is " + (-off).String() + " behind AWS's"
	}
	return ""
}

// notes returns the notes on clocks.
func (j keyRun) notes() []string {
	note := j.clockDifference()
	for _, step := range j.key.Steps {
		if put := j.Journal.History(j.plan).Step(step).Intent; put != nil && note == "" {
			note = put.Why
		}
	}
	if note == "" {
		return nil
	}
	return []string{note}
}

// denyNeededUntil returns until when the policy that denies sessions is needed. Zero says
// that it was not put, or that the key may still make sessions.
func (j keyRun) denyNeededUntil() (t time.Time) {
	h := j.Journal.History(j.plan)
	for _, s := range j.key.Steps {
		if s.Do == response.DenySessions && h.Step(s).Done && h.SessionsDenied(j.key) {
			t = h.LastChange(j.key).Add(response.SessionLife)
		}
	}
	return t
}

// survivingSessions names the sessions that go on although the key is off, "" if there are
// none.
func (j keyRun) survivingSessions() string {
	switch {
	case j.sessionsOver():
		return ""
	case j.key.SwitchesItselfOff():
		return fmt.Sprintf("sessions that were made with the key keep working for up to %d hours: --self cannot deny them", int(response.SessionLife.Hours()))
	case !j.Journal.History(j.plan).SessionsDenied(j.key):
		return "sessions that were made before the key was seen to be off may still work: apply the plan again, which denies them"
	}
	return ""
}

// sessionsOver reports whether the key has been off for longer than any session lives.
func (j keyRun) sessionsOver() bool {
	h := j.Journal.History(j.plan)
	last := h.LastChange(j.key)
	return !last.IsZero() && j.now().Sub(last) > response.SessionLife && !h.SeenWorking(j.key)
}
