package response_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// newSelf is an incident without an identity of the operator's: the leaked key is
// to switch itself off.
func newSelf(t *testing.T) *incident {
	t.Helper()
	in := newIncident(t)
	in.rules.Self, in.rules.ForceInUse = true, true
	return in
}

// newRoot is the same with a key of the root user.
func newRoot(t *testing.T) *incident {
	t.Helper()
	in := newSelf(t)
	c := verifiertest.LongTerm(prod, 4)
	in.aws.Change(prod, func(a *verifiertest.Account) {
		a.RootKeys = []*verifiertest.IAMKey{{Credential: c, Created: time.Now().AddDate(-3, 0, 0)}}
	})
	in.leak.Match.Credential = c
	in.leak.Verdict.Identity = verifier.Identity{Account: prod, Kind: "root", ARN: "arn:aws:iam::" + prod + ":root"}
	return in
}

// used returns what the leaked key was used for, but for questions who it is.
func (in *incident) used() (actions []string) {
	for _, r := range in.aws.Requests() {
		if r.KeyID == in.leak.Match.Credential.ID && r.Action != "GetCallerIdentity" {
			actions = append(actions, r.Service+":"+r.Action)
		}
	}
	return actions
}

// TestSelf: a leaked key of a user and one of the root user set themselves to
// Inactive, by one call. No other identity is used, and nothing is taken back.
func TestSelf(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(*testing.T) *incident
	}{{"user", newSelf}, {"root", newRoot}} {
		t.Run(tt.name, func(t *testing.T) {
			in := tt.make(t)
			verifiertest.SignAs(t, detectors.Credential{ID: "AKIA" + strings.Repeat("Q", 16), Secret: detectors.NewSecret("nobody's")})
			plan := in.plan(in.leak)
			if len(plan.Keys) != 1 || len(plan.Keys[0].Steps) != 1 || len(in.used()) != 0 {
				t.Fatalf("%s\nused %v", plan.Encode(), in.used())
			}
			if again, err := response.ParsePlan(plan.Encode()); err != nil || again.Hash != plan.Hash {
				t.Errorf("read back: %v", err)
			}
			outcomes, err := in.apply(plan)
			if err != nil || outcomes[0].Result != response.Incomplete || !strings.Contains(outcomes[0].Why[0], "36 hours") {
				t.Fatalf("%v %+v", err, outcomes)
			}
			if v := in.sts(t.Context(), in.leak.Match.Credential); v.State != verifier.Invalid {
				t.Errorf("state %s", v.State)
			}
			if got := in.used(); !slices.Equal(got, []string{"iam:UpdateAccessKey"}) {
				t.Errorf("the leaked key was used for %v", got)
			}
			want := []string{"begin", "intent deactivate-self", "done deactivate-self", "confirm", "end"}
			if got := in.events(); !slices.Equal(got, want) {
				t.Errorf("journal %q\nwant %q", got, want)
			}
			if _, err := in.undo(plan); response.Refused(err) != response.GateManual {
				t.Errorf("undo: %v", err)
			}
			for _, r := range in.aws.Requests() {
				if r.KeyID != in.leak.Match.Credential.ID {
					t.Errorf("somebody else asked: %+v", r)
				}
			}
			in.checkNoSecret(plan)
		})
	}
}

// TestSelfGates: leaks that must not be planned for with --self.
func TestSelfGates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(*incident)
		gate   response.Gate
		reason string
	}{
		{"without its secret", func(in *incident) { in.leak.Match.Credential.Secret = detectors.Secret{} }, response.GateSelf, "--show-secrets"},
		{"in use or not is not known", func(in *incident) { in.rules.ForceInUse = false }, response.GateInUse, "--force-in-use"},
		{"quarantined by AWS", func(in *incident) {
			in.leak.Verdict.Facts = []verifier.Fact{{Name: "quarantine", Value: "AWSCompromisedKeyQuarantineV3"}}
		}, response.GateQuarantine, "responder"},
		{"session", func(in *incident) { in.leak.Match.Credential.ID = "ASIA" + in.leak.Match.Credential.ID[4:] }, response.GateManual, "end itself"},
		{"account not listed", func(in *incident) { in.rules.Accounts = []string{ops} }, response.GateAccount, prod},
		{"break-glass", func(in *incident) { in.rules.BreakGlass = []string{"deploy"} }, response.GateProtected, "break-glass"},
		{"canary", func(in *incident) { in.leak.Verdict.State = verifier.CanarySuspected }, response.GateCanary, "alarm"},
		{"dead by now", func(in *incident) {
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = true })
		}, response.GateState, "asked now"},
		{"service credential", func(in *incident) {
			in.leak.Match.Rule.ID, in.leak.Verdict.State = "aws-bedrock-api-key", verifier.NotVerifiable
		}, response.GateManual, "not an access key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newSelf(t)
			tt.spoil(in)
			plan := in.plan(in.leak)
			if len(plan.Keys) != 0 || len(plan.Refused) != 1 {
				t.Fatalf("planned: %s", plan.Encode())
			}
			if r := plan.Refused[0]; r.Gate != tt.gate || !strings.Contains(r.Why, tt.reason) {
				t.Errorf("gate %s: %s; want %s: …%s…", r.Gate, r.Why, tt.gate, tt.reason)
			}
			if got := in.used(); len(got) != 0 {
				t.Errorf("used for %v", got)
			}
		})
	}
}

