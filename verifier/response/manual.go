package response

import (
	"regexp"
	"strings"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// word is what may stand in a command that people paste into a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/][A-Za-z0-9_+=,.@:/-]*$`)

func shellWord(s, placeholder string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return placeholder
}

// manual returns what a human can do about a leak that stanch does not touch: one
// command or sentence an element. Nothing of it is ever run by stanch.
func Manual(g Gate, leak Leak) []string {
	id := shellWord(leak.Credential.ID, "KEY")
	account := shellWord(leak.Verdict.Identity.Account, "ACCOUNT")
	who := leak.Verdict.Identity
	switch {
	case who.Kind == "root" && IsSession(leak.Credential.ID) && (g == GateRoot || g == GateManual):
		return manualRootSession(account)
	case g == GateRoot:
		return []string{
			"Sign in as the root user of account " + account + ": Security credentials > Access keys > Deactivate. Do not replace it.",
			"Or let the key switch itself off, which can be taken back in the console: stanch respond plan --self, from a report with its secret.",
			"Or delete it for good, from the management account with centralized root access (iam:EnableOrganizationsRootCredentialsManagement). There is no session that may only deactivate it:",
			"aws sts assume-root --region us-east-1 --target-principal " + account +
				" --task-policy-arn arn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials",
			"and with the credentials that it prints:",
			"aws iam delete-access-key --access-key-id " + id,
		}
	case g == GateState && leak.Verdict.State == verifier.IDActive && accessKeyID().MatchString(id):
		return []string{"If you know that it leaked, as by a mail of AWS: aws iam update-access-key --access-key-id " + id +
			" --status Inactive --user-name " + shellWord(who.Name, "USER")}
	case g == GateInUse && !IsSession(leak.Credential.ID):
		return []string{"aws iam get-access-key-last-used --access-key-id " + id}
	case g == GateManual:
		return manualSession(leak)
	}
	return nil
}

// manualRootSession is about a session of the root user. It has no status, IAM attaches
// no policy to the root user, and --self is for keys.
func manualRootSession(account string) []string {
	return []string{
		"No call ends a session of the root user. It is over by itself: after an hour at most if an access key issued it (GetSessionToken), after 15 minutes if sts:AssumeRoot did.",
		"In a member account of an organization, a service control policy stops it at once: from the management account, deny everything where aws:PrincipalArn is arn:aws:iam::" + account + ":root.",
		"Find what issued it, since that issues the next one: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=GetSessionToken",
		"If that is an access key of the root user, sign in as the root user and deactivate that key: Security credentials > Access keys. If it is a sign-in, change the password of the root user, and look at its MFA.",
	}
}

// manualSession is about a session, or a credential, that the plan cannot shut off.
func manualSession(leak Leak) []string {
	who := leak.Verdict.Identity
	switch {
	case who.Kind == "federated":
		return []string{"Deny its user everything for sessions: find the user in CloudTrail (GetFederationToken):",
			"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=GetFederationToken"}
	case strings.HasPrefix(who.Name, "AWSReservedSSO_"):
		return []string{
			"Deny it everything, in the inline policy of its permission set or in a service control policy: Effect Deny, Action *, Resource *, Condition StringEquals identitystore:userId, with the user id of the person in IAM Identity Center.",
			"So that the person gets no new one: IAM Identity Center > Users > Active sessions > Delete. That does not end the one that leaked.",
		}
	case strings.HasPrefix(who.Name, "AWSServiceRoleFor"):
		return []string{"Sessions of a service-linked role cannot be revoked: stop the resource that uses it."}
	}
	// It is --self that does not fit.
	return []string{"Plan with your own identity, without --self: stanch respond plan REPORT --accounts " +
		shellWord(who.Account, "ACCOUNT") + ", with --role if that is not your own account."}
}

// Permissions that a responder needs to plan.
var readActions = []string{
	"iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:ListUserTags", "iam:ListRoleTags",
	"iam:GetUser", "iam:ListAttachedUserPolicies", "iam:GetUserPolicy", "iam:GetRolePolicy", "iam:ListServiceSpecificCredentials",
}

// Permissions that a responder needs to apply and to undo.
var writeActions = []string{
	"iam:UpdateAccessKey", "iam:UpdateServiceSpecificCredential",
	"iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy",
}

func ReadPolicy() string {
	return operator.Policy(operator.Statement{Effect: "Allow", Action: readActions, Resource: []string{"*"}})
}

// writePolicy is what the responder may do while it applies or undoes k: it can
// read, and change this one principal.
func WritePolicy(k Key) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(k.ARN, "arn:"), ":")
	// An ARN of a user has its path; that of a role's session has not.
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

// ResponderPolicy is the least that a responder's role needs, to be attached to
// it, in a partition (aws, aws-cn, aws-us-gov, aws-eusc). It cannot delete or
// create a key, nor pass a role.
func ResponderPolicy(partition string) string {
	users, roles := "arn:"+partition+":iam::*:user/*", "arn:"+partition+":iam::*:role/*"
	return operator.Policy(
		operator.Statement{Sid: "Read", Effect: "Allow", Action: readActions, Resource: []string{"*"}},
		operator.Statement{Sid: "ShutOff", Effect: "Allow", Action: writeActions[:2], Resource: []string{users}},
		operator.Statement{Sid: "DenySessions", Effect: "Allow", Action: writeActions[2:],
			Resource: []string{users, roles}},
		withSid("Quarantine", quarantineStatement(partition, users)),
		operator.Statement{Sid: "NeverTheProtected", Effect: "Deny", Action: writeActions, Resource: []string{"*"},
			Condition: map[string]map[string]string{"StringEquals": {"aws:ResourceTag/" + ProtectedTag: "true"}}},
	)
}

func withSid(sid string, s operator.Statement) operator.Statement {
	s.Sid = sid
	return s
}

// OperatorPolicy is the least that the operator's own identity needs: to assume
// role in the accounts of leaked keys, to look at the keys of their root users, to
// know the accounts' names, and to tell others (--notify).
func OperatorPolicy(partition, role string) string {
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

// TrustPolicy lets principal, an ARN, assume the responder's role, with MFA and,
// if it is not "", with the external id.
func TrustPolicy(principal, externalID string) string {
	condition := map[string]map[string]string{"Bool": {"aws:MultiFactorAuthPresent": "true"}}
	if externalID != "" {
		condition["StringEquals"] = map[string]string{"sts:ExternalId": externalID}
	}
	return operator.Policy(operator.Statement{
		Sid: "Responders", Effect: "Allow", Action: []string{"sts:AssumeRole"},
		Principal: map[string]string{"AWS": principal}, Condition: condition,
	})
}
