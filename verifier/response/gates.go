package response

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
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

func refuse(g Gate, format string, args ...any) error {
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

// Rules are what the operator allows. The zero Rules allow nothing.
type Rules struct {
	// Accounts are the only ones in which anything is changed.
	Accounts []string
	// BreakGlass are names or ARNs of users and roles that are never touched.
	BreakGlass []string
	// ForceInUse lets keys be shut off that something works with.
	ForceInUse bool
	// Self lets leaked keys switch themselves off, see self.go. Nothing of the
	// operator's is used then.
	Self bool
}

// ProtectedTag on a user or a role, with the value "true", keeps it from being
// touched.
const ProtectedTag = "stanch:protected"

const (
	// fresh is how long the word of STS that a key is live counts, if it cannot
	// be asked again for want of the secret.
	fresh = time.Hour
	// recentUse makes a key one that is in use.
	recentUse = 24 * time.Hour
)

// Check returns what is wrong with r.
func (r Rules) Check() error {
	if len(r.Accounts) == 0 {
		return errors.New("--accounts: list the accounts in which keys may be shut off")
	}
	for _, a := range r.Accounts {
		if !accountNumber().MatchString(a) {
			return fmt.Errorf("--accounts %s: not twelve digits", a)
		}
	}
	return nil
}

// allow judges what needs no question to AWS.
func (r Rules) allow(account, name, arn string) error {
	switch {
	case !slices.Contains(r.Accounts, account):
		return refuse(GateAccount, "account %s is not among those of --accounts", account)
	case slices.Contains(r.BreakGlass, name), slices.Contains(r.BreakGlass, arn):
		return refuse(GateProtected, "%s is on the break-glass list", name)
	}
	return nil
}

var (
	accessKeyID         = pattern(`^(AKIA|ASIA)[A-Z0-9]{12,124}$`)
	accountNumber       = pattern(`^[0-9]{12}$`)
	serviceCredentialID = pattern(`^ACCA[A-Z0-9]{12,124}$`)
	quarantineARN       = pattern(`^arn:aws[a-z-]*:iam::aws:policy/AWSCompromisedKeyQuarantineV[3-9]$`)
)

// pattern compiles a regexp when it is first needed: what does not respond to leaks, and
// hooks above all, is not to wait for it.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func isQuarantine(arn string) bool { return quarantineARN().MatchString(arn) }

// sameRole reports whether caller, an ARN of STS, is a session of the role.
func sameRole(caller, account, role string) bool {
	return strings.Contains(caller, "::"+account+":assumed-role/"+role+"/")
}
