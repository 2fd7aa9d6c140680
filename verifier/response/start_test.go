package response_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/planner"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// loneID leaves nothing of the leak but its key id, as a mail of AWS has it.
func loneID(in *incident) {
	in.leak.Match.Credential = detectors.Credential{ID: in.leak.Match.Credential.ID}
	in.leak.Verdict = verifier.Verdict{State: verifier.Skipped, Identity: verifier.Identity{Account: prod}}
	in.leak.Locations = nil
}

// called lets CloudTrail tell of a call with the leaked key by a principal, some time ago.
func (in *incident) called(ago time.Duration, kind, arn, name string) {
	in.aws.Change(prod, func(a *verifiertest.Account) {
		identity := map[string]any{"type": kind, "arn": arn, "accountId": prod, "userName": name}
		if kind == "AssumedRole" {
			delete(identity, "userName")
			identity["sessionContext"] = map[string]any{"sessionIssuer": map[string]any{"type": "Role", "userName": name, "arn": "arn:aws:iam::" + prod + ":role/" + name}}
		}
		a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: in.leak.Match.Credential.ID, Region: "us-east-1", At: time.Now().Add(-ago), Event: map[string]any{
			"eventSource": "s3.amazonaws.com", "eventName": "ListBuckets", "sourceIPAddress": "203.0.113.9", "userIdentity": identity,
		}})
	})
}

// session leaves nothing of the leak but the id of a session, which CloudTrail has seen some
// time ago, unless kind is "".
func session(ago time.Duration, kind string) func(*incident) {
	return func(in *incident) {
		loneID(in)
		in.leak.Match.Credential.ID = "ASIA" + in.leak.Match.Credential.ID[4:]
		who := map[string][2]string{
			"IAMUser": {"iam::" + prod + ":user/ci/deploy", "deploy"}, "AssumedRole": {"sts::" + prod + ":assumed-role/builder/x", "builder"},
			"Root": {"iam::" + prod + ":root", ""}, "FederatedUser": {"sts::" + prod + ":federated-user/x", "x"},
		}[kind]
		if kind != "" {
			in.called(ago, kind, "arn:aws:"+who[0], who[1])
		}
	}
}

// planNamed plans for the leak as for a key that a person has named.
func (in *incident) planNamed() response.Plan {
	in.t.Helper()
	p := planner.Planner{Operator: in.operator(), Verifier: asker(in.sts), Rules: in.rules, Named: []string{in.leak.Match.Credential.ID}}
	plan, err := p.Plan(in.t.Context(), []finding.Finding{in.leak})
	if err != nil {
		in.t.Fatal(err)
	}
	if w := in.aws.Writes(); len(w) != 0 {
		in.t.Errorf("planning has changed: %v", w)
	}
	return plan
}

// TestNamed: a key that a person names is planned for by IAM's answer alone, and applied.
func TestNamed(t *testing.T) {
	state := func(s verifier.State) func(*incident) {
		return func(in *incident) { loneID(in); in.leak.Verdict.State = s }
	}
	for _, tt := range []struct {
		name  string
		spoil func(*incident)
	}{
		{"an id alone", loneID},
		{"an id that names its account itself", func(in *incident) { loneID(in); in.leak.Verdict.Identity.Account = "" }},
		{"no secret that was found is its own", state(verifier.IDActive)},
		{"STS gave no answer", state(verifier.Unknown)},
		{"called dead by an earlier answer", state(verifier.Invalid)},
		{"live, a year ago", func(in *incident) { in.leak.Verdict.At = time.Now().AddDate(-1, 0, 0) }},
		{"of a user with a new name", func(in *incident) {
			in.leak.Verdict.Identity.Name, in.leak.Verdict.Identity.ARN = "former", "arn:aws:iam::"+prod+":user/former"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			tt.spoil(in)
			plan := in.planNamed()
			if len(plan.Keys) != 1 || len(plan.Keys[0].Steps) != 2 {
				t.Fatalf("%s", plan.Encode())
			}
			if k := plan.Keys[0]; k.ARN != "arn:aws:iam::"+prod+":user/ci/deploy" || k.Status != response.Active {
				t.Errorf("planned for %s, which is %s", k.ARN, k.Status)
			}
			if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained || !in.user.Keys[0].Inactive {
				t.Errorf("%v %+v", err, outcomes)
			}
		})
	}
}

