package permissions_test

import (
	"testing"

	"github.com/stanch-dev/stanch/verifier/response/permissions"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestTrust: each trust policy lets those assume the role that it is for, and nobody else.
func TestTrust(t *testing.T) {
	const (
		host    = "token.actions.githubusercontent.com"
		github  = "arn:aws:iam::111122223333:oidc-provider/" + host
		subject = "repo:acme/ops:ref:refs/heads/main"
		olga    = "arn:aws:iam::111122223333:user/olga"
		job     = "arn:aws:sts::111122223333:assumed-role/security/GitHubActions"
		assume  = "sts:AssumeRole"
		web     = "sts:AssumeRoleWithWebIdentity"
	)
	root := permissions.Trust("arn:aws:iam::111122223333:root", "example", true)
	role := permissions.Trust("arn:aws:iam::111122223333:role/security", "example", false)
	oidc := permissions.TrustOIDC(github, permissions.Audience, subject)
	id := func(more ...string) map[string]string {
		keys := map[string]string{"sts:ExternalId": "example"}
		for i := 0; i < len(more); i += 2 {
			keys[more[i]] = more[i+1]
		}
		return keys
	}
	token := func(aud, sub string) map[string]string {
		return map[string]string{host + ":aud": aud, host + ":sub": sub}
	}
	const mfa = "aws:MultiFactorAuthPresent"
	for _, tt := range []struct {
		name, policy, action, kind, principal string
		keys                                  map[string]string
		want                                  bool
	}{
		{"a user with MFA", root, assume, "AWS", olga, id(mfa, "true"), true},
		{"a user's key has no such context", root, assume, "AWS", olga, id(), false},
		{"a user who signed in without it", root, assume, "AWS", olga, id(mfa, "false"), false},
		{"a job's session has no such context", root, assume, "AWS", job, id(), false},
		{"no external id", root, assume, "AWS", olga, map[string]string{mfa: "true"}, false},
		{"another account", root, assume, "AWS", "arn:aws:iam::222233334444:user/olga", id(mfa, "true"), false},
		{"without MFA: a job", role, assume, "AWS", job, id(), true},
		{"without MFA: no external id", role, assume, "AWS", job, nil, false},
		{"without MFA: another role", role, assume, "AWS", "arn:aws:sts::111122223333:assumed-role/security2/x", id(), false},
		{"a token", oidc, web, "Federated", github, token(permissions.Audience, subject), true},
		{"a token of another repository", oidc, web, "Federated", github, token(permissions.Audience, "repo:acme/ops2:ref:refs/heads/main"), false},
		{"a token of a pull request", oidc, web, "Federated", github, token(permissions.Audience, "repo:acme/ops:pull_request"), false},
		{"a token for somebody else", oidc, web, "Federated", github, token("https://github.com/acme", subject), false},
		{"a token of another provider", oidc, web, "Federated", "arn:aws:iam::111122223333:oidc-provider/gitlab.com", token(permissions.Audience, subject), false},
		{"a token does not give AssumeRole", oidc, assume, "AWS", job, token(permissions.Audience, subject), false},
	} {
		if got := verifiertest.Trusts(tt.policy, tt.action, tt.kind, tt.principal, tt.keys); got != tt.want {
			t.Errorf("%s: %v\n%s", tt.name, got, tt.policy)
		}
	}
}
