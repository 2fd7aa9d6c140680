package response_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestServiceCredential: a Bedrock key is set to Inactive if there is one that it can
// be, and back.
func TestServiceCredential(t *testing.T) {
	id := func(n string) string { return "ACCA" + strings.Repeat(n, 16) }
	bedrock := func(n string, off bool) *verifiertest.ServiceCredential {
		return &verifiertest.ServiceCredential{ID: id(n), Service: "bedrock.amazonaws.com", Inactive: off}
	}
	git := &verifiertest.ServiceCredential{ID: id("D"), Service: "codecommit.amazonaws.com"}
	leaked := time.Now().AddDate(0, -1, 0)
	for _, tt := range []struct {
		name, rule string
		creds      []*verifiertest.ServiceCredential
		off        string
		gate       response.Gate
	}{
		{"one", "aws-bedrock-api-key", []*verifiertest.ServiceCredential{bedrock("A", true), bedrock("B", false), git}, id("B"), ""},
		{"password", "aws-service-password", []*verifiertest.ServiceCredential{bedrock("B", false), git}, id("D"), ""},
		{"made after the leak", "aws-bedrock-api-key", []*verifiertest.ServiceCredential{{ID: id("B"), Service: "bedrock.amazonaws.com", Created: leaked.Add(24 * time.Hour)}}, "", response.GateIdentity},
		{"two", "aws-bedrock-api-key", []*verifiertest.ServiceCredential{bedrock("A", false), bedrock("B", false)}, "", response.GateIdentity},
		{"off already", "aws-bedrock-api-key", []*verifiertest.ServiceCredential{bedrock("A", true)}, "", response.GateState},
		{"none", "aws-bedrock-api-key", nil, "", response.GateState},
		{"not one of these", "aws-sso-token", []*verifiertest.ServiceCredential{bedrock("B", false)}, "", response.GateNoKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.ServiceCreds = tt.creds })
			leak := finding.Finding{Match: detectors.Match{Rule: &detectors.Rule{ID: tt.rule}}, Locations: []finding.Location{{Path: "x", Time: leaked}}, Verdict: verifier.Verdict{
				State: verifier.NotVerifiable, Identity: verifier.Identity{Account: prod}, Facts: []verifier.Fact{{Name: "iam-user", Value: "deploy"}},
			}}
			plan := in.plan(leak)
			if tt.gate != "" {
				if len(plan.Keys) != 0 || plan.Refused[0].Gate != tt.gate {
					t.Errorf("%s", plan.Encode())
				}
				return
			}
			outcomes, err := in.apply(plan)
			if err != nil || outcomes[0].Result != response.Contained {
				t.Fatalf("%v %+v\n%s", err, outcomes, plan.Encode())
			}
			for _, c := range tt.creds {
				if c.ID == tt.off && !c.Inactive {
					t.Errorf("%s is active", c.ID)
				}
			}
			if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
				t.Errorf("%v %+v", err, outcomes)
			}
			for _, c := range tt.creds {
				if c.ID == tt.off && c.Inactive {
					t.Errorf("%s is not active again", c.ID)
				}
			}
		})
	}
}
