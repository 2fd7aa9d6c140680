package response_test

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestSessionPolicies: the session that takes a step can change the one principal, and its
// policy fits into 2,048 characters for names and paths of the greatest length.
func TestSessionPolicies(t *testing.T) {
	name, path := strings.Repeat("n", 64), "/"+strings.Repeat("p", 510)+"/"
	role := "arn:aws-us-gov:iam::" + prod + ":role" + path + name
	user := "arn:aws-us-gov:iam::" + prod + ":user" + path + name
	k := response.Key{}
	k.Account, k.Kind, k.Name, k.ARN = prod, "user", name, user
	id := "0123456789ab"
	for _, s := range []response.Step{
		{Do: response.Deactivate, Kind: "user", Name: name, Resource: user},
		{Do: response.DenySessions, Kind: "user", Name: name, Resource: user, Object: response.PolicyName(id)},
		{Do: response.DenyConsole, Kind: "user", Name: name, Resource: user, Object: response.ConsolePolicyName(id)},
		{Do: response.Quarantine, Kind: "user", Name: name, Resource: user, Object: "arn:aws-us-gov:iam::aws:policy/AWSCompromisedKeyQuarantineV3"},
		{Do: response.DisableServiceCredential, Kind: "user", Name: name, Resource: user},
		{Do: response.DenySessions, Kind: "role", Name: name, Resource: role, Object: response.PolicyName(id)},
	} {
		policy := permissions.Write(k, s)
		if len(policy) > 2048 {
			t.Errorf("%s of a %s: %d characters", s.Do, s.Kind, len(policy))
		}
		if !verifiertest.Allows(policy, s.Permission(), s.Resource, s.Object) ||
			s.PutsPolicy() && !verifiertest.Allows(policy, "iam:CreatePolicy", s.ManagedARN(k), "") {
			t.Errorf("%s of a %s is not allowed: %s", s.Do, s.Kind, policy)
		}
		for _, other := range []string{strings.Replace(s.Resource, name, "my"+name, 1), strings.Replace(s.Resource, path, "/", 1)} {
			if verifiertest.Allows(policy, s.Permission(), other, s.Object) {
				t.Errorf("%s of a %s is allowed for %s", s.Do, s.Kind, other)
			}
		}
	}
	if n := len(permissions.Read()); n > 2048 {
		t.Errorf("to read: %d characters", n)
	}
}

// TestAnotherRole: the session that changes a role cannot change one whose name ends alike.
func TestAnotherRole(t *testing.T) {
	in := newIncident(t)
	ofRole(in)
	in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("mybuilder", ""); a.Roles["builder"].Path = "/ci/" })
	plan := in.plan(in.leak)
	step := plan.Keys[0].Steps[0]
	if step.Resource != "arn:aws:iam::"+prod+":role/ci/builder" {
		t.Fatalf("%+v", step)
	}
	s, err := in.operator().In(t.Context(), prod, "test", permissions.Write(plan.Keys[0], step))
	if err != nil {
		t.Fatal(err)
	}
	for name, allowed := range map[string]bool{"builder": true, "mybuilder": false} {
		err := s.Do(t.Context(), operator.Call{Service: "iam", Action: "PutRolePolicy",
			Params: map[string]string{"RoleName": name, "PolicyName": step.Object, "PolicyDocument": "{}"}}, nil)
		if (err == nil) != allowed {
			t.Errorf("%s: %v", name, err)
		}
	}
	in.aws.Deny("iam:GetRole")
	if plan := in.plan(in.leak); len(plan.Keys) != 0 || plan.Refused[0].Gate != response.GateUnreadable {
		t.Errorf("%s", plan.Encode())
	}
}

// TestOlderPlans: a plan without ARNs and without the state of the user is undone, and is
// confirmed as before.
func TestOlderPlans(t *testing.T) {
	for _, spoil := range []func(*incident){func(*incident) {}, ofRole} {
		in := newIncident(t)
		spoil(in)
		plan := in.plan(in.leak)
		plan.Users, plan.Keys[0].User = nil, nil
		for i := range plan.Keys[0].Steps {
			plan.Keys[0].Steps[i].Resource = ""
		}
		plan.Hash = plan.Sum()
		outcomes, err := in.apply(plan)
		if err != nil || outcomes[0].Result != response.Contained {
			t.Fatalf("%v %+v", err, outcomes)
		}
		if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
			t.Errorf("%v %+v", err, outcomes)
		}
	}
}
