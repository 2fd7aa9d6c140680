package response

import (
	"regexp"
	"strings"
	"sync"
)

var (
	accountNumber       = pattern(`^[0-9]{12}$`)
	serviceCredentialID = pattern(`^ACCA[A-Z0-9]{12,124}$`)
	breakGlass          = pattern(`^([\w+=,.@-]+|arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:(root|[a-z-]+/[^*?]+))$`)
	quarantineARN       = pattern(`^arn:aws[a-z-]*:iam::aws:policy/AWSCompromisedKeyQuarantineV[3-9]$`)
)

// pattern compiles a regexp when it is first needed, so that other commands, hooks above
// all, do not wait for it.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func isQuarantine(arn string) bool { return quarantineARN().MatchString(arn) }

// IsServiceCredentialID reports whether id is the id of a service-specific credential.
func IsServiceCredentialID(id string) bool { return serviceCredentialID().MatchString(id) }

// IsSession reports whether id belongs to a temporary key, which has no status.
func IsSession(id string) bool { return strings.HasPrefix(id, "ASIA") }

// sameRole reports whether caller, an ARN of STS, is a session of the role.
func sameRole(caller, account, role string) bool {
	return strings.Contains(caller, "::"+account+":assumed-role/"+role+"/")
}

// SamePrincipal reports whether arn is the ARN of the user or role with a name. It is true
// for all other kinds, which have gates of their own.
func SamePrincipal(kind, account, name, arn string) bool {
	switch kind {
	case "user":
		return strings.Contains(arn, ":iam::"+account+":user/") && strings.HasSuffix(arn, "/"+name)
	case "role":
		return sameRole(arn, account, name)
	}
	return true
}

// isPrincipal reports whether arn, of IAM and with its path, is that of the user or role with
// a name.
func isPrincipal(arn, account, kind, name string) bool {
	f := strings.Split(arn, ":")
	return len(f) == 6 && f[0] == "arn" && f[2] == "iam" && f[4] == account && accountNumber().MatchString(account) &&
		strings.HasPrefix(f[5], kind+"/") && strings.HasSuffix(f[5], "/"+name) && !strings.ContainsAny(arn, "*?")
}

// IsRole reports whether arn is that of a role of IAM, with its path.
func IsRole(arn string) bool {
	f := strings.Split(arn, ":")
	return len(f) == 6 && isPrincipal(arn, f[4], "role", arn[strings.LastIndexByte(arn, '/')+1:])
}

// PolicyName is the name of the policy that a plan puts on a user or a role to deny older
// sessions. Each plan has one of its own, so that no policy is ever overwritten, and undo
// removes only the policy that stanch made.
func PolicyName(id string) string { return "stanch-deny-older-sessions-" + id }

// ConsolePolicyName is the name of the policy that a plan puts on a user with a console
// password.
func ConsolePolicyName(id string) string { return "stanch-deny-console-" + id }

// ManagedName is the name of the managed policy that takes the place of the inline policy of
// s, if there is no room for an inline one. The principals of a plan have one each.
func (s Step) ManagedName() string { return s.Object + "-" + s.Kind + "-" + s.Name }

// ManagedARN returns the ARN of that policy, in the account of the principal.
func (s Step) ManagedARN(k Key) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(k.ARN, "arn:"), ":")
	return "arn:" + partition + ":iam::" + s.Account(k) + ":policy/" + s.ManagedName()
}
