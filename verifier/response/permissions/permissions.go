// Package permissions writes the IAM policies that a response needs: the policies of the
// responder's role and of the operator, and the session policies that narrow them.
package permissions

import (
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// Permissions that a responder needs to plan.
var readActions = []string{
	"iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:ListUserTags", "iam:ListRoleTags",
	"iam:GetUser", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:GetRolePolicy", "iam:ListServiceSpecificCredentials",
}

// Permissions that a responder needs to apply and to undo.
var writeActions = []string{
	"iam:UpdateAccessKey", "iam:UpdateServiceSpecificCredential",
	"iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy",
}

// Read is the session policy of a responder that plans: it can only read.
func Read() string {
	return operator.Policy(operator.Statement{Effect: "Allow", Action: readActions, Resource: []string{"*"}})
}

// Write is the session policy of a responder that applies or undoes k: it can read, and
// change this one principal.
func Write(k response.Key) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(k.ARN, "arn:"), ":")
	// The ARN of a user has its path; the ARN of a role's session has not.
	resource := k.ARN
	if k.Kind == "role" {
		resource = "arn:" + partition + ":iam::" + k.Account + ":role/*" + k.Name
	}
	statements := []operator.Statement{
		{Effect: "Allow", Action: readActions, Resource: []string{"*"}},
		{Effect: "Allow", Action: writeActions, Resource: []string{resource}},
	}
	if k.Kind == "user" {
		statements = append(statements, quarantineStatement(partition, resource))
	}
	return operator.Policy(statements...)
}

func quarantineStatement(partition, resource string) operator.Statement {
	return operator.Statement{
		Effect: "Allow", Action: []string{"iam:AttachUserPolicy", "iam:DetachUserPolicy"}, Resource: []string{resource},
		Condition: map[string]map[string]string{
			"ArnLike": {"iam:PolicyARN": "arn:" + partition + ":iam::aws:policy/AWSCompromisedKeyQuarantineV3"},
		},
	}
}

// Responder is the policy with the least rights for a responder's role, in a partition (aws,
// aws-cn, aws-us-gov, aws-eusc). It cannot delete or create a key, nor pass a role.
func Responder(partition string) string {
	users, roles := "arn:"+partition+":iam::*:user/*", "arn:"+partition+":iam::*:role/*"
	return operator.Policy(
		operator.Statement{Sid: "Read", Effect: "Allow", Action: readActions, Resource: []string{"*"}},
		operator.Statement{Sid: "ShutOff", Effect: "Allow", Action: writeActions[:2], Resource: []string{users}},
		operator.Statement{Sid: "DenySessions", Effect: "Allow", Action: writeActions[2:],
			Resource: []string{users, roles}},
		withSid("Quarantine", quarantineStatement(partition, users)),
		operator.Statement{Sid: "NeverTheProtected", Effect: "Deny", Action: writeActions, Resource: []string{"*"},
			Condition: map[string]map[string]string{"StringEquals": {"aws:ResourceTag/" + response.ProtectedTag: "true"}}},
	)
}

func withSid(sid string, s operator.Statement) operator.Statement {
	s.Sid = sid
	return s
}

// Operator is the policy with the least rights for the operator's own identity: to assume
// role in the accounts of leaked keys, to look at the keys of their root users, to read the
// accounts' names, and to send notices (--notify).
func Operator(partition, role string) string {
	arn := "arn:" + partition + ":iam::"
	return operator.Policy(
		operator.Statement{Sid: "Respond", Effect: "Allow", Action: []string{"sts:AssumeRole"}, Resource: []string{arn + "*:role/" + role}},
		operator.Statement{Sid: "LookAtRoot", Effect: "Allow", Action: []string{"sts:AssumeRoot"}, Resource: []string{arn + "*:root"},
			Condition: map[string]map[string]string{"ArnEquals": {"sts:TaskPolicyArn": arn + "aws:policy/root-task/IAMAuditRootUserCredentials"}}},
		operator.Statement{Sid: "Whose", Effect: "Allow", Action: []string{"sts:GetAccessKeyInfo", "organizations:DescribeAccount", "organizations:ListTagsForResource"}, Resource: []string{"*"}},
		operator.Statement{Sid: "Tell", Effect: "Allow", Resource: []string{"*"},
			Action: []string{"securityhub:BatchImportFindings", "events:PutEvents", "sns:Publish"}},
	)
}

// Trust is the trust policy by which principal, an ARN, may assume the responder's role:
// with MFA and, if it is not "", with the external id.
func Trust(principal, externalID string) string {
	condition := map[string]map[string]string{"Bool": {"aws:MultiFactorAuthPresent": "true"}}
	if externalID != "" {
		condition["StringEquals"] = map[string]string{"sts:ExternalId": externalID}
	}
	return operator.Policy(operator.Statement{
		Sid: "Responders", Effect: "Allow", Action: []string{"sts:AssumeRole"},
		Principal: map[string]string{"AWS": principal}, Condition: condition,
	})
}
