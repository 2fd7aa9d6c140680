package response_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/response/planner"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestPlanGates: leaks that a plan must leave alone, with the gate that holds.
func TestPlanGates(t *testing.T) {
	state := func(s verifier.State) func(*incident) { return func(in *incident) { in.leak.Verdict.State = s } }
	identity := func(kind, name, arn string) func(*incident) {
		return func(in *incident) {
			in.leak.Verdict.Identity = verifier.Identity{Account: prod, Kind: kind, Name: name, ARN: arn}
		}
	}
	change := func(f func(*incident)) func(*incident) {
		return func(in *incident) { in.aws.Change(prod, func(*verifiertest.Account) { f(in) }) }
	}
	role := func(name string) func(*incident) {
		return identity("role", name, "arn:aws:sts::"+prod+":assumed-role/"+name+"/x")
	}
	forget := func(in *incident) { in.leak.Match.Credential.Secret = detectors.Secret{} }
	session := func(asked time.Duration) func(*incident) {
		return func(in *incident) {
			role("builder")(in)
			in.leak.Match.Credential = detectors.Credential{ID: "ASIA" + in.leak.Match.Credential.ID[4:]}
			in.leak.Verdict.At = time.Now().Add(asked)
		}
	}
	for _, tt := range []struct {
		name   string
		spoil  func(*incident)
		gate   response.Gate
		reason string
	}{
		{"canary", state(verifier.CanarySuspected), response.GateCanary, "alarm"},
		{"state unknown", state(verifier.Unknown), response.GateState, "unknown"},
		{"secret of another id", state(verifier.IDActive), response.GateState, "mismatch"},
		{"never asked", state(verifier.Skipped), response.GateState, "skipped"},
		{"no id", func(in *incident) { in.leak.Match.Credential.ID = "" }, response.GateNoKey, "id"},
		{"session, saved yesterday, no secret", session(-25 * time.Hour), response.GateStale, "scan again"},
		{"session, saved tomorrow, no secret", session(25 * time.Hour), response.GateStale, "scan again"},
		{"session, never verified, no secret", func(in *incident) { session(0)(in); in.leak.Verdict.At = time.Time{} }, response.GateStale, "does not say when AWS was asked"},
		{"session, saved an hour ago", session(-61 * time.Minute), response.GateStale, "61 min ago, at "},
		{"session, by a clock that is ahead", session(14 * time.Minute), response.GateStale, "in the future"},
		{"an id that is active", func(in *incident) { forget(in); state(verifier.IDActive)(in) }, response.GateState, "nothing proves that the key leaked"},
		{"dead by now", func(in *incident) {
			key := in.aws
			key.Set(verifiertest.Key{Credential: in.leak.Match.Credential, ARN: in.leak.Verdict.Identity.ARN, State: verifiertest.Inactive})
		}, response.GateState, "asked now"},
		{"secret is not its own", func(in *incident) { in.leak.Match.Credential.Secret = detectors.NewSecret(strings.Repeat("x", 40)) }, response.GateState, "asked now"},
		{"no identity", identity("", "", ""), response.GateIdentity, "owner"},
		{"identity of another account", identity("user", "deploy", "arn:aws:iam::"+ops+":user/deploy"), response.GateIdentity, "owner"},
		{"id of another account", func(in *incident) { in.leak.Match.Credential = verifiertest.LongTerm(ops, 5) }, response.GateIdentity, "its id is not of account " + prod},
		{"long-term key of a role", role("builder"), response.GateIdentity, "no long-term keys"},
		{"name of another user", func(in *incident) { in.leak.Verdict.Identity.Name = "mallory" }, response.GateIdentity, "do not agree"},
		{"an id that is none", func(in *incident) { in.leak.Match.Credential.ID = "AKIA;rm -rf" }, response.GateNoKey, "not the id of an access key"},
		{"account not listed", func(in *incident) { in.rules.Accounts = []string{ops} }, response.GateAccount, prod},
		{"root", identity("root", "", "arn:aws:iam::"+prod+":root"), response.GateRoot, "root"},
		{"federated", identity("federated", "x", "arn:aws:sts::"+prod+":federated-user/x"), response.GateManual, "which user"},
		{"single sign-on", role("AWSReservedSSO_Admin_1"), response.GateManual, "Identity Center"},
		{"service-linked", role("AWSServiceRoleForSupport"), response.GateManual, "service-linked"},
		{"break-glass by name", func(in *incident) { in.rules.BreakGlass = []string{"deploy"} }, response.GateProtected, "break-glass"},
		{"break-glass by ARN", func(in *incident) { in.rules.BreakGlass = []string{in.leak.Verdict.Identity.ARN} }, response.GateProtected, "break-glass"},
		{"break-glass in another case", func(in *incident) { in.rules.BreakGlass = []string{"Deploy"} }, response.GateProtected, "break-glass"},
		{"break-glass by ARN without the path", func(in *incident) { in.rules.BreakGlass = []string{"arn:aws:iam::" + prod + ":user/deploy"} }, response.GateProtected, "break-glass"},
		{"break-glass by ARN of a role", func(in *incident) {
			role("builder")(in)
			in.leak.Match.Credential.ID = "ASIA" + in.leak.Match.Credential.ID[4:]
			in.rules.BreakGlass = []string{"arn:aws:iam::" + prod + ":role/ci/builder"}
		}, response.GateProtected, "break-glass"},
		{"break-glass by ARN of another session", func(in *incident) {
			role("builder")(in)
			in.leak.Match.Credential.ID = "ASIA" + in.leak.Match.Credential.ID[4:]
			in.rules.BreakGlass = []string{"arn:aws:sts::" + prod + ":assumed-role/builder/night"}
		}, response.GateProtected, "break-glass"},
		{"protected by tag in another case", change(func(in *incident) { in.user.Tags["Stanch:Protected"] = "true" }), response.GateProtected, "tag"},
		{"protected by tag", change(func(in *incident) { in.user.Tags[response.ProtectedTag] = "True" }), response.GateProtected, "tag"},
		{"tags unreadable", func(in *incident) { in.aws.Deny("iam:ListUserTags") }, response.GateUnreadable, "needs iam:ListUserTags"},
		{"last use unreadable", func(in *incident) { in.aws.Deny("iam:GetAccessKeyLastUsed") }, response.GateUnreadable, "needs iam:GetAccessKeyLastUsed"},
		{"status unreadable", func(in *incident) { in.aws.Deny("iam:ListAccessKeys") }, response.GateUnreadable, "needs iam:ListAccessKeys"},
		{"no role to assume", func(in *incident) { in.role = "" }, response.GateResponder, "--role"},
		{"role that does not exist", func(in *incident) { in.role = "nobody" }, response.GateResponder, "AssumeRole"},
		{"wrong external id", func(in *incident) { in.externalID = "other" }, response.GateResponder, "AssumeRole"},
		{"responder in another account", func(in *incident) {
			in.aws.Change(prod, func(a *verifiertest.Account) { a.Roles["stanch-respond"].Elsewhere = ops })
		}, response.GateResponder, "another account"},
		{"the operator's own key", func(in *incident) { verifiertest.SignAs(in.t, in.leak.Match.Credential) }, response.GateOwn, "shut yourself out"},
		{"the responder's own role", func(in *incident) {
			role("stanch-respond")(in)
			in.leak.Match.Credential.ID = "ASIA" + in.leak.Match.Credential.ID[4:]
		}, response.GateOwn, "shut yourself out"},
		{"key of another user", func(in *incident) {
			in.aws.Change(prod, func(a *verifiertest.Account) { a.User("mallory", 3) })
			in.leak.Match.Credential = verifiertest.LongTerm(prod, 3)
		}, response.GateIdentity, `IAM to "mallory"`},
		{"user renamed", identity("user", "gone", "arn:aws:iam::"+prod+":user/gone"), response.GateIdentity, "not known"},
		{"in use", change(func(in *incident) {
			in.user.Keys[0].Used, in.user.Keys[0].UsedService = time.Now().Add(-time.Hour), "s3"
		}), response.GateInUse, "--force-in-use"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			tt.spoil(in)
			plan := in.plan(in.leak)
			if len(plan.Keys) != 0 || len(plan.Refused) != 1 {
				t.Fatalf("planned: %s", plan.Encode())
			}
			if r := plan.Refused[0]; r.Gate != tt.gate || !strings.Contains(r.Why, tt.reason) {
				t.Errorf("gate %s: %s; want %s: …%s…", r.Gate, r.Why, tt.gate, tt.reason)
			}
			if w := in.aws.Writes(); len(w) != 0 {
				t.Errorf("changed: %v", w)
			}
		})
	}
}

