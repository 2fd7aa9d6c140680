package operator

import "strings"

// IsQuarantine reports whether policy is the name of a policy that AWS attaches to a user
// whose key it has found: AWSCompromisedKeyQuarantine, V2, V3 …, or the older
// AWSExposedCredentialPolicy_DO_NOT_REMOVE (aws-samples/aws-customer-playbook-framework,
// "Compromised_IAM_Credentials").
func IsQuarantine(policy string) bool {
	return strings.HasPrefix(policy, "AWSCompromisedKeyQuarantine") || policy == "AWSExposedCredentialPolicy_DO_NOT_REMOVE"
}
