package response_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestInUse: what IAM says of the last use, with what it said before stanch asked STS.
func TestInUse(t *testing.T) {
	const hour = time.Hour
	used := func(ago time.Duration, service string) operator.LastUsed {
		return operator.LastUsed{At: time.Now().Add(-ago), Service: service, Region: "us-east-1"}
	}
	never := operator.LastUsed{}
	for _, tt := range []struct {
		name    string
		now     operator.LastUsed
		before  *operator.LastUsed // nil: nobody has looked
		asked   time.Duration      // how long ago STS was asked
		force   bool
		gate    response.Gate
		warning string // "" for none
		last    string
	}{
		{"never", never, nil, 0, false, "", "", "never"},
		{"long ago", used(25*hour, "s3"), nil, 0, false, "", "", "s3 in us-east-1"},
		{"in use", used(hour, "s3"), nil, 0, false, response.GateInUse, "", ""},
		{"in use, forced", used(hour, "s3"), nil, 0, true, "", "in use", "s3 in"},
		{"own question, nobody has looked before", used(0, "sts"), nil, 0, false, "", "may be a call of stanch", "sts in"},
		{"own question, never used before", used(0, "sts"), &never, 0, false, "", "", "never, before stanch asked"},
		{"own question, long ago before", used(0, "sts"), ptr(used(48*hour, "s3")), 0, false, "", "", "s3 in us-east-1, before stanch asked"},
		{"own question, in use before", used(0, "sts"), ptr(used(hour, "s3")), 0, false, response.GateInUse, "", ""},
		{"own question, in use before, forced", used(0, "sts"), ptr(used(hour, "s3")), 0, true, "", "in use", "s3 in"},
		{"own question, STS before", used(0, "sts"), ptr(used(hour, "sts")), 0, false, "", "may be a call of stanch", "sts in"},
		{"a later question, of whom", used(0, "sts"), &never, hour / 2, false, "", "may be a call of stanch", "sts in"},
		{"used since", used(0, "s3"), &never, hour / 2, false, response.GateInUse, "", ""},
		{"STS long ago", used(48*hour, "sts"), nil, 0, false, "", "", "sts in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.rules.ForceInUse = tt.force
			in.aws.Change(prod, func(*verifiertest.Account) {
				in.user.Keys[0].Used, in.user.Keys[0].UsedService = tt.now.At, tt.now.Service
			})
			in.leak.Verdict.At = time.Now().Add(-tt.asked)
			if tt.before != nil {
				in.leak.Verdict.Facts = []verifier.Fact{{Name: operator.UsedBefore, Value: tt.before.String()}}
			}
			plan := in.plan(in.leak)
			if tt.gate != "" {
				if len(plan.Refused) != 1 || plan.Refused[0].Gate != tt.gate {
					t.Errorf("%s", plan.Encode())
				}
				return
			}
			if len(plan.Keys) != 1 {
				t.Fatalf("%s", plan.Encode())
			}
			k := plan.Keys[0]
			warnings := strings.Join(k.Warnings, "\n")
			if !strings.Contains(warnings, tt.warning) || tt.warning == "" && warnings != "" || !strings.Contains(k.LastUsed, tt.last) {
				t.Errorf("warnings %q, last used %q", warnings, k.LastUsed)
			}
		})
	}
}

func ptr(u operator.LastUsed) *operator.LastUsed { return &u }