// TestSelfApplyGates: plans that use a leaked key, and must not be applied.
func TestSelfApplyGates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(*incident, *response.Plan)
		gate   response.Gate
		reason string
	}{
		{"not asked for again", func(in *incident, _ *response.Plan) { in.rules.Self = false }, response.GateSelf, "give --self again"},
		{"without its secret", func(in *incident, _ *response.Plan) { in.leak.Match.Credential.Secret = detectors.Secret{} }, response.GateSelf, "--findings"},
		{"off by now", func(in *incident, _ *response.Plan) {
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = true })
		}, response.GateDrift, "invalid"},
		{"somebody else's by now", func(_ *incident, p *response.Plan) {
			p.Keys[0].ARN = "arn:aws:iam::" + prod + ":user/other/deploy"
			p.Hash = p.Sum()
		}, response.GateIdentity, "user/ci/deploy"},
		{"break-glass since", func(in *incident, _ *response.Plan) { in.rules.BreakGlass = []string{"deploy"} }, response.GateProtected, "break-glass"},
		{"one step more", func(_ *incident, p *response.Plan) {
			p.Keys[0].Steps = append(p.Keys[0].Steps, p.Keys[0].Steps[0])
			p.Hash = p.Sum()
		}, response.GateOtherKey, "something else"},
		{"another key", func(_ *incident, p *response.Plan) {
			p.Keys[0].Steps[0].Object = "AKIA" + strings.Repeat("Q", 16)
			p.Hash = p.Sum()
		}, response.GateOtherKey, "something else"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newSelf(t)
			plan := in.plan(in.leak)
			tt.spoil(in, &plan)
			_, err := in.apply(plan)
			if response.Refused(err) != tt.gate || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("%v, want %s: …%s…", err, tt.gate, tt.reason)
			}
			if got := in.used(); len(got) != 0 {
				t.Errorf("used for %v", got)
			}
		})
	}
	t.Run("plan for a responder", func(t *testing.T) {
		in := newIncident(t)
		plan := in.plan(in.leak)
		in.rules.Self = true
		if _, err := in.apply(plan); response.Refused(err) != response.GateSelf || !strings.Contains(err.Error(), "leave --self out") {
			t.Errorf("%v", err)
		}
	})
}

