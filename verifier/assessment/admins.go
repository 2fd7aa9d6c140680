package assessment

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxNames bounds the names in a fact.
const maxNames = 20

// administrators counts the users and roles that have all rights. A user whose key leaks
// should not be one, and people should be roles. Boundaries and service control policies
// are not looked at: they limit the rights, and may be taken off.
func (c *account) administrators() {
	if c.details == nil {
		return // the fact "admins" says why
	}
	all := documents(c.details.Policies)
	groups := map[string]bool{}
	for i := range c.details.Groups {
		g := &c.details.Groups[i]
		groups[g.Group] = g.isAdmin(all)
	}
	var names []string
	for i := range c.details.Users {
		u := &c.details.Users[i]
		if u.isAdmin(all) || slices.ContainsFunc(u.Groups, func(g string) bool { return groups[g] }) {
			names = append(names, "user "+u.User)
		}
	}
	risk := neutral
	if len(names) > 0 {
		risk = notable // a key of a user is good until somebody shuts it off
	}
	for i := range c.details.Roles {
		if r := &c.details.Roles[i]; r.isAdmin(all) {
			names = append(names, "role "+r.Role)
		}
	}
	text := fmt.Sprintf("%d of %d users and roles", len(names), len(c.details.Users)+len(c.details.Roles))
	if len(names) > 0 {
		text += ": " + strings.Join(names[:min(len(names), maxNames)], ", ")
	}
	if more := len(names) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	c.add("admins", text, risk, detailsSource)
}

const detailsSource = "iam:GetAccountAuthorizationDetails"

// documents returns the default versions of policies, by ARN.
func documents(policies []managedPolicy) map[string]string {
	texts := map[string]string{}
	for _, p := range policies {
		for _, v := range p.Versions {
			if v.Default {
				texts[p.ARN] = v.Document
			}
		}
	}
	return texts
}

// isAdmin reports whether p has all rights by a policy of its own. managed are the
// documents of customer-managed policies, by ARN.
func (p *principalDetail) isAdmin(managed map[string]string) bool {
	for _, a := range p.Attached {
		if strings.HasSuffix(a.ARN, ":iam::aws:policy/AdministratorAccess") || allowsAll(managed[a.ARN]) {
			return true
		}
	}
	return slices.ContainsFunc(p.inline(), func(i inlinePolicy) bool { return allowsAll(i.Document) })
}

// allowsAll reports whether a URL-encoded policy document allows every action on every
// resource. A statement with a condition does not count.
func allowsAll(document string) bool {
	text, err := url.QueryUnescape(document)
	if err != nil {
		return false
	}
	var policy struct{ Statement oneOrMore[statement] }
	if json.Unmarshal([]byte(text), &policy) != nil {
		return false
	}
	return slices.ContainsFunc(policy.Statement, func(s statement) bool {
		return s.Effect == "Allow" && len(s.Condition) == 0 && slices.Contains(s.Resource, "*") &&
			(slices.Contains(s.Action, "*") || slices.Contains(s.Action, "*:*"))
	})
}

type statement struct {
	Effect           string
	Action, Resource oneOrMore[string]
	Condition        map[string]any
}

// oneOrMore reads a list that may be a single value, as in policies.
type oneOrMore[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	var one T
	if err := json.Unmarshal(text, &one); err == nil {
		*l = []T{one}
		return nil
	}
	return json.Unmarshal(text, (*[]T)(l))
}