// TestCommandsOfRefusals: a key that is left alone for want of proof comes with the commands
// that have AWS asked again, and one that a person may decide about with the command for that.
func TestCommandsOfRefusals(t *testing.T) {
	const renewed = "stanch git --format json --output fresh.jsonl app\nstanch respond plan fresh.jsonl --accounts " + prod + " -o plan.json"
	for _, tt := range []struct {
		name  string
		spoil func(*finding.Finding)
		gate  response.Gate
		do    string
	}{
		{"too old", func(l *finding.Finding) {
			l.Match.Credential.ID = "ASIA" + l.Match.Credential.ID[4:]
			l.Verdict.At = time.Now().Add(-2 * time.Hour)
		}, response.GateStale, renewed},
		{"never asked", func(l *finding.Finding) { l.Verdict.State = verifier.Skipped }, response.GateState, renewed},
		{"not known", func(l *finding.Finding) { l.Verdict.State = verifier.Unknown }, response.GateState, renewed},
		{"an active id", func(l *finding.Finding) { l.Verdict.State = verifier.IDActive }, response.GateState, " --accounts " + prod + " -o plan.json"},
		{"canary", func(l *finding.Finding) { l.Verdict.State = verifier.CanarySuspected }, response.GateCanary, ""},
		{"no such user", func(l *finding.Finding) { l.Verdict.At, l.Verdict.Identity.Name = time.Now(), "mallory" }, response.GateIdentity, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			in.leak.Match.Credential.Secret = detectors.Secret{}
			tt.spoil(&in.leak)
			op, err := operator.New(t.Context(), operator.Config{Role: in.role, ExternalID: in.externalID, Endpoint: in.aws.URL, Wait: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			p := planner.Planner{Operator: op, Rules: in.rules, Commands: advice.Flags{Accounts: []string{prod}, Start: "old.jsonl"}.Commands("git", "app")}
			plan, err := p.Plan(t.Context(), []finding.Finding{in.leak})
			if err != nil || len(plan.Refused) != 1 || plan.Refused[0].Gate != tt.gate {
				t.Fatalf("%v %s", err, plan.Encode())
			}
			if do := strings.Join(plan.Refused[0].Do, "\n"); !strings.HasSuffix(do, tt.do) || tt.do == "" && do != "" {
				t.Errorf("do %q, want %q", do, tt.do)
			}
		})
	}
}

// TestForced: keys in use are shut off if the operator says so, and what is dead
// or planned already is left out.
func TestForced(t *testing.T) {
	in := newIncident(t)
	in.aws.Change(prod, func(*verifiertest.Account) {
		in.user.Keys[0].Used, in.user.Keys[0].UsedService = time.Now(), "s3"
	})
	in.rules.ForceInUse = true
	gone := in.leak
	gone.Verdict.State = verifier.Invalid
	plan := in.plan(in.leak, gone, in.leak)
	if len(plan.Keys) != 1 || len(plan.Refused) != 0 || !strings.Contains(strings.Join(plan.Keys[0].Warnings, "\n"), "in use") {
		t.Errorf("%s", plan.Encode())
	}
}

// TestApplyGates: plans that must not be applied. Nothing is changed by any.
func TestApplyGates(t *testing.T) {
	edit := func(old, now string) func(*incident, *response.Plan) {
		return func(in *incident, p *response.Plan) {
			b := strings.Replace(string(p.Encode()), old, now, 1)
			if err := json.Unmarshal([]byte(b), p); err != nil {
				in.t.Fatal(err)
			}
		}
	}
	at := func(f func(*incident)) func(*incident, *response.Plan) {
		return func(in *incident, _ *response.Plan) { in.aws.Change(prod, func(*verifiertest.Account) { f(in) }) }
	}
	for _, tt := range []struct {
		name  string
		spoil func(*incident, *response.Plan)
		gate  response.Gate
		why   string
	}{
		{"key replaced", edit(`"object": "AKIA`, `"object": "AKIB`), response.GateChanged, "changed after"},
		{"expiry moved", func(_ *incident, p *response.Plan) { p.Expires = p.Expires.Add(time.Hour) }, response.GateChanged, "changed after"},
		{"step dropped", func(_ *incident, p *response.Plan) { p.Keys[0].Steps = p.Keys[0].Steps[:1] }, response.GateChanged, "changed after"},
		{"account replaced", edit(`"account": "`+prod, `"account": "`+ops), response.GateChanged, "changed after"},
		{"expired", func(_ *incident, p *response.Plan) {
			p.Created, p.Expires = p.Created.Add(-16*time.Minute), p.Expires.Add(-16*time.Minute)
			p.Hash = p.Sum()
		}, response.GateExpired, "make a new one"},
		{"of the future", func(_ *incident, p *response.Plan) {
			p.Created, p.Expires = p.Created.Add(time.Hour), p.Expires.Add(time.Hour)
			p.Hash = p.Sum()
		}, response.GateExpired, "from the future"},
		{"immortal", func(_ *incident, p *response.Plan) { p.Expires = p.Expires.AddDate(1, 0, 0); p.Hash = p.Sum() }, response.GateExpired, "valid for too long"},
		{"step about another key", func(_ *incident, p *response.Plan) {
			p.Keys[0].Steps[1].Object = "AKIA" + strings.Repeat("Q", 16)
			p.Hash = p.Sum()
		}, response.GateOtherKey, "something else"},
		{"step about another user", func(_ *incident, p *response.Plan) { p.Keys[0].Steps[1].Name = "root"; p.Hash = p.Sum() }, response.GateOtherKey, "something else"},
		{"step that nobody knows", func(_ *incident, p *response.Plan) { p.Keys[0].Steps[1].Do = "delete"; p.Hash = p.Sum() }, response.GateOtherKey, "something else"},
		{"policy of somebody else", func(_ *incident, p *response.Plan) { p.Keys[0].Steps[0].Object = "Admin"; p.Hash = p.Sum() }, response.GateOtherKey, "something else"},
		{"the same key twice", func(_ *incident, p *response.Plan) { p.Keys = append(p.Keys, p.Keys[0]); p.Hash = p.Sum() }, response.GateOtherKey, "planned twice"},
		{"more than --max-keys", func(in *incident, _ *response.Plan) { in.maxKeys = 0 }, response.GateMany, "--max-keys allows 0"},
		{"no key at all", func(_ *incident, p *response.Plan) { p.Keys = nil; p.Hash = p.Sum() }, response.GateNoKey, "no keys"},
		{"account not listed any more", func(in *incident, _ *response.Plan) { in.rules.Accounts = []string{ops} }, response.GateAccount, "--accounts"},
		{"break-glass since", func(in *incident, _ *response.Plan) { in.rules.BreakGlass = []string{"deploy"} }, response.GateProtected, "break-glass"},
		{"protected since", at(func(in *incident) { in.user.Tags[response.ProtectedTag] = "true" }), response.GateProtected, "stanch:protected=true"},
		{"protection unreadable", func(in *incident, _ *response.Plan) { in.aws.Deny("iam:ListUserTags") }, response.GateUnreadable, "needs iam:ListUserTags"},
		{"ARN of another user", func(_ *incident, p *response.Plan) {
			p.Keys[0].ARN = "arn:aws:iam::" + prod + ":user/*"
			p.Hash = p.Sum()
		}, response.GateOtherKey, "do not agree"},
		{"step for the root user", func(_ *incident, p *response.Plan) {
			k := &p.Keys[0]
			k.Kind, k.Name, k.ARN = "root", "root", "arn:aws:iam::"+prod+":root"
			k.Steps = []response.Step{{Do: response.DenySessions, Kind: "root", Name: "root", Object: k.Steps[0].Object}}
			p.Hash = p.Sum()
		}, response.GateOtherKey, "something else"},
		{"role gone since", func(in *incident, _ *response.Plan) { in.role = "nobody" }, response.GateResponder, "AssumeRole"},
		{"responder elsewhere since", func(in *incident, _ *response.Plan) {
			in.aws.Change(prod, func(a *verifiertest.Account) { a.Roles["stanch-respond"].Elsewhere = ops })
		}, response.GateResponder, "another account"},
		{"operator is the user by now", func(in *incident, _ *response.Plan) { verifiertest.SignAs(in.t, in.leak.Match.Credential) }, response.GateOwn, "shut yourself out"},
		{"deactivated by hand since", at(func(in *incident) { in.user.Keys[0].Inactive = true }), response.GateDrift, "and is Inactive"},
		{"deleted since", at(func(in *incident) { in.user.Keys = nil }), response.GateDrift, "and is absent"},
		{"user deleted since", func(in *incident, _ *response.Plan) {
			in.aws.Change(prod, func(a *verifiertest.Account) { delete(a.Users, "deploy") })
		}, response.GateIdentity, "whether it is protected"},
		{"undo of what was never applied", nil, response.GateNotApplied, "no step of this plan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newIncident(t)
			plan := in.plan(in.leak)
			var err error
			if tt.spoil != nil {
				tt.spoil(in, &plan)
				_, err = in.apply(plan)
			} else {
				_, err = in.undo(plan)
			}
			if response.Refused(err) != tt.gate || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("%v, want %s: …%s…", err, tt.gate, tt.why)
			}
			if w := in.aws.Writes(); len(w) != 0 {
				t.Errorf("changed: %v", w)
			}
			if records, err := journal.Read(in.journal); err != nil || len(records) != 0 {
				t.Errorf("journal: %d records, %v", len(records), err)
			}
		})
	}
}