// TestInUseRenewed: IAM was asked again a moment ago, which is no use of the key. The
// question to STS that counts as one was three hours ago.
func TestInUseRenewed(t *testing.T) {
	asked := time.Now().Add(-3 * time.Hour)
	used := func(after time.Duration, service string) operator.LastUsed {
		return operator.LastUsed{At: asked.Add(after), Service: service, Region: "us-east-1"}
	}
	for _, tt := range []struct {
		name        string
		now, before operator.LastUsed
		at          string // when STS was asked, as the report says
		gate        response.Gate
		warned      bool
	}{
		{"own question", used(0, "sts"), used(-48*time.Hour, "s3"), "", "", false},
		{"in use before it", used(0, "sts"), used(-time.Hour, "s3"), "", response.GateInUse, false},
		{"somebody asked STS since", used(179*time.Minute, "sts"), used(-48*time.Hour, "s3"), "", "", true},
		{"in use since", used(time.Hour, "s3"), used(-48*time.Hour, "s3"), "", response.GateInUse, false},
		{"a time that cannot be read", used(0, "sts"), used(-48*time.Hour, "s3"), "noon", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.aws.Change(prod, func(*verifiertest.Account) {
				in.user.Keys[0].Used, in.user.Keys[0].UsedService = tt.now.At, tt.now.Service
			})
			in.leak.Verdict.At = time.Now()
			in.leak.Verdict.Facts = []verifier.Fact{
				{Name: operator.UsedBefore, Value: tt.before.String()},
				{Name: operator.UsedBeforeAt, Value: cmp.Or(tt.at, asked.UTC().Format(time.RFC3339))},
			}
			plan := in.plan(in.leak)
			if tt.gate != "" {
				if len(plan.Refused) != 1 || plan.Refused[0].Gate != tt.gate {
					t.Errorf("%s", plan.Encode())
				}
				return
			}
			if len(plan.Keys) != 1 || (len(plan.Keys[0].Warnings) > 0) != tt.warned {
				t.Errorf("%s", plan.Encode())
			}
		})
	}
}

