package response

import (
	"errors"
	"fmt"
)

// A Gate names a reason not to touch a key. The names are part of the JSON of a
// plan.
type Gate string

// The gates. Those up to GateQuarantine are judged when a plan is made, and the most
// of them again when it is applied; the others only then.
const (
	GateNoKey      Gate = "no-key"             // there is no id to act on
	GateState      Gate = "not-live"           // no proof that it works
	GateStale      Gate = "proof-too-old"      // it worked, too long ago
	GateCanary     Gate = "canary"             // planted to raise an alarm
	GateIdentity   Gate = "identity-unknown"   // whose it is is not known, or two answers differ
	GateAccount    Gate = "account-not-listed" // not in an account that the operator allowed
	GateRoot       Gate = "root"               // only its owner can
	GateManual     Gate = "manual"             // there is no call for it
	GateResponder  Gate = "no-responder"       // no identity in the account
	GateOwn        Gate = "operator-itself"    // the operator would cut themselves off
	GateProtected  Gate = "protected"          // by tag, or by the break-glass list
	GateUnreadable Gate = "not-readable"       // what a gate needs to know cannot be read
	GateInUse      Gate = "in-use"             // something works with it
	GateSelf       Gate = "self"               // the leaked key would be used, and nobody asked for it, or not so
	GateQuarantine Gate = "quarantined"        // AWS denies the leaked key what --self needs
	GateSchema     Gate = "plan-schema"        // of another version
	GateChanged    Gate = "plan-changed"       // after it was made
	GateOtherKey   Gate = "plan-inconsistent"  // steps about something else than their key
	GateHash       Gate = "plan-not-approved"  // another one than was approved
	GateExpired    Gate = "plan-expired"       // or from the future
	GateFinished   Gate = "plan-finished"      // applied or undone already
	GateMany       Gate = "too-many-keys"      // more than --max-keys
	GateConfirm    Gate = "not-confirmed"      // nobody typed what was asked for
	GateDrift      Gate = "changed-at-aws"     // since the plan was made
	GateNotApplied Gate = "nothing-to-undo"    // by this plan
)

// A RefusedError says which gate held.
type RefusedError struct {
	Gate Gate
	Why  string
}

// Error implements error.
func (e *RefusedError) Error() string { return fmt.Sprintf("refused (%s): %s", e.Gate, e.Why) }

func Refuse(g Gate, format string, args ...any) error {
	return &RefusedError{g, fmt.Sprintf(format, args...)}
}

// Refused returns the gate that err is about, or "".
func Refused(err error) Gate {
	var e *RefusedError
	if errors.As(err, &e) {
		return e.Gate
	}
	return ""
}
