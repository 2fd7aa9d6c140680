package response_test

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestAdviceFits: a human is told to do only what can work for the kind of credential
// that leaked. Calls about access keys do not work for sessions, --self works for keys
// of users and of the root user alone, and IAM cannot change the roles of others.
func TestAdviceFits(t *testing.T) {
	const user, root = "arn:aws:iam::" + prod + ":user/ci/deploy", "arn:aws:iam::" + prod + ":root"
	role := func(name string) string { return "arn:aws:sts::" + prod + ":assumed-role/" + name + "/x" }
	const linked, sso = "AWSServiceRoleForSupport", "AWSReservedSSO_Admin_0123456789abcdef"
	for _, tt := range []struct {
		name, prefix   string
		kind, who, arn string
		self, mayAudit bool
		gate           response.Gate
		why, do, not   string
		spoil          func(*incident)
	}{
		{name: "root session", prefix: "ASIA", kind: "root", arn: root, gate: response.GateRoot, why: "a session of the root user", do: "service control policy", not: "--self"},
		{name: "root session, audited", prefix: "ASIA", kind: "root", arn: root, mayAudit: true, gate: response.GateRoot, why: "a session of the root user", do: "expires by itself", not: "--self"},
		{name: "root session, --self", prefix: "ASIA", kind: "root", arn: root, self: true, gate: response.GateManual, why: "cannot end itself", do: "service control policy", not: "service-linked"},
		{name: "root key", prefix: "AKIA", kind: "root", arn: root, gate: response.GateRoot, why: "a key of the root user", do: "--self", not: "GetSessionToken"},
		{name: "user session, --self", prefix: "ASIA", kind: "user", who: "deploy", arn: user, self: true, gate: response.GateManual, why: "cannot end itself", do: "without --self", not: "service-linked"},
		{name: "role session, --self", prefix: "ASIA", kind: "role", who: "builder", arn: role("builder"), self: true, gate: response.GateManual, why: "cannot end itself", do: "without --self", not: "service-linked"},
		{name: "Bedrock key, --self", kind: "user", self: true, gate: response.GateManual, why: "not an access key", do: "without --self", not: "service-linked", spoil: ofService},
		{name: "federated session", prefix: "ASIA", kind: "federated", who: "x", arn: "arn:aws:sts::" + prod + ":federated-user/x", gate: response.GateManual, why: "federated", do: "GetFederationToken", not: "service-linked"},
		{name: "Identity Center", prefix: "ASIA", kind: "role", who: sso, arn: role(sso), gate: response.GateManual, why: "Identity Center", do: "identitystore:userId", not: "service-linked"},
		{name: "service-linked role", prefix: "ASIA", kind: "role", who: linked, arn: role(linked), gate: response.GateManual, why: "service-linked", do: "stop the resource", not: "--self"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.rules.Self, in.rules.ForceInUse = tt.self, tt.self
			in.aws.Change(ops, func(a *verifiertest.Account) { a.Management = tt.mayAudit })
			if tt.spoil != nil {
				tt.spoil(in)
			} else {
				in.leak.Match.Credential.ID = tt.prefix + in.leak.Match.Credential.ID[4:]
				in.leak.Verdict.Identity = verifier.Identity{Account: prod, Kind: tt.kind, Name: tt.who, ARN: tt.arn}
			}
			plan := in.plan(in.leak)
			if len(plan.Keys) != 0 || len(plan.Refused) != 1 {
				t.Fatalf("planned: %s", plan.Encode())
			}
			r := plan.Refused[0]
			do := strings.Join(r.Do, "\n")
			if r.Gate != tt.gate || !strings.Contains(r.Why, tt.why) || !strings.Contains(do, tt.do) || strings.Contains(do, tt.not) {
				t.Errorf("%s: %s\n%s", r.Gate, r.Why, do)
			}
			if strings.Contains(do, "access-key-id ASIA") {
				t.Errorf("a call about access keys for a session:\n%s", do)
			}
		})
	}
}

// TestNextFits: the same for what is left to do after a session was shut off, or once the
// key is deleted.
func TestNextFits(t *testing.T) {
	in := newIncident(t)
	key := in.plan(in.leak).Keys[0]
	session := key
	session.KeyID, session.Steps = "ASIA"+key.KeyID[4:], key.Steps[1:]
	service := key
	service.KeyID = "ACCA" + key.KeyID[4:] + "Q"
	for _, tt := range []struct {
		name    string
		o       response.Outcome
		do, not []string
	}{
		{"key", response.Outcome{Key: key, Status: "Inactive"}, []string{"delete-access-key"}, []string{"remove the policy"}},
		{"deleted key", response.Outcome{Key: key, Status: "absent"}, []string{"Move whatever used it to a role"}, []string{"delete-access-key", "last-used"}},
		{"service credential", response.Outcome{Key: service, Status: "Inactive"}, []string{"delete-service-specific-credential"}, []string{"delete-access-key"}},
		{"deleted service credential", response.Outcome{Key: service, Status: "absent"}, []string{"did with the service"}, []string{"delete-service-specific-credential"}},
		{"session of a user", response.Outcome{Key: session}, []string{"where the session was issued from"}, []string{"access-key-id ASIA", "another key"}},
	} {
		text := advised(tt.o)
		for _, s := range tt.do {
			if !strings.Contains(text, s) {
				t.Errorf("%s: %q is missing:\n%s", tt.name, s, text)
			}
		}
		for _, s := range tt.not {
			if strings.Contains(text, s) {
				t.Errorf("%s: %q is there:\n%s", tt.name, s, text)
			}
		}
	}
}

// advised returns the text about an outcome.
func advised(o response.Outcome) string {
	var b strings.Builder
	_ = (&advice.Page{W: &b}).WriteOutcomes([]response.Outcome{o}, "plan.json", response.Plan{}, advice.Flags{})
	return b.String()
}