// TestInUseByWhom: IAM tells the last use, and CloudTrail by whose it was. The key leaked 48
// hours ago.
func TestInUseByWhom(t *testing.T) {
	const hour, minute = time.Hour, time.Minute
	const office, intruder = "198.51.100.7", "203.0.113.9"
	session := verifiertest.Role(prod, "any", 77).Credential.ID
	type call struct {
		ago             time.Duration
		address, action string
	}
	before := call{72 * hour, office, "s3:ListBuckets"}
	jobs := []call{} // of CI
	for n := range 10 {
		jobs = append(jobs, call{72 * hour, fmt.Sprintf("192.0.2.%d", n), "s3:ListBuckets"})
	}
	jobs = slices.Clip(jobs)
	for _, tt := range []struct {
		name    string
		ago     time.Duration // of IAM's last use
		service string
		calls   []call
		session []call // of a session that the first call issued
		deny    string
		force   bool
		gate    response.Gate
		want    string // in the reason, or in the warnings
	}{
		{"the intruder alone", hour, "ec2", []call{before, {hour, intruder, "ec2:RunInstances"}}, nil, "", false, "", "an address that is new since the leak"},
		{"the owner too", hour, "ec2", []call{before, {hour, intruder, "ec2:RunInstances"}, {2 * hour, office, "s3:ListBuckets"}}, nil, "", false,
			response.GateInUse, "an address from before the leak"},
		{"the owner too, forced", hour, "ec2", []call{before, {hour, intruder, "ec2:RunInstances"}, {2 * hour, office, "s3:ListBuckets"}}, nil, "", true, "", "in use (198.51.100.7"},
		{"the owner before the leak", hour, "ec2", []call{before, {hour, intruder, "ec2:RunInstances"}, {30 * hour, office, "s3:ListBuckets"}}, nil, "", false, "", "used by 203.0.113.9"},
		{"the owner with a session", hour, "ec2", []call{before, {hour, intruder, "ec2:RunInstances"}}, []call{{hour, office, "sqs:CreateQueue"}}, "", false, response.GateInUse, "with " + session + ", an address from before the leak"},
		{"data that CloudTrail does not see", hour, "s3", []call{before, {3 * hour, intruder, "s3:ListBuckets"}}, nil, "", false, response.GateInUse, "s3 in us-east-1 (CloudTrail does not show by whom)"},
		{"an intruder who works all the time", minute, "ec2", []call{before, {20 * minute, intruder, "ec2:RunInstances"}}, nil, "", false, "", "used by 203.0.113.9, ec2:RunInstances"},
		{"an intruder and the owner all the time", minute, "ec2", []call{before, {20 * minute, intruder, "ec2:RunInstances"}, {3 * hour, office, "s3:ListBuckets"}}, nil, "", false, response.GateInUse, "an address from before the leak"},
		{"not yet in CloudTrail, another service", minute, "ec2", []call{before, {3 * hour, intruder, "iam:CreateUser"}}, nil, "", false, response.GateInUse, "does not show yet by whom: plan again in 15 minutes"},
		{"not yet in CloudTrail, perhaps data", minute, "s3", []call{before, {20 * minute, intruder, "s3:ListBuckets"}}, nil, "", false, response.GateInUse, "does not show yet by whom: plan again in 15 minutes"},
		{"not in CloudTrail for long", hour, "ec2", []call{before, {2 * hour, intruder, "ec2:RunInstances"}}, nil, "", false, response.GateInUse, "CloudTrail does not show by whom"},
		{"never used before the leak", hour, "ec2", []call{{hour, intruder, "ec2:RunInstances"}}, nil, "", false, response.GateInUse, "whether by an intruder is not known: CloudTrail shows no use of the key before the leak"},
		{"addresses that change", hour, "ec2", append(jobs, call{hour, intruder, "ec2:RunInstances"}), nil, "", false, response.GateInUse, "not known: the key was used from 10 addresses before the leak"},
		{"not yet many addresses", hour, "ec2", append(jobs[1:], call{hour, intruder, "ec2:RunInstances"}), nil, "", false, "", "used by 203.0.113.9"},
		{"CloudTrail cannot be read", hour, "ec2", []call{before, {hour, intruder, "ec2:RunInstances"}}, nil, "cloudtrail:LookupEvents", false, response.GateInUse, "needs cloudtrail:LookupEvents"},
		{"regions cannot be read", hour, "ec2", []call{before, {hour, intruder, "ec2:RunInstances"}}, nil, "ec2:DescribeRegions", false, response.GateInUse, "whether by an intruder is not known: CloudTrail's history could not be read as a whole"},
		{"hidden by a question to STS", 0, "sts", []call{before, {2 * hour, office, "s3:ListBuckets"}}, nil, "", false, response.GateInUse, "an address from before the leak"},
		{"an intruder, hidden by a question to STS", 0, "sts", []call{{2 * hour, intruder, "s3:ListBuckets"}}, nil, "", false, "", "CloudTrail shows 203.0.113.9, s3:ListBuckets, "},
		{"a question to STS alone", 0, "sts", []call{before, {2 * hour, office, "sts:GetCallerIdentity"}}, nil, "", false, "", "CloudTrail shows no other in the last 24 hours"},
		{"not used", 30 * hour, "s3", []call{before}, nil, "", false, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.rules.ForceInUse = tt.force
			in.leak.Locations[0].Time = time.Now().Add(-48 * hour)
			if tt.deny != "" {
				in.aws.Deny(tt.deny)
			}
			event := func(id string, c call) verifiertest.TrailEvent {
				service, name, _ := strings.Cut(c.action, ":")
				return verifiertest.TrailEvent{KeyID: id, Region: "us-east-1", At: time.Now().Add(-c.ago), Event: map[string]any{
					"eventSource": service + ".amazonaws.com", "eventName": name, "sourceIPAddress": c.address,
				}}
			}
			in.aws.Change(prod, func(a *verifiertest.Account) {
				key := in.user.Keys[0]
				key.Used, key.UsedService = time.Now().Add(-tt.ago), tt.service
				a.Answers["ec2:DescribeRegions"] = "<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName></item></regionInfo></DescribeRegionsResponse>"
				for _, c := range tt.calls {
					a.Events = append(a.Events, event(key.Credential.ID, c))
				}
				if len(tt.session) > 0 {
					issued := event(key.Credential.ID, call{30 * hour, office, "sts:GetSessionToken"})
					issued.Event["responseElements"] = map[string]any{"credentials": map[string]any{"accessKeyId": session}}
					a.Events = append(a.Events, issued)
				}
				for _, c := range tt.session {
					a.Events = append(a.Events, event(session, c))
				}
			})
			plan := in.plan(in.leak)
			if tt.gate != "" {
				if len(plan.Refused) != 1 || plan.Refused[0].Gate != tt.gate || !strings.Contains(plan.Refused[0].Why, tt.want) {
					t.Errorf("%s", plan.Encode())
				}
				return
			}
			if len(plan.Keys) != 1 {
				t.Fatalf("%s", plan.Encode())
			}
			if warnings := strings.Join(plan.Keys[0].Warnings, "\n"); !strings.Contains(warnings, tt.want) || tt.want == "" && warnings != "" {
				t.Errorf("warnings %q", warnings)
			}
		})
	}
}