// TestNamedGates: being named gets a key past no gate but those about the leak.
func TestNamedGates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(*incident)
		gate   response.Gate
		reason string
	}{
		{"canary", func(in *incident) { in.leak.Verdict.State = verifier.CanarySuspected }, response.GateCanary, "alarm"},
		{"an id that is none", func(in *incident) { in.leak.Match.Credential.ID = "AKIA;rm -rf" }, response.GateNoKey, "not the id"},
		{"account not listed", func(in *incident) { in.rules.Accounts = []string{ops} }, response.GateAccount, prod},
		{"no account", func(in *incident) {
			in.leak.Match.Credential.ID = "AKIA" + strings.Repeat("I", 16) // from before 2019
			in.leak.Verdict.Identity.Account = ""
			in.aws.Deny("sts:GetAccessKeyInfo")
		}, response.GateIdentity, "needs sts:GetAccessKeyInfo"},
		{"no way into the account", func(in *incident) { in.role = "" }, response.GateResponder, "--role"},
		{"a role of the wrong account", func(in *incident) {
			in.aws.Change(prod, func(a *verifiertest.Account) { a.Roles["stanch-respond"].Elsewhere = ops })
		}, response.GateResponder, "another account"},
		{"IAM may not be asked", func(in *incident) { in.aws.Deny("iam:GetAccessKeyLastUsed") }, response.GateIdentity, "needs iam:GetAccessKeyLastUsed"},
		{"neither IAM nor CloudTrail may be asked", func(in *incident) {
			in.aws.Deny("iam:GetAccessKeyLastUsed")
			in.aws.Deny("cloudtrail:LookupEvents")
		}, response.GateIdentity, "needs cloudtrail:LookupEvents"},
		{"the user may not be read", func(in *incident) { in.aws.Deny("iam:GetUser") }, response.GateUnreadable, "needs iam:GetUser"},
		{"user deleted", func(in *incident) {
			in.aws.Change(prod, func(a *verifiertest.Account) { delete(a.Users, "deploy") })
		}, response.GateIdentity, "whose it is"},
		{"user deleted, and known from CloudTrail", func(in *incident) {
			in.aws.Change(prod, func(a *verifiertest.Account) { delete(a.Users, "deploy") })
			in.called(time.Hour, "IAMUser", "arn:aws:iam::"+prod+":user/ci/deploy", "deploy")
		}, response.GateIdentity, "NoSuchEntity"},
		{"key of the root user", func(in *incident) {
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys = nil })
			in.called(time.Hour, "Root", "arn:aws:iam::"+prod+":root", "")
		}, response.GateRoot, "a key of the root user"},
		{"session without a call", session(0, ""), response.GateIdentity, "names nobody who has signed with it"},
		{"session of a role, over", session(13*time.Hour, "AssumedRole"), response.GateState, "no call with it in the last 12 hours"},
		{"session of a user, over", session(37*time.Hour, "IAMUser"), response.GateState, "no call with it in the last 36 hours"},
		{"session of the root user", session(time.Minute, "Root"), response.GateRoot, "a session of the root user"},
		{"federated session", session(time.Minute, "FederatedUser"), response.GateManual, "which user"},
		{"regions not known", func(in *incident) { session(time.Minute, "AssumedRole")(in); in.aws.Deny("ec2:DescribeRegions") }, response.GateUnreadable, "needs ec2:DescribeRegions"},
		{"protected", func(in *incident) {
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Tags[response.ProtectedTag] = "true" })
		}, response.GateProtected, "tag"},
		{"break-glass", func(in *incident) { in.rules.BreakGlass = []string{"deploy"} }, response.GateProtected, "break-glass"},
		{"in use", func(in *incident) {
			in.aws.Change(prod, func(*verifiertest.Account) {
				in.user.Keys[0].Used, in.user.Keys[0].UsedService = time.Now().Add(-time.Hour), "s3"
			})
		}, response.GateInUse, "--force-in-use"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			loneID(in)
			tt.spoil(in)
			plan := in.planNamed()
			if len(plan.Keys) != 0 || len(plan.Refused) != 1 {
				t.Fatalf("planned: %s", plan.Encode())
			}
			if r := plan.Refused[0]; r.Gate != tt.gate || !strings.Contains(r.Why, tt.reason) {
				t.Errorf("gate %s: %s; want %s: …%s…", r.Gate, r.Why, tt.gate, tt.reason)
			}
			if !plan.LeavesWork() {
				t.Error("nothing is said to be left to do")
			}
		})
	}
}

