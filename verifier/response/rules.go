package response

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rules are the operator's limits. The zero Rules allow nothing.
type Rules struct {
	// Accounts are the only ones in which anything is changed.
	Accounts []string
	// AccountsFrom is where Accounts are from, for errors; "" is --accounts.
	AccountsFrom string
	// BreakGlass are names or ARNs of users and roles that are never touched.
	BreakGlass []string
	// ForceInUse lets keys be shut off although something works with them.
	ForceInUse bool
	// Self lets leaked keys switch themselves off. Then the operator's own identity is not
	// used.
	Self bool
}

// ProtectedTag protects a user or a role that has it with the value "true".
const ProtectedTag = "stanch:protected"

var errNoAccounts = errors.New("--accounts: list the accounts in which keys may be shut off (or in STANCH_ACCOUNTS, or in a file: https://github.com/stanch-dev/stanch/blob/main/docs/configuration.md)")

// CheckFor is Check for work on keys of some accounts, which it names if r lists none. They
// allow nothing: the operator has to say which accounts are theirs.
func (r Rules) CheckFor(accounts []string) error {
	err := r.Check()
	accounts = slices.DeleteFunc(slices.Sorted(slices.Values(accounts)), func(a string) bool { return !accountNumber().MatchString(a) })
	accounts = slices.Compact(accounts)
	switch {
	case !errors.Is(err, errNoAccounts) || len(accounts) == 0:
		return err
	case len(accounts) == 1:
		return fmt.Errorf("%w. The keys are of account %s: if it is yours, add --accounts %[2]s", err, accounts[0])
	}
	return fmt.Errorf("%w. The keys are of %d accounts: of these, add those that are yours: --accounts %s", err, len(accounts), strings.Join(accounts, ","))
}

// Check returns an error if r is incomplete or has an entry that cannot be right.
func (r Rules) Check() error {
	if len(r.Accounts) == 0 {
		return errNoAccounts
	}
	for _, a := range r.Accounts {
		if !accountNumber().MatchString(a) {
			return fmt.Errorf("%s %s: not twelve digits", r.accountsFrom(), a)
		}
	}
	for _, entry := range r.BreakGlass {
		if !breakGlass().MatchString(entry) {
			return fmt.Errorf("--break-glass: %q protects nothing: give a name, or an ARN of IAM without wildcards", entry)
		}
	}
	return nil
}

// Allow judges a principal by the rules alone, without asking AWS.
func (r Rules) Allow(account, name, arn string) error {
	switch {
	case !slices.Contains(r.Accounts, account):
		return Refuse(GateAccount, "account %s is not listed in %s", account, r.accountsFrom())
	case slices.ContainsFunc(r.BreakGlass, func(entry string) bool { return names(entry, account, name, arn) }):
		return Refuse(GateProtected, "%s is on the break-glass list", cmp.Or(name, arn))
	}
	return nil
}

func (r Rules) accountsFrom() string { return cmp.Or(r.AccountsFrom, "--accounts") }

// names reports whether entry, of the break-glass list, names a user or a role. It may be a
// plain name, the principal as STS writes it, or an ARN of IAM. STS leaves the path of a
// role out, so the path is not compared. IAM ignores the case of names.
func names(entry, account, name, arn string) bool {
	ofRole := strings.Contains(arn, ":assumed-role/") || strings.Contains(arn, ":role/")
	kind := map[bool]string{true: "role", false: "user"}[ofRole]
	_, path, of := strings.Cut(strings.ToLower(entry), ":iam::"+account+":"+kind+"/")
	if _, session, ok := strings.Cut(strings.ToLower(entry), ":sts::"+account+":assumed-role/"); ok && ofRole {
		path, _, _ = strings.Cut(session, "/")
		of = true // one session of a role cannot be spared
	}
	return strings.EqualFold(entry, name) || strings.EqualFold(entry, arn) ||
		of && strings.EqualFold(path[strings.LastIndexByte(path, '/')+1:], name)
}
