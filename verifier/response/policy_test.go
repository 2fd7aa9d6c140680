package response_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestPolicyIsEnough: with the printed policy and nothing more, every kind of key is
// planned for, shut off, confirmed and undone; and there is no action in it that
// none of this uses. verifiertest holds each call against the role's policy and
// against the session's.
func TestPolicyIsEnough(t *testing.T) {
	policy := permissions.Responder("aws")
	used := map[string]bool{}
	for _, tt := range []struct {
		name  string
		spoil func(*incident)
	}{
		{"user", func(*incident) {}},
		{"user, off already", func(in *incident) {
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = true })
		}},
		{"quarantine", func(in *incident) { in.quarantine = true }},
		{"role", ofRole},
		{"console password", withPassword},
		{"assumed role", withAssumedRole},
		{"no room for inline policies", withoutRoomForTwo},
		{"service credential", ofService},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.aws.Change(prod, func(a *verifiertest.Account) { a.Roles["stanch-respond"].Policy = policy })
			tt.spoil(in)
			plan := in.plan(in.leak)
			outcomes, err := in.apply(plan)
			if err != nil || len(outcomes) != 1 || outcomes[0].Result != response.Contained {
				t.Fatalf("%v %+v\n%s", err, outcomes, plan.Encode())
			}
			a, closeJournal := in.applier()
			if outcomes, err = a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
				t.Errorf("%v %+v", err, outcomes)
			}
			closeJournal()
			if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
				t.Errorf("%v %+v", err, outcomes)
			}
			for _, r := range in.aws.Requests() {
				used[r.Service+":"+r.Action] = true
			}
		})
	}
	for _, action := range verifiertest.Actions(policy) {
		if !used[action] {
			t.Errorf("%s is in the policy, and nothing uses it", action)
		}
	}
	for _, never := range []string{"iam:DeleteAccessKey", "iam:CreateAccessKey", "iam:PassRole", "iam:DeleteLoginProfile", "iam:UpdateAssumeRolePolicy", "sts:AssumeRole"} {
		if slices.Contains(verifiertest.Actions(policy), never) {
			t.Errorf("%s is in the policy", never)
		}
	}
	admin := "arn:aws:iam::aws:policy/AdministratorAccess"
	if user := "arn:aws:iam::" + prod + ":user/x"; verifiertest.Allows(policy, "iam:AttachUserPolicy", user, admin) {
		t.Error("the policy lets attach AdministratorAccess")
	}
	for _, action := range []string{"iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy"} {
		if verifiertest.Allows(policy, action, "arn:aws:iam::"+prod+":policy/theirs", "") {
			t.Errorf("the policy allows %s for a policy that is not stanch's", action)
		}
	}
}

// ofRole makes the leak one of a session of the role builder.
func ofRole(in *incident) {
	in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("builder", "") })
	key := verifiertest.Role(prod, "builder", 9)
	in.aws.Set(key)
	in.leak.Match.Credential = key.Credential
	in.leak.Verdict.Identity = verifier.Identity{Account: prod, ARN: key.ARN, Kind: "role", Name: "builder"}
}

// ofService makes it one of a Bedrock API key.
func ofService(in *incident) {
	in.aws.Change(prod, func(*verifiertest.Account) {
		in.user.ServiceCreds = []*verifiertest.ServiceCredential{{ID: "ACCA" + strings.Repeat("B", 16), Service: "bedrock.amazonaws.com"}}
	})
	in.leak = finding.Finding{Match: detectors.Match{Rule: &detectors.Rule{ID: "aws-bedrock-api-key"}}, Verdict: verifier.Verdict{
		State: verifier.NotVerifiable, Identity: verifier.Identity{Account: prod}, Facts: []verifier.Fact{{Name: "iam-user", Value: "deploy"}},
	}}
}

