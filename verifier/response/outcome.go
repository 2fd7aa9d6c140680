package response

import "time"

// A Result says how well a key was shut off.
type Result string

// The results. All but Contained leave something to do.
const (
	// Contained: every step is taken, and AWS confirms all of them.
	Contained Result = "contained"
	// Unconfirmed: every step is taken, and AWS still says otherwise.
	Unconfirmed Result = "unconfirmed"
	// Partly: some steps are taken, and the key itself still works.
	Partly Result = "contained_not_deactivated"
	// Incomplete: the key itself is shut off, and another step is not taken.
	Incomplete Result = "deactivated_not_contained"
	// Untouched: no step could be taken.
	Untouched Result = "not_contained"
	// Undone: every step is taken back.
	Undone Result = "undone"
	// NotUndone: some step is not taken back.
	NotUndone Result = "not_undone"
)

// An Outcome is the result for one key, with the reason why it is not better.
type Outcome struct {
	Key    Key
	Result Result
	Why    []string
	// Notes tell anything else that matters, such as a clock that is wrong.
	Notes []string
	// Left is access that goes on, and facts that could not be read. Why says it as well.
	Left []Remnant
	// Made are things that the key made and that give no access.
	Made []Remnant
	// Status is the status of the key when it was last read: Active, Inactive, or absent if
	// there is no such key any more; "" if it has none, or was not read.
	Status string
	// Until is the time from which the policy that denies sessions is no longer needed;
	// zero if there is no policy.
	Until time.Time
	// Off is when the key was last changed, or last seen to be off; zero if it was not.
	Off time.Time
	// Managed are the steps whose policy is a managed one, since there was no room.
	Managed []Step
	// Undid are the steps that an undo has taken back. Others were not in effect.
	Undid []Action
	// Closed says that the plan was undone, so that it cannot be applied again.
	Closed bool
}

// AddLeft lowers the result because of Left.
func (o *Outcome) AddLeft() {
	for _, r := range o.Left {
		if o.Result == Contained {
			o.Result = Incomplete
		}
		o.Why = append(o.Why, r.Why)
	}
}

// The states of the object of a step. Active and Inactive are IAM's words.
const (
	Active   = "Active"
	Inactive = "Inactive"
	Present  = "present"
	Absent   = "absent"
)

// SessionLife is how long sessions may live on that were issued before a key was shut off
// (sts:GetSessionToken). After that time the policy that denies them is of no use.
const SessionLife = 36 * time.Hour
