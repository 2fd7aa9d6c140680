package verifiertest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// allowed reports whether the policies of a session allow a call: the policy of its role,
// and the session policy.
func (a *AWS) allowed(acct *Account, key Key, permission string, form url.Values) bool {
	resource := "*"
	if name := form.Get("UserName"); name != "" && acct.Users[name] != nil {
		resource = acct.Users[name].arn(acct)
	} else if name := form.Get("RoleName"); name != "" && acct.Roles[name] != nil {
		resource = acct.Roles[name].arn(acct)
	} else if name := form.Get("PolicyName"); permission == "iam:CreatePolicy" {
		resource = "arn:aws:iam::" + acct.ID + ":policy/" + name
	} else if arn := form.Get("PolicyArn"); arn != "" {
		resource = arn
	}
	for _, policy := range a.policies[key.Credential.ID] {
		if policy != "" && !Allows(policy, permission, resource, form.Get("PolicyArn")) {
			return false
		}
	}
	return true
}

// Allows reports whether an IAM policy allows an action on a resource: some statement
// allows it, and none denies it. It evaluates one condition, iam:PolicyARN, against
// policyARN. It takes any other condition for true in an allowing statement, and for false
// in a denying one.
func Allows(policy, action, resource, policyARN string) bool {
	var p struct {
		Statement []struct {
			Effect           string
			Action, Resource []string
			Condition        map[string]map[string]string
		}
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return false
	}
	allow := false
	for _, s := range p.Statement {
		like, limited := s.Condition["ArnLike"]["iam:PolicyARN"]
		switch {
		case !slices.Contains(s.Action, action), !slices.ContainsFunc(s.Resource, func(r string) bool { return matches(r, resource) }):
		case limited && !matches(like, policyARN):
		case s.Effect == "Deny" && len(s.Condition) == 0:
			return false
		case s.Effect == "Allow":
			allow = true
		}
	}
	return allow
}

// Actions returns the actions that a policy allows, sorted.
func Actions(policy string) (actions []string) {
	var p struct {
		Statement []struct {
			Effect string
			Action []string
		}
	}
	_ = json.Unmarshal([]byte(policy), &p) // a text that is no policy has no statements
	for _, s := range p.Statement {
		if s.Effect == "Allow" {
			actions = append(actions, s.Action...)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

func matches(pattern, s string) bool {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(s)
}