// TestPolicyIsHeld: without an action of the policy something is not done: the
// test above would fail of a policy that is too small.
func TestPolicyIsHeld(t *testing.T) {
	in := newIncident(t)
	in.aws.Change(prod, func(a *verifiertest.Account) {
		a.Roles["stanch-respond"].Policy = strings.Replace(permissions.Responder("aws"), `"iam:UpdateAccessKey"`, `"iam:Nothing"`, 1)
	})
	outcomes, err := in.apply(in.plan(in.leak))
	if err != nil || outcomes[0].Result != response.Partly || !strings.Contains(strings.Join(outcomes[0].Why, "\n"), "deactivate: needs iam:UpdateAccessKey") {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestErrorClasses: every call of a response, with every class of error that IAM
// documents for them.
// Nothing is ever called contained that is not, each is told by its code, and the
// same plan can be ended when AWS has come round.
func TestErrorClasses(t *testing.T) {
	quarantined := func(in *incident) { in.quarantine = true }
	whole := allClasses(t)
	for i, tt := range []struct {
		call  string
		spoil func(*incident)
	}{
		{"iam:PutUserPolicy", quarantined},
		{"iam:UpdateAccessKey", quarantined},
		{"iam:AttachUserPolicy", quarantined},
		{"iam:GetUserPolicy", quarantined},
		{"iam:ListAttachedUserPolicies", quarantined},
		{"iam:ListAccessKeys", quarantined},
		{"iam:PutRolePolicy", ofRole},
		{"iam:GetRolePolicy", ofRole},
		{"iam:UpdateServiceSpecificCredential", ofService},
		{"iam:ListServiceSpecificCredentials", ofService},
		{"iam:CreatePolicy", withoutRoomForTwo},
		{"iam:AttachUserPolicy", withoutRoomForTwo},
		{"iam:CreatePolicyVersion", withoutRoomForTwo},
		{"iam:GetPolicyVersion", withoutRoomForTwo},
	} {
		for j, c := range errorClasses {
			if !whole && (i+j)%3 != 0 && c.code != "NoSuchEntity" {
				continue
			}
			t.Run(tt.call+" "+c.code, func(t *testing.T) {
				t.Parallel()
				in := newIncident(t)
				tt.spoil(in)
				plan := in.plan(in.leak)
				a, closeJournal := in.applier()
				if err := a.Admit(t.Context(), plan); err != nil {
					t.Fatal(err)
				}
				in.aws.Next(tt.call, c.answers()...)
				outcomes, err := a.Apply(t.Context(), plan)
				closeJournal()
				if err != nil {
					t.Fatal(err)
				}
				// That a policy is not there is no failure but an answer, and if there is no room
				// for an inline policy there may be for a managed one.
				fine := (tt.call == "iam:GetUserPolicy" || tt.call == "iam:GetRolePolicy") && c.code == "NoSuchEntity" ||
					strings.HasPrefix(tt.call, "iam:Put") && c.code == "LimitExceeded"
				if o := outcomes[0]; (o.Result == response.Contained) != fine || c.said(tt.call, o.Why) == fine {
					t.Errorf("%s: %q", o.Result, o.Why)
				}
				if fine {
					return
				}
				if outcomes, err = in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
					t.Errorf("again: %v %+v", err, outcomes)
				}
			})
		}
	}
}

// TestErrorClassesOfUndo: the same for the way back.
func TestErrorClassesOfUndo(t *testing.T) {
	whole := allClasses(t)
	for i, call := range []string{"iam:DeleteUserPolicy", "iam:DetachUserPolicy", "iam:UpdateAccessKey", "iam:GetUserPolicy"} {
		for j, c := range errorClasses {
			if !whole && (i+j)%3 != 0 && c.code != "NoSuchEntity" {
				continue
			}
			t.Run(call+" "+c.code, func(t *testing.T) {
				t.Parallel()
				in := newIncident(t)
				in.quarantine = true
				plan := in.plan(in.leak)
				if _, err := in.apply(plan); err != nil {
					t.Fatal(err)
				}
				in.aws.Next(call, c.answers()...)
				outcomes, err := in.undo(plan)
				if err != nil {
					t.Fatal(err)
				}
				// What is not there need not be removed.
				fine := call != "iam:UpdateAccessKey" && c.code == "NoSuchEntity"
				if o := outcomes[0]; (o.Result == response.Undone) != fine || c.said(call, o.Why) == fine {
					t.Errorf("%s %q", o.Result, o.Why)
				}
				if fine {
					return
				}
				if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
					t.Errorf("again: %v %+v", err, outcomes)
				}
			})
		}
	}
}

