package journal

import (
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier/response"
)

// A History is the state of one plan, by its records.
type History struct {
	Begun  bool
	Undone bool              // some step was taken back
	result map[string]string // by key id; how the last apply or undo ended, "" if it did not
	steps  map[response.Step]*StepHistory
}

// A StepHistory is the state of one step, by its records.
type StepHistory struct {
	Intent                *Record // the last
	Ended                 *Record // the last that says that it is as it should be
	Off                   *Record // since when the key was seen to be off
	works                 bool    // the key was seen to work since
	Done, Skipped, Undone bool
	Refused               bool     // AWS refused it, the last time it was asked
	Documents             []string // of the policies that it may have put
	Managed               bool     // the policy is a managed one, since there was no room
}

// History returns the history of the plan with a hash.
func (j *Journal) History(plan string) History {
	h := History{steps: map[response.Step]*StepHistory{}, result: map[string]string{}}
	for i := range j.Records {
		r := &j.Records[i]
		if r.Plan != plan {
			continue
		}
		h.Begun = true
		if r.Event == EventBegin || r.Event == EventEnd {
			h.result[r.KeyID] = r.Result
		}
		if r.Step != nil {
			h.Step(*r.Step).note(r)
			h.Undone = h.Undone || r.Event == EventUndoIntent || r.Event == EventUndone
		}
	}
	return h
}

// Finished reports whether nothing was left to do for plan when it was last applied.
func (h History) Finished(plan response.Plan) bool {
	for _, k := range plan.Keys {
		if h.result[k.KeyID] != string(response.Contained) || !h.SessionsDenied(k) {
			return false
		}
	}
	return true
}

// SessionsDenied reports whether the sessions of k were denied after the key was seen to be
// off. Until then the key may have made new ones, which an earlier policy does not deny.
func (h History) SessionsDenied(k response.Key) bool {
	for _, key := range k.Steps {
		for _, deny := range k.Steps {
			if key.Do != response.Deactivate || deny.Do != response.DenySessions {
				continue
			}
			off, put := h.Step(key).Off, h.Step(deny).Intent
			if deny.Kind == "role" && h.Step(deny).Skipped {
				continue // the role is gone
			}
			if off == nil || put == nil || put.Seq < off.Seq {
				return false
			}
		}
	}
	return true
}

// LastChange returns when a step of k last took effect, or was last seen to have taken
// effect.
func (h History) LastChange(k response.Key) (t time.Time) {
	for _, s := range k.Steps {
		for _, r := range []*Record{h.Step(s).Ended, h.Step(s).Off} {
			if r != nil && r.Time.After(t) {
				t = r.Time
			}
		}
	}
	return t
}

// SeenWorking reports whether k was last seen to work after it was shut off. Somebody may
// have shut it off since; it is not known when.
func (h History) SeenWorking(k response.Key) bool {
	return slices.ContainsFunc(k.Steps, func(s response.Step) bool { return h.Step(s).works })
}

// Step returns the history of a step, never nil.
func (h History) Step(s response.Step) *StepHistory {
	if h.steps[s] == nil {
		h.steps[s] = &StepHistory{}
	}
	return h.steps[s]
}

// Ours reports whether stanch has taken the step, or may have. If AWS refused it, somebody
// else may have taken it afterwards, and undo must not take that back. A policy is ours in
// any case: its name is the plan's own.
func (t *StepHistory) Ours() bool {
	return t.Intent != nil && (t.Done || !t.Refused || t.Intent.Step.PutsPolicy())
}

func (t *StepHistory) note(r *Record) {
	switch r.Event {
	case EventIntent:
		t.Intent, t.Off, t.Done, t.Skipped, t.Refused = r, nil, false, false, false
		t.Managed = t.Managed || r.Managed
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
	case EventUndone:
		t.Undone = true
	}
}
