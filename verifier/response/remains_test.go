package response_test

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// withPassword gives the user a console password.
func withPassword(in *incident) {
	in.aws.Change(prod, func(*verifiertest.Account) { in.user.Console = true })
}

// withoutRoom leaves no room for inline policies of the user.
func withoutRoom(in *incident) {
	in.aws.Change(prod, func(*verifiertest.Account) { in.user.Inline["theirs"] = strings.Repeat(" ", 1900) })
}

// withoutRoomForTwo lets a second pass with each answer as well, so that no two policies deny
// the same sessions.
func withoutRoomForTwo(in *incident) {
	withoutRoom(in)
	in.pass()
}

// pass lets a second pass with each answer.
func (in *incident) pass() {
	var passed atomic.Int64
	in.aws.Change(prod, func(*verifiertest.Account) {
		in.aws.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Add(1)) * time.Second) }
	})
}

// withAssumedRole lets the key have assumed the role admin, whose inline policies have no
// room for another one either.
func withAssumedRole(in *incident) {
	in.aws.Change(prod, func(a *verifiertest.Account) {
		r := a.Role("admin", "")
		r.Path, r.Inline["theirs"] = "/ops/", strings.Repeat(" ", 10200)
	})
	in.assumes(in.leak.Match.Credential.ID, "arn:aws:iam::"+prod+":role/ops/admin", verifiertest.Role(prod, "admin", 77).Credential.ID, time.Hour)
}

// assumes lets CloudTrail tell that an id has assumed a role some time ago.
func (in *incident) assumes(id, role, session string, ago time.Duration) {
	in.trail(id, ago, "sts.amazonaws.com", "AssumeRole", map[string]any{"roleArn": role},
		map[string]any{"credentials": map[string]any{"accessKeyId": session}})
}

// trail adds an event to CloudTrail.
func (in *incident) trail(id string, ago time.Duration, source, name string, request, elements map[string]any) {
	in.aws.Change(prod, func(a *verifiertest.Account) {
		a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: id, Region: "us-east-1", At: time.Now().Add(-ago), Event: map[string]any{
			"eventSource": source, "eventName": name, "sourceIPAddress": "203.0.113.9", "requestParameters": request, "responseElements": elements,
		}})
	})
}

// said reports whether list has a text.
func said(list []string, text string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, text) })
}

// TestUnknownIsNotContained: what cannot be read is named in the plan and in the outcome.
func TestUnknownIsNotContained(t *testing.T) {
	for _, permission := range []string{
		"cloudtrail:LookupEvents", "ec2:DescribeRegions", "iam:GetLoginProfile", "iam:ListUsers", "iam:ListUserPolicies",
		"iam:ListAttachedUserPolicies", "iam:ListServiceSpecificCredentials",
	} {
		for _, when := range []string{"before the plan", "after the plan"} {
			t.Run(permission+" "+when, func(t *testing.T) {
				t.Parallel()
				in := newIncident(t)
				if when == "before the plan" {
					in.aws.Deny(permission)
				}
				plan := in.plan(in.leak)
				in.aws.Deny(permission)
				outcomes, err := in.apply(plan)
				if err != nil || outcomes[0].Result != response.Incomplete || !said(outcomes[0].Why, "needs "+permission) {
					t.Errorf("%v %+v", err, outcomes)
				}
				if len(plan.Keys[0].Left) > 0 != (when == "before the plan") {
					t.Errorf("the plan says %v", plan.Keys[0].Left)
				}
			})
		}
	}
}

