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
	var limits []string
	list := operator.Call{Service: "organizations", Action: "ListPoliciesForTarget"}
	target, rooted := c.id, false
	for range maxDepth {
		names, err := c.policiesFor(ctx, target)
		if err != nil {
			c.unknown(name, list, err)
			return
		}
		for _, policy := range names {
			limits = append(limits, fmt.Sprintf("%s of %s", policy, target))
		}
		if rooted = strings.HasPrefix(target, "r-"); rooted {
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
	if !rooted {
		c.add(name, unknownPrefix+"Organizations does not tell which root "+target+" is under", neutral, source(list))
		return
	}
	if len(limits) == 0 {
		c.add(name, "none that limits the account", notable, source(list))
		return
	}
	c.add(name, strings.Join(limits, ", "), neutral, source(list))
}

// fullAccess is the id of AWS's policy FullAWSAccess, which allows all.
const fullAccess = "p-FullAWSAccess"

// policiesFor lists the names of the service control policies that are attached to target,
// an account, an organizational unit or the root of the organization, but for fullAccess.
func (c *account) policiesFor(ctx context.Context, target string) (names []string, err error) {
	body := map[string]string{"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY"}
	call := operator.Call{Service: "organizations", Action: "ListPoliciesForTarget", Body: body}
	err = eachPage(func() (bool, error) {
		var page struct {
			Policies  []struct{ ID, Name string }
			NextToken string
		}
		if err := c.Operator.Own().Do(ctx, call, &page); err != nil {
			return false, err
		}
		for _, p := range page.Policies {
			if p.ID != fullAccess {
				names = append(names, p.Name)
			}
		}
		body["NextToken"] = page.NextToken
		return page.NextToken != "", nil
	})
	return names, err
}
