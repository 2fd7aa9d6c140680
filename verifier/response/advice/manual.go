// Package advice writes for people: the text of plans, outcomes and journal records, and the
// tasks that stanch leaves to them, as commands to paste. stanch runs none of them.
package advice

import (
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/response"
)

// Manual returns the tasks for a leak that stanch leaves alone: one command or sentence an
// element.
func Manual(g response.Gate, leak *finding.Finding) []string {
	id := printable.CommandWord(leak.Match.Credential.ID, "KEY")
	account := printable.CommandWord(leak.Verdict.Identity.Account, "ACCOUNT")
	who := leak.Verdict.Identity
	switch {
	case who.Kind == "root" && response.IsSession(leak.Match.Credential.ID) && (g == response.GateRoot || g == response.GateManual):
		return manualRootSession(account)
	case g == response.GateRoot:
		return []string{
			"Sign in as the root user of account " + account + ": Security credentials > Access keys > Deactivate. Do not replace it.",
			"Or, from a report with its secret, plan that the key switches itself off, which can be undone in the console: stanch respond plan REPORT --self",
			"Or delete it for good, from the management account with centralized root access (iam:EnableOrganizationsRootCredentialsManagement). There is no session that may only deactivate it:",
			"aws sts assume-root --region us-east-1 --target-principal " + account +
				" --task-policy-arn arn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials",
			"and with the credentials that it prints:",
			"aws iam delete-access-key --access-key-id " + id,
		}
	case g == response.GateInUse && !response.IsSession(leak.Match.Credential.ID):
		return []string{"aws iam get-access-key-last-used --access-key-id " + id}
	case g == response.GateManual:
		return manualSession(leak)
	}
	return nil
}

// manualRootSession is about a session of the root user: it has no status, IAM attaches no
// policy to the root user, and --self is for keys.
func manualRootSession(account string) []string {
	return []string{
		"No call ends a session of the root user. It expires by itself: within an hour if an access key issued it (GetSessionToken), within 15 minutes if sts:AssumeRoot did.",
		"In a member account of an organization, a service control policy stops it at once: from the management account, deny everything where aws:PrincipalArn is arn:aws:iam::" + account + ":root.",
		"Find what issued it, since that issues the next one: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=GetSessionToken",
		"If that is an access key of the root user, sign in as the root user and deactivate that key: Security credentials > Access keys. If it is a sign-in, change the password of the root user, and look at its MFA.",
	}
}

// manualSession is about a session, or a credential, that no plan can shut off.
func manualSession(leak *finding.Finding) []string {
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
	// A plan without --self can shut it off.
	return []string{"Plan with your own identity, without --self, and with --role if the account is not yours: stanch respond plan REPORT --accounts " +
		printable.CommandWord(who.Account, "ACCOUNT")}
}