// TestParsePlan: files that are no plan of ours.
func TestParsePlan(t *testing.T) {
	in := newIncident(t)
	plan := string(in.plan(in.leak).Encode())
	for _, tt := range []struct {
		name, old, new, want string
	}{
		{"another version", response.PlanSchema, "stanch-plan/v2", "plan with this version"},
		{"a field more", `"keys"`, `"more": 1, "keys"`, "unknown field"},
		{"changed", `"kind": "user"`, `"kind": "role"`, "changed after"},
		{"no JSON", `{`, ``, "not a plan"},
	} {
		_, err := response.ParsePlan([]byte(strings.Replace(plan, tt.old, tt.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestFinished: a plan is applied once and undone once.
func TestFinished(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	if _, err := in.apply(plan); err != nil {
		t.Fatal(err)
	}
	if _, err := in.apply(plan); response.Refused(err) != response.GateFinished {
		t.Errorf("applied twice: %v", err)
	}
	in.rules.Accounts = []string{ops}
	if _, err := in.undo(plan); response.Refused(err) != response.GateAccount {
		t.Errorf("undone in an account that is not listed: %v", err)
	}
	in.rules.Accounts = []string{prod}
	if _, err := in.undo(plan); err != nil {
		t.Fatal(err)
	}
	if _, err := in.undo(plan); response.Refused(err) != response.GateNotApplied {
		t.Errorf("undone twice: %v", err)
	}
	if _, err := in.apply(plan); response.Refused(err) != response.GateFinished {
		t.Errorf("applied after an undo: %v", err)
	}
}

// TestSecondKey: a plan of two keys takes --max-keys 2, and shuts both off then.
func TestSecondKey(t *testing.T) {
	in := newIncident(t)
	second := in.leak
	in.aws.Change(prod, func(a *verifiertest.Account) { second.Match.Credential = a.User("second", 7).Keys[0].Credential })
	second.Digest = &finding.Digest{Fingerprint: "fedcba9876543210"}
	second.Verdict.Identity = verifier.Identity{Account: prod, ARN: "arn:aws:iam::" + prod + ":user/second", Kind: "user", Name: "second"}
	plan := in.plan(in.leak, second)
	if _, err := in.apply(plan); response.Refused(err) != response.GateMany || !strings.Contains(err.Error(), "has 2 keys, and --max-keys allows 1") {
		t.Errorf("%v", err)
	}
	if w := in.aws.Writes(); len(w) != 0 {
		t.Errorf("changed: %v", w)
	}
	in.maxKeys = 2
	outcomes, err := in.apply(plan)
	if err != nil || len(outcomes) != 2 || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
	in.maxKeys = 1
	if _, err := in.undo(plan); response.Refused(err) != response.GateMany {
		t.Errorf("undo of both: %v", err)
	}
}

// TestNobody: without an identity nothing begins.
func TestNobody(t *testing.T) {
	in := newIncident(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "") // which restores it
	_ = os.Unsetenv("AWS_ACCESS_KEY_ID")
	p := planner.Planner{Rules: response.Rules{}}
	if _, err := p.Plan(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "--accounts") {
		t.Errorf("no accounts: %v", err)
	}
	in.rules.Accounts = []string{"12345"}
	p = planner.Planner{Rules: in.rules}
	if _, err := p.Plan(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "twelve digits") {
		t.Errorf("bad account: %v", err)
	}
	for _, entry := range []string{"user/deploy", "arn:aws:iam::*:role/admin", "arn:aws:iam::" + prod + ":role/adm*", "olga deploy"} {
		if err := (response.Rules{Accounts: []string{prod}, BreakGlass: []string{entry}}).Check(); err == nil || !strings.Contains(err.Error(), "protects nothing") {
			t.Errorf("break-glass %q: %v", entry, err)
		}
	}
}

// TestSleptOver: the plan expires while consent is asked for.
func TestSleptOver(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	a, closeJournal := in.applier()
	defer closeJournal()
	if err := a.Admit(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	a.Now = func() time.Time { return time.Now().Add(response.PlanLife + time.Minute) }
	if _, err := a.Apply(t.Context(), plan); response.Refused(err) != response.GateExpired || len(in.aws.Writes()) != 0 {
		t.Errorf("%v, %v", err, in.aws.Writes())
	}
}
