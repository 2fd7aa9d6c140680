package assessment

import (
	"context"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// authorizationDetails reads all policies of the account, which saves the questions about
// each user. If they cannot be read, those questions are asked.
func (c *account) authorizationDetails(ctx context.Context) {
	call := c.iam("GetAccountAuthorizationDetails", "MaxItems", "1000",
		"Filter.member.1", "User", "Filter.member.2", "Group", "Filter.member.3", "Role", "Filter.member.4", "LocalManagedPolicy")
	var all authorizations
	if c.read(ctx, "admins", call, &all) {
		c.details = &all
	}
}

// detailed adds the policies of a user, a role or a group after the details of the account.
// fact is "attached-policies", or "group-policies" of a group.
func (p *principal) detailed(fact string, d *principalDetail) {
	if d.Group == "" {
		p.arn = d.ARN
		p.add("boundary", orNone(d.Boundary), neutral, detailsSource)
	}
	p.addAttached(fact, d.Attached, detailsSource)
	p.addInline(fact, d.inlineNames(), detailsSource)
}

// policies asks for the policies of a user, a role or a group. noun and param are words of
// the API, such as User and UserName.
func (p *principal) policies(ctx context.Context, noun, param, name string) {
	var attached struct {
		User  []operator.AttachedPolicy `xml:"ListAttachedUserPoliciesResult>AttachedPolicies>member"`
		Role  []operator.AttachedPolicy `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member"`
		Group []operator.AttachedPolicy `xml:"ListAttachedGroupPoliciesResult>AttachedPolicies>member"`
	}
	fact := "attached-policies"
	if noun == "Group" {
		fact = "group-policies"
	}
	if c := p.iam("ListAttached"+noun+"Policies", param, name); p.read(ctx, fact, c, &attached) {
		p.addAttached(fact, slices.Concat(attached.User, attached.Role, attached.Group), source(c))
	}
	var inline struct {
		User  []string `xml:"ListUserPoliciesResult>PolicyNames>member"`
		Role  []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
		Group []string `xml:"ListGroupPoliciesResult>PolicyNames>member"`
	}
	if c := p.iam("List"+noun+"Policies", param, name); p.read(ctx, inlineFact(fact), c, &inline) {
		p.addInline(fact, slices.Concat(inline.User, inline.Role, inline.Group), source(c))
	}
}

// inlineFact returns the name of the fact about inline policies that goes with that about
// attached ones.
func inlineFact(fact string) string {
	if fact == "attached-policies" {
		return "inline-policies"
	}
	return fact
}

func (p *principal) addAttached(fact string, policies []operator.AttachedPolicy, source string) {
	var names []string
	for _, policy := range policies {
		names = append(names, policy.Name)
		p.judgePolicy(policy, source)
	}
	p.add(fact, orNone(strings.Join(names, ", ")), neutral, source)
}

func (p *principal) addInline(fact string, names []string, source string) {
	for _, name := range names {
		if operator.IsQuarantine(name) {
			p.quarantine(name, source)
		}
	}
	if fact = inlineFact(fact); fact != "group-policies" || len(names) > 0 {
		p.add(fact, orNone(strings.Join(names, ", ")), neutral, source)
	}
}

// judgePolicy adds a fact about a managed policy that is known by its name.
func (p *principal) judgePolicy(policy operator.AttachedPolicy, source string) {
	switch name := policy.Name; {
	case name == "AdministratorAccess":
		p.add("admin", name+": whoever has the key has the account", act, source)
	case name == "PowerUserAccess", name == "IAMFullAccess":
		p.add("admin", name, act, source)
	case operator.IsQuarantine(policy.ARN):
		p.quarantine(name, source)
	}
}

// quarantine adds that AWS has found the key.
func (p *principal) quarantine(policy, source string) {
	p.add("quarantine", policy+": AWS knows of the leak; leave it attached, and answer the support case", bad, source)
}

func (p *principal) groups(ctx context.Context) {
	var out struct {
		Names []string `xml:"ListGroupsForUserResult>Groups>member>GroupName"`
	}
	c := p.iam("ListGroupsForUser", "UserName", p.name)
	if !p.read(ctx, "groups", c, &out) {
		return
	}
	p.add("groups", orNone(strings.Join(out.Names, ", ")), neutral, source(c))
	for _, name := range out.Names {
		p.policies(ctx, "Group", "GroupName", name)
	}
}
