package verifiertest

import (
	"encoding/json"
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

// deniesOlder reports whether key belongs to a session that an inline policy of its user or
// role denies, because it was issued before the time in the policy.
func (a *AWS) deniesOlder(acct *Account, key Key) bool {
	issued, ok := a.issued[key.Credential.ID]
	if !ok || acct == nil {
		return false
	}
	var inline map[string]string
	parts := strings.Split(key.ARN, "/") // …:user/path/name, …:assumed-role/name/session
	if u := acct.Users[parts[len(parts)-1]]; u != nil && strings.Contains(parts[0], ":user") {
		inline = u.Inline
	} else if r := acct.Roles[parts[min(1, len(parts)-1)]]; r != nil {
		inline = r.Inline
	}
	for _, document := range inline {
		var p struct {
			Statement []struct {
				Effect    string
				Condition map[string]map[string]string
			}
		}
		if json.Unmarshal([]byte(document), &p) != nil {
			continue
		}
		for _, s := range p.Statement {
			before, err := time.Parse(time.RFC3339, s.Condition["DateLessThan"]["aws:TokenIssueTime"])
			if s.Effect == "Deny" && err == nil && issued.Truncate(time.Second).Before(before) { // AWS keeps whole seconds
				return true
			}
		}
	}
	return false
}
