package assessment

import (
	"context"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// maxDepth is more than the levels of an organization: the account, five levels of
// organizational units, and the root (AWS Organizations, quotas).
const maxDepth = 7

// controlPolicies names the service control policies that are in force for the account:
// its own, and those of all that it is in. It asks with the operator's own identity, as
// organization does.
func (c *account) controlPolicies(ctx context.Context) {
	const name = "control-policies"
	var limits []string // that are not FullAWSAccess, which allows all
	list := operator.Call{Service: "organizations", Action: "ListPoliciesForTarget"}
	target := c.id
	for range maxDepth {
		names, err := c.policiesFor(ctx, target)
		if err != nil {
			c.unknown(name, list, err)
			return
		}
		for _, policy := range names {
			if policy != "FullAWSAccess" {
				limits = append(limits, fmt.Sprintf("%s of %s", policy, target))
			}
		}
		if strings.HasPrefix(target, "r-") {
			break
		}
		var out struct{ Parents []struct{ ID string } } // one: an account or unit has one parent
		parents := operator.Call{Service: "organizations", Action: "ListParents", Body: map[string]string{"ChildId": target}}
		if err := c.Operator.Own().Do(ctx, parents, &out); err != nil {
			c.unknown(name, parents, err)
			return
		}
		if len(out.Parents) == 0 {
			break
		}
		target = out.Parents[0].ID
	}
	if len(limits) == 0 {
		c.add(name, "none that limits the account", notable, source(list))
		return
	}
	c.add(name, strings.Join(limits, ", "), neutral, source(list))
}

// policiesFor lists the names of the service control policies that are attached to target:
// an account, an organizational unit or the root of the organization.
func (c *account) policiesFor(ctx context.Context, target string) (names []string, err error) {
	body := map[string]string{"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY"}
	call := operator.Call{Service: "organizations", Action: "ListPoliciesForTarget", Body: body}
	for range maxPages {
		var page struct {
			Policies  []struct{ Name string }
			NextToken string
		}
		if err := c.Operator.Own().Do(ctx, call, &page); err != nil {
			return nil, err
		}
		for _, p := range page.Policies {
			names = append(names, p.Name)
		}
		if page.NextToken == "" {
			break
		}
		body["NextToken"] = page.NextToken
	}
	return names, nil
}