// TestOff: the sessions of a key that is off already are denied, and the undo gives back
// those alone.
func TestOff(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*incident)
		status string
	}{
		{"inactive", func(in *incident) { in.user.Keys[0].Inactive = true }, response.Inactive},
		{"deleted", func(in *incident) { in.user.Keys = nil }, response.Absent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := newIntruder(t, 0, 0, nil)
			in := i.in
			i.makeSession()
			in.aws.Change(prod, func(*verifiertest.Account) { tt.change(in) })
			in.leak.Match.Credential.Secret = detectors.Secret{}
			plan := in.plan(in.leak)
			if len(plan.Keys) != 1 || plan.Keys[0].Status != tt.status {
				t.Fatalf("%s", plan.Encode())
			}
			outcomes, err := in.apply(plan)
			if err != nil || outcomes[0].Result != response.Contained || outcomes[0].Status != tt.status {
				t.Fatalf("%v %+v", err, outcomes)
			}
			if n := i.alive(); n != 0 {
				t.Errorf("%d sessions work", n)
			}
			for id, actions := range in.aws.Writes() {
				if strings.Contains(strings.Join(actions, " "), "iam:UpdateAccessKey") {
					t.Errorf("%s has changed the key: %q", id, actions)
				}
			}
			outcomes, err = in.undo(plan)
			if err != nil || outcomes[0].Result != response.Undone || outcomes[0].Status != tt.status || len(in.user.Inline) != 0 {
				t.Errorf("%v %+v", err, outcomes)
			}
		})
	}
}

// TestNamedSession: the id of a session is enough to deny the sessions of its owner, if
// CloudTrail has seen it in the time that such a session lives; so is that of a deleted key.
func TestNamedSession(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*incident)
		kind  string
		steps int
	}{
		{"of a role", session(11*time.Hour, "AssumedRole"), "role", 1},
		{"of a user", session(35*time.Hour, "IAMUser"), "user", 1},
		{"in a report that is too old", func(in *incident) {
			session(time.Hour, "AssumedRole")(in)
			in.leak.Verdict = verifier.Verdict{State: verifier.Live, At: time.Now().Add(-2 * time.Hour), Identity: verifier.Identity{Account: prod, Kind: "role", Name: "builder", ARN: "arn:aws:sts::" + prod + ":assumed-role/builder/x"}}
		}, "role", 1},
		{"a key that was deleted", func(in *incident) {
			loneID(in)
			in.called(80*24*time.Hour, "IAMUser", "arn:aws:iam::"+prod+":user/ci/deploy", "deploy")
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys = nil })
		}, "user", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("builder", "") })
			tt.spoil(in)
			plan := in.planNamed()
			if len(plan.Keys) != 1 || plan.Keys[0].Kind != tt.kind || len(plan.Keys[0].Steps) != tt.steps {
				t.Fatalf("%s", plan.Encode())
			}
			if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
				t.Errorf("%v %+v", err, outcomes)
			}
		})
	}
}

