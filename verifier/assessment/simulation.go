package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// triedActions are the actions to simulate: actions that give a key more rights, and
// actions that keys are usually stolen for.
var triedActions = []struct {
	action string
	risk   int
}{
	{"iam:CreateAccessKey", act},
	{"iam:CreateLoginProfile", act},
	{"iam:AttachUserPolicy", act},
	{"iam:PutUserPolicy", act},
	{"iam:AddUserToGroup", act},
	{"iam:CreatePolicyVersion", act},
	{"iam:UpdateAssumeRolePolicy", act},
	{"iam:PassRole", act},
	{"sts:AssumeRole", bad},
	{"ec2:RunInstances", bad},
	{"lambda:CreateFunction", bad},
	{"lambda:UpdateFunctionCode", bad},
	{"s3:GetObject", bad},
	{"s3:ListAllMyBuckets", notable},
	{"secretsmanager:GetSecretValue", act},
	{"kms:Decrypt", bad},
	{"bedrock:InvokeModel", bad},
	{"ses:SendEmail", bad},
	{"cloudtrail:StopLogging", act},
	{"organizations:LeaveOrganization", act},
}

// escalations are ways to rights that the key does not have. Each needs all of its actions.
var escalations = []struct {
	effect  string
	actions []string
}{
	{"makes keys for other users", []string{"iam:CreateAccessKey"}},
	{"signs in as other users", []string{"iam:CreateLoginProfile"}},
	{"gives itself any policy", []string{"iam:AttachUserPolicy"}},
	{"gives itself any policy", []string{"iam:PutUserPolicy"}},
	{"joins any group", []string{"iam:AddUserToGroup"}},
	{"rewrites the policies that it has", []string{"iam:CreatePolicyVersion"}},
	{"lets itself into any role", []string{"iam:UpdateAssumeRolePolicy", "sts:AssumeRole"}},
	{"runs a machine with any role", []string{"iam:PassRole", "ec2:RunInstances"}},
	{"runs a function with any role", []string{"iam:PassRole", "lambda:CreateFunction"}},
	{"changes what functions do with their roles", []string{"lambda:UpdateFunctionCode"}},
}

// simulate has IAM simulate triedActions on all resources. The simulation knows neither
// service control policies nor conditions that it is not given.
func (r *inquiry) simulate(ctx context.Context) {
	if r.arn == "" || r.identity.Kind == "root" {
		return
	}
	c := r.iam("SimulatePrincipalPolicy", "PolicySourceArn", r.arn)
	for i, p := range triedActions {
		c.Params[fmt.Sprintf("ActionNames.member.%d", i+1)] = p.action
	}
	var out struct {
		Results []struct {
			Action   string `xml:"EvalActionName"`
			Decision string `xml:"EvalDecision"`
		} `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}
	if !r.read(ctx, "may", c, &out) {
		return
	}
	var allowed []string
	for _, result := range out.Results {
		if result.Decision == "allowed" {
			allowed = append(allowed, result.Action)
		}
	}
	risk := neutral
	for _, p := range triedActions {
		if slices.Contains(allowed, p.action) {
			risk = max(risk, p.risk)
		}
	}
	text := fmt.Sprintf("none of the %d actions that were tried", len(triedActions))
	if len(allowed) > 0 {
		text = strings.Join(allowed, ", ")
	}
	r.add("may", text, risk, source(c))
	for _, p := range escalations {
		if !slices.ContainsFunc(p.actions, func(a string) bool { return !slices.Contains(allowed, a) }) {
			r.add("escalation", p.effect+", by "+strings.Join(p.actions, " and "), act, source(c))
		}
	}
}
