package response_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/planner"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestOver: a key of an old report that was rotated long ago takes nothing from its user, who
// has a console password. If a session of it may live, or nobody can tell, it is denied.
func TestOver(t *testing.T) {
	change := func(f func(*incident)) func(*incident) {
		return func(in *incident) { in.aws.Change(prod, func(*verifiertest.Account) { f(in) }) }
	}
	inactive := func(ago time.Duration) func(*incident) {
		return change(func(in *incident) {
			in.user.Keys[0].Inactive, in.user.Keys[0].UsedService = true, "s3"
			in.user.Keys[0].Used = time.Now().Add(-ago)
		})
	}
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct {
		name  string
		spoil []func(*incident)
		named bool
		steps int // 0 if it is refused
	}{
		{"inactive", []func(*incident){inactive(year)}, false, 0},
		{"inactive, never used", []func(*incident){change(func(in *incident) { in.user.Keys[0].Inactive = true })}, false, 0},
		{"deleted", []func(*incident){change(func(in *incident) { in.user.Keys = nil })}, false, 0},
		{"deleted, with calls of last month", []func(*incident){change(func(in *incident) { in.user.Keys = nil }), func(in *incident) {
			in.called(30*24*time.Hour, "IAMUser", "arn:aws:iam::"+prod+":user/ci/deploy", "deploy")
		}}, false, 0},
		{"named by a person", []func(*incident){inactive(year)}, true, 3},
		{"live yesterday", []func(*incident){inactive(year), func(in *incident) { in.leak.Verdict.At = time.Now().Add(-35 * time.Hour) }}, false, 3},
		{"used yesterday, after IAM", []func(*incident){inactive(35 * time.Hour)}, false, 3},
		{"used yesterday, after CloudTrail", []func(*incident){inactive(year), func(in *incident) {
			in.called(35*time.Hour, "IAMUser", "arn:aws:iam::"+prod+":user/ci/deploy", "deploy")
		}}, false, 3},
		{"IAM does not say the last use", []func(*incident){inactive(year), func(in *incident) { in.aws.Deny("iam:GetAccessKeyLastUsed") }}, false, 3},
		{"CloudTrail cannot be read", []func(*incident){inactive(year), func(in *incident) { in.aws.Deny("cloudtrail:LookupEvents") }}, false, 3},
		{"regions are not known", []func(*incident){inactive(year), func(in *incident) { in.aws.Deny("ec2:DescribeRegions") }}, false, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.leak.Match.Credential.Secret = detectors.Secret{}
			in.leak.Verdict.At = time.Now().Add(-year)
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Console = true })
			for _, spoil := range tt.spoil {
				spoil(in)
			}
			p := planner.Planner{Operator: in.operator(), Rules: in.rules}
			if tt.named {
				p.Named = []string{in.leak.Match.Credential.ID}
			}
			plan, err := p.Plan(t.Context(), []finding.Finding{in.leak})
			if err != nil {
				t.Fatal(err)
			}
			if tt.steps > 0 {
				if len(plan.Keys) != 1 || len(plan.Keys[0].Steps) != tt.steps {
					t.Errorf("want %d steps: %s", tt.steps, plan.Encode())
				}
				return
			}
			if len(plan.Keys) != 0 || len(plan.Refused) != 1 {
				t.Fatalf("planned: %s", plan.Encode())
			}
			if r := plan.Refused[0]; r.Gate != response.GateState || !strings.Contains(r.Why, "not used in the last 36 hours") || !strings.Contains(r.Why, "--key "+r.KeyID) {
				t.Errorf("gate %s: %s", r.Gate, r.Why)
			}
		})
	}
}

// TestRenamedSinceReport: the user of a key that an old report names may have a new name by now.
func TestRenamedSinceReport(t *testing.T) {
	in := newIncident(t)
	in.leak.Match.Credential.Secret = detectors.Secret{}
	in.leak.Verdict.At = time.Now().AddDate(-1, 0, 0)
	in.leak.Verdict.Identity.Name, in.leak.Verdict.Identity.ARN = "former", "arn:aws:iam::"+prod+":user/former"
	plan := in.plan(in.leak)
	if len(plan.Keys) != 1 || plan.Keys[0].Name != "deploy" || plan.Keys[0].Steps[0].Resource != "arn:aws:iam::"+prod+":user/ci/deploy" {
		t.Fatalf("%s", plan.Encode())
	}
	in.rules.BreakGlass = []string{"deploy"}
	if plan := in.plan(in.leak); len(plan.Keys) != 0 || plan.Refused[0].Gate != response.GateProtected {
		t.Errorf("by its new name it is protected: %s", plan.Encode())
	}
}