// TestContainedAlready: an event that AWS sends twice is one incident. The second plan says
// so, unless something may have been issued since.
func TestContainedAlready(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*incident)
		planned bool
		warning string
	}{
		{"the same event again", func(*incident) {}, false, ""},
		{"used since", func(in *incident) { in.user.Keys[0].Used = time.Now().Add(time.Hour) }, true, ""},
		{"the policy was edited", func(in *incident) {
			for name, document := range in.user.Inline {
				in.user.Inline[name] = strings.Replace(document, `"Action":["*"]`, `"Action":["s3:*"]`, 1)
			}
		}, true, ""},
		{"the policy was taken off", func(in *incident) { clear(in.user.Inline) }, true, ""},
		{"active again", func(in *incident) { in.user.Keys[0].Inactive = false }, true, ""},
		{"policies cannot be listed", func(in *incident) { in.aws.Deny("iam:ListUserPolicies") }, true, "needs iam:ListUserPolicies"},
		{"a role was assumed with it", withAssumedRole, true, "the key has assumed role admin"},
		{"used since, after CloudTrail alone", func(in *incident) {
			in.called(-time.Hour, "IAMUser", "arn:aws:iam::"+prod+":user/ci/deploy", "deploy")
		}, true, "deny-sessions"},
		{"the user has got a console password", func(in *incident) {
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Console = true })
		}, true, "the user has a console password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			loneID(in)
			if outcomes, err := in.apply(in.planNamed()); err != nil || outcomes[0].Result != response.Contained {
				t.Fatalf("%v %+v", err, outcomes)
			}
			if tt.warning == "" {
				in.aws.Change(prod, func(*verifiertest.Account) { tt.change(in) })
			} else {
				tt.change(in)
			}
			p := planner.Planner{Operator: in.operator(), Rules: in.rules, Named: []string{in.leak.Match.Credential.ID}}
			plan, err := p.Plan(t.Context(), []finding.Finding{in.leak})
			if err != nil || plan.LeavesWork() || tt.planned != (len(plan.Keys) == 1) {
				t.Fatalf("%v %s", err, plan.Encode())
			}
			if tt.planned {
				if !strings.Contains(string(plan.Encode()), tt.warning) {
					t.Errorf("the plan does not say %q: %s", tt.warning, plan.Encode())
				}
				return
			}
			if r := plan.Refused[0]; r.Gate != response.GateContained || !strings.Contains(r.Why, "it is Inactive, and the policy stanch-deny-older-sessions-") {
				t.Errorf("gate %s: %s", r.Gate, r.Why)
			}
		})
	}
}

// TestContainedAlreadyConsole: a user with a console password gets no second pair of policies,
// unless the first is not what stanch has put.
func TestContainedAlreadyConsole(t *testing.T) {
	for _, edited := range []bool{false, true} {
		in := newIncident(t)
		loneID(in)
		in.aws.Change(prod, func(*verifiertest.Account) { in.user.Console = true })
		if outcomes, err := in.apply(in.planNamed()); err != nil || outcomes[0].Result != response.Contained || len(in.user.Inline) != 2 {
			t.Fatalf("%v %+v", err, outcomes)
		}
		for name, document := range in.user.Inline {
			if edited && strings.HasPrefix(name, response.ConsolePolicyName("")) {
				in.user.Inline[name] = strings.Replace(document, `"aws:TokenIssueTime":"false"`, `"aws:TokenIssueTime":"true"`, 1)
			}
		}
		p := planner.Planner{Operator: in.operator(), Rules: in.rules, Named: []string{in.leak.Match.Credential.ID}}
		plan, err := p.Plan(t.Context(), []finding.Finding{in.leak})
		if err != nil || edited != (len(plan.Keys) == 1) || !edited && plan.Refused[0].Gate != response.GateContained {
			t.Errorf("edited %v: %v %s", edited, err, plan.Encode())
		}
	}
}

// TestActiveAgain: a key that was off when the plan was made, and works when it is applied,
// takes another plan.
func TestActiveAgain(t *testing.T) {
	in := newIncident(t)
	set := func(off bool) {
		in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = off })
	}
	set(true)
	plan := in.plan(in.leak)
	set(false)
	if _, err := in.apply(plan); response.Refused(err) != response.GateDrift || !strings.Contains(err.Error(), "it was Inactive when the plan was made, and is Active now: plan again") {
		t.Errorf("%v", err)
	}
	if w := in.aws.Writes(); len(w) != 0 {
		t.Errorf("changed: %v", w)
	}
}
