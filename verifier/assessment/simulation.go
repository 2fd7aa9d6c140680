package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/activity"
)

// escalations are ways to rights that the key does not have. Each needs all of its actions,
// which activity.Actions has as Asked.
var escalations = []struct {
	effect  string
	actions []string
}{
	{"makes keys for other users", []string{"iam:CreateAccessKey"}},
	{"signs in as other users", []string{"iam:CreateLoginProfile"}},
	{"signs in as other users", []string{"iam:UpdateLoginProfile"}},
	{"gives itself any policy", []string{"iam:AttachUserPolicy"}},
	{"gives itself any policy", []string{"iam:PutUserPolicy"}},
	{"gives its groups any policy", []string{"iam:AttachGroupPolicy"}},
	{"gives its groups any policy", []string{"iam:PutGroupPolicy"}},
	{"gives roles that it may assume any policy", []string{"iam:AttachRolePolicy", "sts:AssumeRole"}},
	{"gives roles that it may assume any policy", []string{"iam:PutRolePolicy", "sts:AssumeRole"}},
	{"joins any group", []string{"iam:AddUserToGroup"}},
	{"rewrites the policies that it has", []string{"iam:CreatePolicyVersion"}},
	{"takes older versions of the policies that it has", []string{"iam:SetDefaultPolicyVersion"}},
	{"lets itself into any role", []string{"iam:UpdateAssumeRolePolicy", "sts:AssumeRole"}},
	{"runs a machine with any role", []string{"iam:PassRole", "ec2:RunInstances"}},
	{"runs a function with any role", []string{"iam:PassRole", "lambda:CreateFunction"}},
	{"makes a stack with any role", []string{"iam:PassRole", "cloudformation:CreateStack"}},
	{"opens a development endpoint with any role", []string{"iam:PassRole", "glue:CreateDevEndpoint"}},
	{"changes what functions do with their roles", []string{"lambda:UpdateFunctionCode"}},
	{"runs commands on machines with their roles", []string{"ssm:SendCommand"}},
}

// triedActions are the actions to simulate: those that give a key more rights, and those
// that keys are usually stolen for.
func triedActions() []activity.Action {
	return slices.DeleteFunc(slices.Clone(activity.Actions), func(a activity.Action) bool { return !a.Asked })
}

// simulate has IAM simulate triedActions on all resources. The simulation knows neither
// service control policies nor conditions that it is not given.
func (r *inquiry) simulate(ctx context.Context) {
	if r.arn == "" || r.identity.Kind == "root" {
		return
	}
	c := r.iam("SimulatePrincipalPolicy", "PolicySourceArn", r.arn)
	tried := triedActions()
	for i, a := range tried {
		c.Params[fmt.Sprintf("ActionNames.member.%d", i+1)] = a.Name
	}
	var out struct {
		Results []struct {
			Action   string   `xml:"EvalActionName"`
			Decision string   `xml:"EvalDecision"`
			Missing  []string `xml:"MissingContextValues>member"` // that conditions of its policies need
		} `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}
	if !r.read(ctx, "may", c, &out) {
		return
	}
	var allowed, open []string
	for _, result := range out.Results {
		switch {
		case result.Decision == "allowed":
			allowed = append(allowed, result.Action)
		case result.Decision != "explicitDeny" && len(result.Missing) > 0:
			open = append(open, result.Action)
		}
	}
	risk := neutral
	for _, a := range tried {
		if slices.Contains(allowed, a.Name) {
			risk = max(risk, int(a.Granted))
		}
	}
	text := fmt.Sprintf("none of the %d actions that were tried", len(tried))
	if len(allowed) > 0 {
		text = strings.Join(allowed, ", ")
	}
	if len(open) > 0 {
		text, risk = text+"; under conditions that are not known "+strings.Join(open, ", "), max(risk, notable)
	}
	r.add("may", text, risk, source(c))
	for _, p := range escalations {
		if !slices.ContainsFunc(p.actions, func(a string) bool { return !slices.Contains(allowed, a) }) {
			r.add("escalation", p.effect+", by "+strings.Join(p.actions, " and "), act, source(c))
		}
	}
}