// TestConsole: a session of the console that begins after the plan was applied can do
// nothing, and the user's other key still works.
func TestConsole(t *testing.T) {
	i := newIntruder(t, 0, 0, nil)
	withPassword(i.in)
	plan := i.in.plan(i.in.leak)
	if s := plan.Keys[0].Steps; len(s) != 3 || s[2].Do != response.DenyConsole {
		t.Fatalf("%s", plan.Encode())
	}
	i.makeSession() // as the console does
	outcomes, err := i.in.apply(plan)
	if err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	i.in.aws.Change(prod, func(*verifiertest.Account) { i.in.user.Keys[0].Inactive = false })
	i.passed.Add(int64(10 * time.Minute)) // AWS takes no signature that is 15 minutes off
	i.makeSession()
	if n := i.alive(); len(i.sessions) != 2 || n != 0 {
		t.Errorf("%d of %d sessions work", n, len(i.sessions))
	}
	if _, err := i.key.Tags(t.Context(), "user", "deploy"); err != nil {
		t.Errorf("a long-term key is denied: %v", err)
	}
	i.in.aws.Change(prod, func(*verifiertest.Account) { i.in.user.Keys[0].Inactive = true })
	if outcomes, err = i.in.undo(plan); err != nil || outcomes[0].Result != response.Undone || len(i.in.user.Inline) != 0 {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestNoRoom: without room for an inline policy, a managed one denies the sessions. It is
// made, put anew and removed.
func TestNoRoom(t *testing.T) {
	i := newIntruder(t, 0, 4*time.Second, nil)
	withoutRoom(i.in)
	plan := i.in.plan(i.in.leak)
	a, closeJournal := i.in.applier()
	i.attend(a)
	for range 5 { // more often than a policy has versions
		outcomes, err := a.Apply(t.Context(), plan)
		if err != nil || outcomes[0].Result != response.Contained || i.alive() != 0 || len(i.sessions) == 0 {
			t.Fatalf("%v %+v, %d of %d sessions work", err, outcomes, i.alive(), len(i.sessions))
		}
		i.in.aws.Change(prod, func(acct *verifiertest.Account) {
			if len(i.in.user.Attached) != 1 || len(i.in.user.Inline) != 1 || len(acct.Policies) != 1 {
				t.Fatalf("attached %v, inline %v", i.in.user.Attached, i.in.user.Inline)
			}
			i.in.user.Keys[0].Inactive = false
		})
		i.makeSession()
	}
	closeJournal()
	i.in.aws.Change(prod, func(*verifiertest.Account) { i.in.user.Keys[0].Inactive = true })
	if again := i.in.plan(i.in.leak); len(again.Refused) != 1 || again.Refused[0].Gate != response.GateContained {
		t.Errorf("planned again: %s", again.Encode())
	}
	outcomes, err := i.in.undo(plan)
	if err != nil || outcomes[0].Result != response.Undone {
		t.Errorf("%v %+v", err, outcomes)
	}
	i.in.aws.Change(prod, func(acct *verifiertest.Account) {
		if len(i.in.user.Attached) != 0 || len(acct.Policies) != 0 || len(i.in.user.Inline) != 1 {
			t.Errorf("attached %v, policies %v", i.in.user.Attached, acct.Policies)
		}
	})
}

// TestIntruderAtWork: an intruder who makes something while stanch works is named, at once if
// IAM tells of it, and by a later confirm if only CloudTrail does.
func TestIntruderAtWork(t *testing.T) {
	id := verifiertest.LongTerm(prod, 2).ID
	for _, tt := range []struct {
		name   string
		at     string // the record of the journal after which it happens; "" is before the plan
		attack func(*incident, *verifiertest.Account)
		why    string
		result response.Result
		ended  func(*incident, *verifiertest.Account) // what a person then does
	}{
		{name: "a user", at: "done deny-sessions", why: "user backdoor is new", attack: func(_ *incident, a *verifiertest.Account) { a.User("backdoor", 40).Created = time.Now() },
			ended: func(_ *incident, a *verifiertest.Account) { delete(a.Users, "backdoor") }},
		{name: "a user just before the plan", why: "user backdoor is new", attack: func(_ *incident, a *verifiertest.Account) {
			a.User("backdoor", 40).Created = time.Now().Add(-5 * time.Minute)
		}},
		{name: "a second key", at: "done deactivate", why: "is new, or has become Active", attack: func(in *incident, _ *verifiertest.Account) {
			in.user.Keys = append(in.user.Keys, &verifiertest.IAMKey{Credential: verifiertest.LongTerm(prod, 41), Created: time.Now()})
		}, ended: func(in *incident, _ *verifiertest.Account) { in.user.Keys[1].Inactive = true }},
		{name: "a second key just before the plan", why: "is new, or has become Active", attack: func(in *incident, _ *verifiertest.Account) {
			in.user.Keys = append(in.user.Keys, &verifiertest.IAMKey{Credential: verifiertest.LongTerm(prod, 41), Created: time.Now().Add(-5 * time.Minute)})
		}, ended: func(in *incident, _ *verifiertest.Account) { in.user.Keys = in.user.Keys[:1] }},
		{name: "a service credential", at: "confirm", why: "service credential", attack: func(in *incident, _ *verifiertest.Account) {
			in.user.ServiceCreds = []*verifiertest.ServiceCredential{{ID: "ACCA" + strings.Repeat("B", 16), Service: "bedrock.amazonaws.com"}}
		}, ended: func(in *incident, _ *verifiertest.Account) { in.user.ServiceCreds = nil }},
		{name: "an attached policy", at: "confirm", why: "was attached to user deploy", attack: func(in *incident, _ *verifiertest.Account) {
			in.user.Attached = append(in.user.Attached, "arn:aws:iam::aws:policy/AdministratorAccess")
		}, ended: func(in *incident, _ *verifiertest.Account) { in.user.Attached = nil }},
		{name: "an inline policy", at: "begin", why: "inline policy mine was put", attack: func(in *incident, _ *verifiertest.Account) { in.user.Inline["mine"] = "{}" },
			ended: func(in *incident, _ *verifiertest.Account) { delete(in.user.Inline, "mine") }},
		{name: "a policy with the name of a quarantine", at: "confirm", why: "was attached to user deploy", attack: func(in *incident, _ *verifiertest.Account) {
			in.user.Attached = append(in.user.Attached, "arn:aws:iam::"+prod+":policy/AWSCompromisedKeyQuarantineV3")
		}, ended: func(in *incident, _ *verifiertest.Account) { in.user.Attached = nil }},
		{name: "an inline policy with the name of a quarantine", at: "begin", why: "inline policy AWSCompromisedKeyQuarantineV3 was put",
			attack: func(in *incident, _ *verifiertest.Account) {
				in.user.Inline["AWSCompromisedKeyQuarantineV3"] = "{}"
			}, ended: func(in *incident, _ *verifiertest.Account) { delete(in.user.Inline, "AWSCompromisedKeyQuarantineV3") }},
		{name: "an inline policy that begins as stanch's", at: "done deny-sessions", why: "inline policy stanch-deny-older-sessions-", attack: func(in *incident, _ *verifiertest.Account) {
			for _, name := range slices.Collect(maps.Keys(in.user.Inline)) {
				in.user.Inline[name+"-x"] = "{}"
			}
		}, ended: func(in *incident, _ *verifiertest.Account) {
			maps.DeleteFunc(in.user.Inline, func(name, _ string) bool { return strings.HasSuffix(name, "-x") })
		}},
		{name: "a console password", at: "confirm", why: "got a console password", attack: func(in *incident, _ *verifiertest.Account) { in.user.Console = true },
			ended: func(in *incident, _ *verifiertest.Account) { in.user.Console = false }},
		{name: "the key is active again", at: "confirm", why: "Active again", result: response.Unconfirmed, attack: func(in *incident, _ *verifiertest.Account) { in.user.Keys[0].Inactive = false }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newIncident(t)
			attack := func() { in.aws.Change(prod, func(a *verifiertest.Account) { tt.attack(in, a) }) }
			if tt.at == "" {
				attack()
			}
			plan := in.plan(in.leak)
			a, closeJournal := in.applier()
			defer closeJournal()
			done := false
			a.OnRecord = func(r journal.Record) {
				event := r.Event
				if r.Step != nil {
					event += " " + string(r.Step.Do)
				}
				if event == tt.at && !done {
					done = true
					attack()
				}
			}
			outcomes, err := a.Apply(t.Context(), plan)
			want := response.Incomplete
			if tt.result != "" {
				want = tt.result
			}
			if err != nil || outcomes[0].Result != want || !said(outcomes[0].Why, tt.why) {
				t.Fatalf("%v %+v", err, outcomes)
			}
			if tt.ended == nil {
				return
			}
			in.aws.Change(prod, func(a *verifiertest.Account) { tt.ended(in, a) })
			if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
				t.Errorf("after it was removed: %v %s %q", err, outcomes[0].Result, outcomes[0].Why)
			}
		})
	}
	for _, tt := range []struct {
		name, source, event string
		request, elements   map[string]any
		why                 string // "" if it does not change the result
	}{
		{"a trust policy", "iam.amazonaws.com", "UpdateAssumeRolePolicy", map[string]any{"roleName": "builder"}, nil, "UpdateAssumeRolePolicy"},
		{"a provider", "iam.amazonaws.com", "CreateSAMLProvider", nil, map[string]any{"sAMLProviderArn": "arn:aws:iam::" + prod + ":saml-provider/x"}, "saml-provider/x"},
		{"a role", "sts.amazonaws.com", "AssumeRole", map[string]any{"roleArn": "arn:aws:iam::" + prod + ":role/builder"}, nil, "plan again"},
		{"an instance", "ec2.amazonaws.com", "RunInstances", nil, map[string]any{"instancesSet": map[string]any{"items": []any{map[string]any{"instanceId": "i-0123456789abcdef0"}}}}, ""},
		{"an instance with a role", "ec2.amazonaws.com", "RunInstances", map[string]any{"iamInstanceProfile": map[string]any{"name": "admin"}}, nil, "with admin"},
		{"a stack", "cloudformation.amazonaws.com", "CreateStack", map[string]any{"stackName": "s"}, nil, "stack, with all that it made s"},
		{"a shell", "ssm.amazonaws.com", "StartSession", map[string]any{"target": "i-0123456789abcdef0"}, nil, "shell on an instance"},
	} {
		t.Run("CloudTrail: "+tt.name, func(t *testing.T) {
			t.Parallel()
			in, plan := contained(t)
			in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("builder", "") })
			in.trail(id, time.Minute, tt.source, tt.event, tt.request, tt.elements)
			a, closeJournal := in.applier()
			defer closeJournal()
			outcomes, err := a.Confirm(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			o := outcomes[0]
			if tt.why == "" && (o.Result != response.Contained || len(o.Made) != 1) || tt.why != "" && (o.Result != response.Incomplete || !said(o.Why, tt.why)) {
				t.Errorf("%s %q %v", o.Result, o.Why, o.Made)
			}
		})
	}
}

