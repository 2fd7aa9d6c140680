package operator

import "strings"

// IsQuarantine reports whether policy, a name or an ARN, is one that AWS attaches to a user
// whose key it has found: AWSCompromisedKeyQuarantine, V2, V3 …, or the older
// AWSExposedCredentialPolicy_DO_NOT_REMOVE (aws-samples/aws-customer-playbook-framework,
// "Compromised_IAM_Credentials"). The ARN of a customer's policy with such a name is none: an
// intruder can make that.
func IsQuarantine(policy string) bool {
	if prefix, name, ok := strings.Cut(policy, ":iam::aws:policy/"); ok && strings.HasPrefix(prefix, "arn:") {
		policy = name
	}
	return strings.HasPrefix(policy, "AWSCompromisedKeyQuarantine") || policy == "AWSExposedCredentialPolicy_DO_NOT_REMOVE"
}
