// Package permissions writes the IAM policies that a response needs: the policies of the
// responder's role and of the operator, and the session policies that narrow them.
package permissions

import (
	"context"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// Permissions that a responder needs to plan, and to read back what it has changed.
var readActions = []string{
	"iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:ListUserTags", "iam:ListRoleTags",
	"iam:GetUser", "iam:GetRole", "iam:ListUsers", "iam:GetLoginProfile", "iam:ListServiceSpecificCredentials",
	"iam:ListAttachedUserPolicies", "iam:ListAttachedRolePolicies", "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:GetRolePolicy",
	"iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions",
	"cloudtrail:LookupEvents", "ec2:DescribeRegions",
}

// Permissions that a responder needs to apply and to undo, apart from managed policies.
var writeActions = []string{
	"iam:UpdateAccessKey", "iam:UpdateServiceSpecificCredential",
	"iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy",
}

var (
	attachActions = []string{"iam:AttachUserPolicy", "iam:DetachUserPolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy"}
	// managedActions are about a policy that takes the place of an inline one.
	managedActions = []string{"iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:DeletePolicy"}
)

// Read is the session policy of a responder that plans, or reads back: it can only read.
func Read() string {
	return operator.Policy(operator.Statement{Effect: "Allow", Action: readActions, Resource: []string{"*"}})
}

// Reading opens a session that can only read, in an account that the rules allow.
func Reading(ctx context.Context, op *operator.Operator, r response.Rules, account string) (*operator.Session, error) {
	if err := r.Allow(account, "", ""); err != nil {
		return nil, err
	}
	return op.In(ctx, account, "activity", Read())
}

// Write is the session policy of a responder that takes one step for k, or takes it back: it
// can change the one user or role that the step is about, and nothing else. Plans of older
// versions do not tell the path of a role.
func Write(k response.Key, s response.Step) string {
	resource := s.Resource
	if resource == "" && k.Kind == "role" {
		resource = "arn:" + partitionOf(k) + ":iam::" + k.Account + ":role/*" + k.Name
	} else if resource == "" {
		resource = k.ARN
	}
	actions := map[response.Action][]string{
		response.Deactivate: writeActions[:1], response.DisableServiceCredential: writeActions[1:2],
	}[s.Do]
	switch {
	case s.PutsPolicy() && s.Kind == "role":
		return operator.Policy(putPolicy(resource, s.ManagedARN(k), writeActions[4:], attachActions[2:])...)
	case s.PutsPolicy():
		return operator.Policy(putPolicy(resource, s.ManagedARN(k), writeActions[2:4], attachActions[:2])...)
	case s.Do == response.Quarantine:
		return operator.Policy(attach(attachActions[:2], []string{resource}, s.Object))
	}
	return operator.Policy(operator.Statement{Effect: "Allow", Action: actions, Resource: []string{resource}})
}

// putPolicy allows to put an inline policy on a principal, or a managed one in its place.
func putPolicy(principal, policy string, inline, attached []string) []operator.Statement {
	return []operator.Statement{
		{Effect: "Allow", Action: inline, Resource: []string{principal}},
		attach(attached, []string{principal}, policy),
		{Effect: "Allow", Action: managedActions, Resource: []string{policy}},
	}
}

// attach allows to attach and detach the policies that an ARN matches.
func attach(actions, principals []string, policy string) operator.Statement {
	return operator.Statement{
		Effect: "Allow", Action: actions, Resource: principals,
		Condition: map[string]map[string]string{"ArnLike": {"iam:PolicyARN": policy}},
	}
}

func partitionOf(k response.Key) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(k.ARN, "arn:"), ":")
	return partition
}

// Responder is the policy with the least rights for a responder's role, in a partition (aws,
// aws-cn, aws-us-gov, aws-eusc). It cannot delete or create a key, nor pass a role. The only
// policies that it can make or attach are those with a name of stanch's.
func Responder(partition string) string {
	users, roles := "arn:"+partition+":iam::*:user/*", "arn:"+partition+":iam::*:role/*"
	policies := "arn:" + partition + ":iam::*:policy/stanch-deny-*"
	quarantine := "arn:" + partition + ":iam::aws:policy/AWSCompromisedKeyQuarantineV3"
	return operator.Policy(
		operator.Statement{Sid: "Read", Effect: "Allow", Action: readActions, Resource: []string{"*"}},
		operator.Statement{Sid: "ShutOff", Effect: "Allow", Action: writeActions[:2], Resource: []string{users}},
		operator.Statement{Sid: "DenySessions", Effect: "Allow", Action: writeActions[2:],
			Resource: []string{users, roles}},
		withSid("DenySessionsWithoutRoom", attach(attachActions, []string{users, roles}, policies)),
		operator.Statement{Sid: "PoliciesOfStanch", Effect: "Allow", Action: managedActions, Resource: []string{policies}},
		withSid("Quarantine", attach(attachActions[:2], []string{users}, quarantine)),
		operator.Statement{Sid: "NeverTheProtected", Effect: "Deny", Action: slices.Concat(writeActions, attachActions), Resource: []string{"*"},
			Condition: map[string]map[string]string{"StringEquals": {"aws:ResourceTag/" + response.ProtectedTag: "true"}}},
	)
}

func withSid(sid string, s operator.Statement) operator.Statement {
	s.Sid = sid
	return s
}

// Operator is the policy with the least rights for the operator's own identity: to assume
// role, a name or an ARN, in the accounts of leaked keys, to look at the keys of their root
// users, to read the accounts' names and service control policies, and to send notices
// (--notify).
func Operator(partition, role string) string {
	arn := "arn:" + partition + ":iam::"
	if !strings.HasPrefix(role, "arn:") {
		role = arn + "*:role/" + role
	}
	return operator.Policy(
		operator.Statement{Sid: "Respond", Effect: "Allow", Action: []string{"sts:AssumeRole"}, Resource: []string{role}},
		operator.Statement{Sid: "LookAtRoot", Effect: "Allow", Action: []string{"sts:AssumeRoot"}, Resource: []string{arn + "*:root"},
			Condition: map[string]map[string]string{"ArnEquals": {"sts:TaskPolicyArn": arn + "aws:policy/root-task/IAMAuditRootUserCredentials"}}},
		operator.Statement{Sid: "Whose", Effect: "Allow", Resource: []string{"*"},
			Action: []string{"sts:GetAccessKeyInfo", "organizations:DescribeAccount", "organizations:ListTagsForResource",
				"organizations:ListPoliciesForTarget", "organizations:ListParents"}},
		operator.Statement{Sid: "Tell", Effect: "Allow", Resource: []string{"*"},
			Action: []string{"securityhub:BatchImportFindings", "events:PutEvents", "sns:Publish"}},
	)
}
