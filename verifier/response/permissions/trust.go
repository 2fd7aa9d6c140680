package permissions

import (
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// Audience is what tokens of OpenID Connect are for if AWS takes them: that of
// aws-actions/configure-aws-credentials.
const Audience = "sts.amazonaws.com"

// Trust is the trust policy by which principal, an ARN, may assume a role: with the external
// id, if it is not "", and if mfa is true after a sign-in with MFA only. An access key of a user
// is no such sign-in, and neither is a session of a role: AWS keeps no MFA in what AssumeRole
// returns (IAM User Guide, "Secure API access with MFA").
func Trust(principal, externalID string, mfa bool) string {
	condition := map[string]map[string]string{}
	if mfa {
		condition["Bool"] = map[string]string{"aws:MultiFactorAuthPresent": "true"}
	}
	if externalID != "" {
		condition["StringEquals"] = map[string]string{"sts:ExternalId": externalID}
	}
	return operator.Policy(operator.Statement{
		Sid: "Responders", Effect: "Allow", Action: []string{"sts:AssumeRole"},
		Principal: map[string]string{"AWS": principal}, Condition: condition,
	})
}

// TrustOIDC is the trust policy by which a job with a token of OpenID Connect may assume a
// role: if it is a token of provider, the ARN of a provider in the account of the role, for
// audience, about subject. GitHub issues its tokens to each job of each repository there is,
// so it is the subject that tells yours apart.
func TrustOIDC(provider, audience, subject string) string {
	_, host, _ := strings.Cut(provider, ":oidc-provider/")
	return operator.Policy(operator.Statement{
		Sid: "Jobs", Effect: "Allow", Action: []string{"sts:AssumeRoleWithWebIdentity"},
		Principal: map[string]string{"Federated": provider},
		Condition: map[string]map[string]string{"StringEquals": {host + ":aud": audience, host + ":sub": subject}},
	})
}