// TestThrottledTrail: the end of an apply keeps to the rate of CloudTrail, over several keys.
func TestThrottledTrail(t *testing.T) {
	in := newIncident(t)
	second := in.leak
	in.aws.Change(prod, func(*verifiertest.Account) {
		second.Match.Credential = verifiertest.LongTerm(prod, 7)
		in.user.Keys = append(in.user.Keys, &verifiertest.IAMKey{Credential: second.Match.Credential, Created: time.Now()})
	})
	in.maxKeys = 2
	plan := in.plan(in.leak, second)
	in.aws.Limit("cloudtrail:LookupEvents", 2)
	a, closeJournal := in.applier()
	defer closeJournal()
	a.Activity = &activity.Reader{}
	outcomes, err := a.Apply(t.Context(), plan)
	if err != nil || len(outcomes) != 2 || outcomes[0].Result != response.Contained || outcomes[1].Result != response.Contained || in.aws.Refused("cloudtrail:LookupEvents") != 0 {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestTrailForAllKeys: a plan and its apply ask CloudTrail about all keys of an account at once.
func TestTrailForAllKeys(t *testing.T) {
	in := newIncident(t)
	second := in.leak
	in.aws.Change(prod, func(*verifiertest.Account) {
		second.Match.Credential = verifiertest.LongTerm(prod, 7)
		in.user.Keys = append(in.user.Keys, &verifiertest.IAMKey{Credential: second.Match.Credential, Created: time.Now()})
	})
	in.maxKeys = 2
	asked := func() map[string]int {
		n := map[string]int{}
		for _, r := range in.aws.Requests() {
			n[r.Action]++
		}
		return n
	}
	plan := in.plan(in.leak, second)
	planned := asked()
	if _, err := in.apply(plan); err != nil || len(plan.Keys) != 2 {
		t.Fatalf("%v %s", err, plan.Encode())
	}
	applied := asked()
	for _, action := range []string{"LookupEvents", "DescribeRegions"} {
		if n, m := planned[action], applied[action]-planned[action]; n != 1 || m != 1 {
			t.Errorf("%s: %d in the plan, %d in the apply, want one in each", action, n, m)
		}
	}
}

// TestUserDuringThePlan: a user that is made while the plan is made is new, too.
func TestUserDuringThePlan(t *testing.T) {
	in := newIncident(t)
	in.aws.Change(prod, func(a *verifiertest.Account) {
		in.aws.Before = func(r verifiertest.Request) {
			if r.Action == "LookupEvents" && a.Users["backdoor"] == nil {
				a.User("backdoor", 40).Created = time.Now()
			}
		}
	})
	plan := in.plan(in.leak)
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Incomplete || !said(outcomes[0].Why, "user backdoor is new") {
		t.Errorf("%v %+v", err, outcomes)
	}
}