// An errorClass is one way in which AWS refuses. Codes that the same code path
// meets are one class: AWS documents some thirty.
type errorClass struct {
	status  int
	code    string
	retried bool
}

var errorClasses = []errorClass{
	{403, "AccessDenied", false},
	{404, "NoSuchEntity", false},
	{409, "LimitExceeded", false},
	{400, "InvalidInput", false},
	{400, "UnmodifiableEntity", false},
	{403, "InvalidClientTokenId", false},
	{400, "Throttling", true},
	{500, "ServiceFailure", true},
}

// allClasses reports whether each call is refused in each way. Otherwise each call meets
// every third class, in turns, and NoSuchEntity, the one whose meaning depends on the call.
func allClasses(t *testing.T) bool {
	t.Helper()
	return scannertest.WholeMatrix(t, "each call with each class of errors; here each call has a third of them")
}

// answers are as many as it takes to be refused for good.
func (c errorClass) answers() []verifiertest.Response {
	list := slices.Repeat([]verifiertest.Response{verifiertest.Failure(c.status, c.code, "said for a test")}, 5)
	if !c.retried {
		return list[:1]
	}
	return list
}

// said reports whether why names the code, or the permission that is missing.
func (c errorClass) said(call string, why []string) bool {
	text := strings.Join(why, "\n")
	return strings.Contains(text, c.code) || c.code == "AccessDenied" && strings.Contains(text, "needs "+call)
}

// TestErrorClassesOfPlans: the same for what a plan has to read. What is not known
// is not allowed, and a plan is not made.
func TestErrorClassesOfPlans(t *testing.T) {
	for _, call := range []string{"sts:AssumeRole", "iam:ListUserTags", "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"} {
		for _, answer := range []verifiertest.Response{
			verifiertest.Failure(403, "AccessDenied", "said for a test"),
			verifiertest.Failure(404, "NoSuchEntity", "said for a test"),
			verifiertest.Failure(400, "ValidationError", "said for a test"),
			verifiertest.Failure(403, "RegionDisabledException", "said for a test"),
			{Status: 403, Body: "<html>a proxy</html>"},
			{Status: 200, Body: "<html>a captive portal"},
			{Status: 200, Body: ""},
		} {
			in := newIncident(t)
			in.aws.Next(call, answer)
			plan := in.plan(in.leak)
			if len(plan.Keys) != 0 || len(plan.Refused) != 1 || plan.Refused[0].Why == "" {
				t.Errorf("%s, %d %.60s: %s", call, answer.Status, answer.Body, plan.Encode())
			}
		}
	}
}

// TestUsedForOneThing: over a whole incident, with everything that can go wrong on
// the way, a leaked key that is not asked to switch itself off is used for
// GetCallerIdentity and nothing else.
func TestUsedForOneThing(t *testing.T) {
	in := newIncident(t)
	in.sts(t.Context(), in.leak.Match.Credential)
	in.quarantine = true
	in.aws.Deny("iam:PutUserPolicy")
	plan := in.plan(in.leak)
	if _, err := in.apply(plan); err != nil {
		t.Fatal(err)
	}
	in.aws.Allow("iam:PutUserPolicy")
	in.aws.Next("iam:PutUserPolicy", verifiertest.Failure(400, "Throttling", "Rate exceeded"))
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	if _, err := in.undo(plan); err != nil {
		t.Fatal(err)
	}
	in.leak.Verdict.At = time.Now()
	again := in.plan(in.leak)
	if outcomes, err := in.apply(again); err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	in.leak.Match.Credential.Secret = detectors.Secret{}
	in.plan(in.leak)
	in.checkLeakedKey()
}
