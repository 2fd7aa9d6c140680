package response_test

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// byControlPolicy is AWS's refusal of an action that no policy of the account can allow.
func byControlPolicy(action string) (r verifiertest.Response, sentence string) {
	sentence = "User: arn:aws:sts::" + prod + ":assumed-role/stanch-respond/stanch is not authorized to perform: " + action +
		" with an explicit deny in a service control policy"
	return verifiertest.Failure(403, "AccessDenied", sentence), sentence
}

// TestReasonOfAWS: who is refused by a service control policy is told so, in a plan, in
// an apply, in an undo and in the journal. That the role needs the permission, which it
// has, would send people the wrong way.
func TestReasonOfAWS(t *testing.T) {
	in := newIncident(t)
	refusal, sentence := byControlPolicy("iam:ListUserTags")
	in.aws.Next("iam:ListUserTags", refusal)
	if plan := in.plan(in.leak); len(plan.Refused) != 1 || plan.Refused[0].Gate != response.GateUnreadable ||
		!strings.HasSuffix(plan.Refused[0].Why, "iam:ListUserTags is denied; AWS says: "+sentence) {
		t.Errorf("%s", plan.Encode())
	}
	plan := in.plan(in.leak)
	refusal, sentence = byControlPolicy("iam:UpdateAccessKey")
	in.aws.Next("iam:UpdateAccessKey", refusal)
	outcomes, err := in.apply(plan)
	if err != nil || outcomes[0].Result != response.Partly || !strings.Contains(outcomes[0].Why[0], sentence) || strings.Contains(outcomes[0].Why[0], "needs") {
		t.Errorf("%v %+v", err, outcomes)
	}
	in.aws.Next("iam:DeleteUserPolicy", refusal)
	if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.NotUndone || !strings.Contains(outcomes[0].Why[0], sentence) {
		t.Errorf("%v %+v", err, outcomes)
	}
	records, err := journal.Read(in.journal)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, r := range records {
		if strings.Contains(r.Why, sentence) {
			kept++
		}
	}
	if kept != 2 {
		t.Errorf("%d records have AWS's sentence, want 2", kept)
	}
}

// TestUnreadPolicies: a plan says in plain words that the user's policies could not be read,
// among them AWS's quarantine.
func TestUnreadPolicies(t *testing.T) {
	in := newIncident(t)
	in.aws.Deny("iam:ListAttachedUserPolicies")
	plan := in.plan(in.leak)
	if len(plan.Keys) != 1 || len(plan.Keys[0].Left) != 1 ||
		!strings.HasPrefix(plan.Keys[0].Left[0].Why, "which policies are attached to user deploy is not known: needs iam:ListAttachedUserPolicies; AWS says: User: ") {
		t.Errorf("%s", plan.Encode())
	}
}
