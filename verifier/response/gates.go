package response

import (
	"errors"
	"fmt"
)

// A Gate names a reason not to touch a key. The names are part of the JSON of a plan.
type Gate string

// The gates. Gates up to GateQuarantine are judged when a plan is made, and most of them
// again when it is applied. The others are judged only when it is applied.
const (
	GateNoKey      Gate = "no-key"             // there is no id to act on
	GateState      Gate = "not-live"           // no proof that it works
	GateContained  Gate = "contained-already"  // by stanch: nothing is left to do
	GateStale      Gate = "proof-too-old"      // it worked, too long ago
	GateCanary     Gate = "canary"             // planted to raise an alarm
	GateIdentity   Gate = "identity-unknown"   // its owner is not known, or two answers differ
	GateAccount    Gate = "account-not-listed" // not in an account that the operator allowed
	GateRoot       Gate = "root"               // only its owner can
	GateManual     Gate = "manual"             // there is no call for it
	GateResponder  Gate = "no-responder"       // no identity in the account
	GateOwn        Gate = "operator-itself"    // the operator would cut themselves off
	GateProtected  Gate = "protected"          // by tag, or by the break-glass list
	GateUnreadable Gate = "not-readable"       // AWS does not show a fact that a gate needs
	GateInUse      Gate = "in-use"             // something works with it
	GateSelf       Gate = "self"               // the leaked key would be used without --self, or --self cannot use it
	GateQuarantine Gate = "quarantined"        // AWS denies the leaked key the call that --self makes
	GateSchema     Gate = "plan-schema"        // of another version
	GateChanged    Gate = "plan-changed"       // after it was made
	GateOtherKey   Gate = "plan-inconsistent"  // steps about something else than their key
	GateHash       Gate = "plan-not-approved"  // another one than was approved
	GateExpired    Gate = "plan-expired"       // or from the future
	GateFinished   Gate = "plan-finished"      // applied or undone already
	GateMany       Gate = "too-many-keys"      // more than --max-keys
	GateConfirm    Gate = "not-confirmed"      // nobody typed the answer
	GateDrift      Gate = "changed-at-aws"     // since the plan was made
	GateNotApplied Gate = "nothing-to-undo"    // by this plan
)

// A RefusedError names the gate that refused a key or a plan.
type RefusedError struct {
	Gate Gate
	Why  string
}

// Error implements error.
func (e *RefusedError) Error() string { return fmt.Sprintf("refused (%s): %s", e.Gate, e.Why) }

// Refuse returns a RefusedError.
func Refuse(g Gate, format string, args ...any) error {
	return &RefusedError{g, fmt.Sprintf(format, args...)}
}

// Refused returns the gate of the RefusedError in err, or "".
func Refused(err error) Gate {
	var e *RefusedError
	if errors.As(err, &e) {
		return e.Gate
	}
	return ""
}
