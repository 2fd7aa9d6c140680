package verifiertest

import (
	"slices"
	"strings"
	"time"
)

// linger lets STS know a key for some time after IAM has set it to Inactive.
func (a *AWS) linger(id string) {
	k := a.keys[id]
	k.lingers = a.now().Add(a.Lag)
	a.keys[id] = k
}

// sessionToken answers sts:GetSessionToken: a session of the user that lives for 36
// hours, whatever becomes of the key.
func (a *AWS) sessionToken(key Key) Response {
	a.made++
	k := Role(accountOf(key.ARN), "session", 1<<20+a.made)
	k.ARN, k.UserID = key.ARN, key.UserID
	return a.session("GetSessionToken", k, 36*time.Hour)
}

// deniesOlder reports whether key belongs to a session that a policy of its user or role
// denies, because it was issued before the time in the policy, or because it is a session.
func (a *AWS) deniesOlder(acct *Account, key Key) bool {
	issued, ok := a.issued[key.Credential.ID]
	if !ok || acct == nil {
		return false
	}
	var documents []string
	parts := strings.Split(key.ARN, "/") // …:user/path/name, …:assumed-role/name/session
	if u := acct.Users[parts[len(parts)-1]]; u != nil && strings.Contains(parts[0], ":user") {
		documents = acct.documents(u.Inline, u.Attached)
	} else if r := acct.Roles[parts[min(1, len(parts)-1)]]; r != nil {
		documents = acct.documents(r.Inline, r.Attached)
	}
	return slices.ContainsFunc(documents, func(document string) bool { return deniesSession(document, issued) })
}
