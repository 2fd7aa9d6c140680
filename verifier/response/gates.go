package response

import (
	"cmp"
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
	for _, entry := range r.BreakGlass {
		if !breakGlass().MatchString(entry) {
			return fmt.Errorf("--break-glass: %q protects nothing: give a name, or an ARN of IAM without wildcards", entry)
		}
	}
	return nil
}

// allow judges what needs no question to AWS.
func (r Rules) Allow(account, name, arn string) error {
	switch {
	case !slices.Contains(r.Accounts, account):
		return Refuse(GateAccount, "account %s is not among those of --accounts", account)
	case slices.ContainsFunc(r.BreakGlass, func(entry string) bool { return names(entry, account, name, arn) }):
		return Refuse(GateProtected, "%s is on the break-glass list", cmp.Or(name, arn))
	}
	return nil
}

// names reports whether entry, of the break-glass list, names a user or a role: by its
// name, by what STS calls it, or by its ARN, of which STS does not tell the path of a
// role. IAM does not tell names apart by their case.
func names(entry, account, name, arn string) bool {
	kind := map[bool]string{true: "role", false: "user"}[strings.Contains(arn, ":assumed-role/")]
	_, path, of := strings.Cut(strings.ToLower(entry), ":iam::"+account+":"+kind+"/")
	return strings.EqualFold(entry, name) || strings.EqualFold(entry, arn) ||
		of && strings.EqualFold(path[strings.LastIndexByte(path, '/')+1:], name)
}

// protects reports whether tags have ProtectedTag. IAM does not tell keys of tags apart by
// their case.
func protects(tags map[string]string) bool {
	for key, value := range tags {
		if strings.EqualFold(key, ProtectedTag) && strings.EqualFold(value, "true") {
			return true
		}
	}
	return false
}

var (
	accessKeyID         = pattern(`^(AKIA|ASIA)[A-Z0-9]{12,124}$`)
	accountNumber       = pattern(`^[0-9]{12}$`)
	serviceCredentialID = pattern(`^ACCA[A-Z0-9]{12,124}$`)
	breakGlass          = pattern(`^([\w+=,.@-]+|arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:(root|[a-z-]+/[^*?]+))$`)
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