// TestSelfRefused: AWS denies a quarantined key what --self needs, though nothing
// said before that it is. And an answer that was lost is no failure.
func TestSelfRefused(t *testing.T) {
	in := newSelf(t)
	plan := in.plan(in.leak)
	in.aws.Change(prod, func(*verifiertest.Account) {
		in.user.Attached = []string{"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}
	})
	outcomes, err := in.apply(plan)
	if err != nil || outcomes[0].Result != response.Untouched || !strings.Contains(outcomes[0].Why[0], "so a responder in its account has to") {
		t.Fatalf("%v %+v", err, outcomes)
	}
	in.aws.Change(prod, func(*verifiertest.Account) { in.user.Attached = nil })
	// It has its effect, the answer is lost, and the key cannot ask again.
	lost := false
	in.aws.After = func(r verifiertest.Request) {
		if r.Action == "UpdateAccessKey" && !lost {
			lost = true
			panic(http.ErrAbortHandler)
		}
	}
	defer func() { in.aws.After = nil }()
	outcomes, err = in.apply(plan)
	if err != nil || outcomes[0].Result != response.Incomplete {
		t.Fatalf("%v %+v", err, outcomes)
	}
	if got := in.events(); !slices.Contains(got, "done deactivate-self") {
		t.Errorf("journal %q", got)
	}
}

// TestLeakedSession: the session of a leaked key sends nothing else.
func TestLeakedSession(t *testing.T) {
	in := newSelf(t)
	s, err := operator.Leaked(operator.Config{Endpoint: in.aws.URL}, in.leak.Match.Credential, in.leak.Verdict.Identity.ARN)
	if err != nil {
		t.Fatal(err)
	}
	id := in.leak.Match.Credential.ID
	for _, c := range []operator.Call{
		{Service: "iam", Action: "ListAccessKeys", Params: map[string]string{}},
		{Service: "iam", Action: "UpdateAccessKey", Params: map[string]string{"AccessKeyId": id, "Status": "Active"}},
		{Service: "iam", Action: "UpdateAccessKey", Params: map[string]string{"AccessKeyId": "AKIA" + strings.Repeat("Q", 16), "Status": "Inactive"}},
		{Service: "iam", Action: "UpdateAccessKey", Params: map[string]string{"AccessKeyId": id, "Status": "Inactive", "UserName": "other"}},
		{Service: "sts", Action: "GetSessionToken"},
		{Service: "sts", Action: "AssumeRole"},
	} {
		if err := s.Do(context.Background(), c, nil); err == nil || !strings.Contains(err.Error(), "not used for this") {
			t.Errorf("%s %v: %v", c.Action, c.Params, err)
		}
	}
	if n := len(in.aws.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestRootLeftAlone: what an audit of the root user's credentials tells about a key
// that stanch does not touch, and that no one may plan to.
func TestRootLeftAlone(t *testing.T) {
	management := func(in *incident) {
		in.aws.Change(ops, func(a *verifiertest.Account) { a.Management = true })
	}
	for _, tt := range []struct {
		name   string
		make   func(*incident)
		gate   response.Gate
		reason string
	}{
		{"no management account", func(*incident) {}, response.GateRoot, "needs sts:AssumeRoot"},
		{"active", management, response.GateRoot, "it is Active, made"},
		{"off", func(in *incident) {
			management(in)
			// STS would not say live any more: the report is fresh, and has no secret.
			in.leak.Match.Credential.Secret = detectors.Secret{}
			in.aws.Change(prod, func(a *verifiertest.Account) { a.RootKeys[0].Inactive = true })
		}, response.GateState, "Inactive already"},
		{"deleted", func(in *incident) {
			management(in)
			in.leak.Match.Credential.Secret = detectors.Secret{}
			in.aws.Change(prod, func(a *verifiertest.Account) { a.RootKeys = nil })
		}, response.GateState, "no such key any more"},
		{"audit not allowed", func(in *incident) { management(in); in.aws.Deny("iam:ListAccessKeys") }, response.GateRoot, "needs iam:ListAccessKeys"},
		{"root access is not centralized", func(in *incident) {
			management(in)
			in.aws.Next("sts:AssumeRoot", verifiertest.Failure(400, "AccessDenied", "not enabled"))
		}, response.GateRoot, "sts:AssumeRoot"},
		{"region disabled", func(in *incident) {
			management(in)
			in.aws.Next("sts:AssumeRoot", verifiertest.Failure(403, "RegionDisabledException", "STS is not activated in this region"))
		}, response.GateRoot, "RegionDisabledException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newRoot(t)
			in.rules.Self, in.rules.ForceInUse = false, false
			tt.make(in)
			plan := in.plan(in.leak)
			if len(plan.Keys) != 0 || len(plan.Refused) != 1 {
				t.Fatalf("planned: %s", plan.Encode())
			}
			r := plan.Refused[0]
			if r.Gate != tt.gate || !strings.Contains(r.Why, tt.reason) {
				t.Errorf("gate %s: %s; want %s: …%s…", r.Gate, r.Why, tt.gate, tt.reason)
			}
			// What a human is told to do works at AWS: no session may deactivate.
			if do := strings.Join(r.Do, "\n"); r.Gate == response.GateRoot && (!strings.Contains(do, "delete-access-key") || strings.Contains(do, "update-access-key")) {
				t.Errorf("do %s", do)
			}
			if w := in.aws.Writes(); len(w) != 0 {
				t.Errorf("changed: %v", w)
			}
		})
	}
}

// TestSelfResumes: an apply that was cut off goes on, and does not ask a key that is
// off to do more.
func TestSelfResumes(t *testing.T) {
	in := newSelf(t)
	plan := in.plan(in.leak)
	in.aws.Next("iam:UpdateAccessKey", slices.Repeat([]verifiertest.Response{verifiertest.Failure(503, "ServiceUnavailable", "later")}, 5)...)
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Untouched {
		t.Fatalf("%v %+v", err, outcomes)
	}
	in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = true })
	asked := len(in.used())
	outcomes, err := in.apply(plan)
	if err != nil || outcomes[0].Result != response.Incomplete || len(in.used()) != asked {
		t.Errorf("%v %+v, used %v", err, outcomes, in.used())
	}
}
