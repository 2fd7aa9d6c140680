package response_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/apply"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/response/planner"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// The accounts of an incident: the operator is of ops, and the key leaks from prod.
const ops, prod = "111122223333", "222233334444"

// An incident is a leaked key of user deploy of prod, and who responds to it.
type incident struct {
	t       *testing.T
	aws     *verifiertest.AWS
	user    *verifiertest.IAMUser
	leak    finding.Finding
	journal string

	role, externalID string
	rules            response.Rules
	maxKeys          int
	quarantine       bool
	slept            time.Duration
}

func newIncident(t *testing.T) *incident {
	t.Helper()
	in := &incident{
		t: t, aws: verifiertest.NewAWS(t), journal: filepath.Join(t.TempDir(), "journal.jsonl"),
		role: "stanch-respond", externalID: "example", maxKeys: 1,
		rules: response.Rules{Accounts: []string{prod}},
	}
	in.aws.Change(ops, func(a *verifiertest.Account) { a.User("olga", 1) })
	in.aws.Change(prod, func(a *verifiertest.Account) {
		in.user = a.User("deploy", 2)
		in.user.Path = "/ci/"
		a.Role("stanch-respond", "example")
	})
	c := in.user.Keys[0].Credential
	in.leak = finding.Finding{
		Match:     detectors.Match{Rule: &detectors.Rule{ID: "aws-access-key"}, Credential: c},
		Digest:    &finding.Digest{Fingerprint: "0123456789abcdef"},
		Locations: []finding.Location{{Repo: "app", Path: "config/prod.env", Line: 2, Commit: "b2de72a"}},
		Verdict: verifier.Verdict{State: verifier.Live, At: time.Now(), Identity: verifier.Identity{
			Account: prod, ARN: "arn:aws:iam::" + prod + ":user/ci/deploy", Kind: "user", Name: "deploy",
		}},
	}
	return in
}

// TestMain makes the key of olga, who is in every incident, the operator's own, so that
// tests can run in parallel.
func TestMain(m *testing.M) {
	for name, value := range verifiertest.Environment(verifiertest.LongTerm(ops, 1)) {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func (in *incident) operator() *operator.Operator {
	in.t.Helper()
	o, err := operator.New(in.t.Context(), operator.Config{
		Role: in.role, ExternalID: in.externalID, Version: "test", Endpoint: in.aws.URL, Wait: time.Millisecond,
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return o
}

// sts asks the STS of the incident, each time anew.
func (in *incident) sts(ctx context.Context, c detectors.Credential) verifier.Verdict {
	in.t.Helper()
	v, err := awsverifier.New(awsverifier.Config{Endpoint: in.aws.URL, Backoff: time.Millisecond})
	if err != nil {
		in.t.Fatal(err)
	}
	return v.Verify(ctx, c)
}

type asker func(context.Context, detectors.Credential) verifier.Verdict

func (f asker) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict { return f(ctx, c) }

func (in *incident) plan(leaks ...finding.Finding) response.Plan {
	in.t.Helper()
	p := planner.Planner{Verifier: asker(in.sts), Rules: in.rules, Quarantine: in.quarantine, Activity: &activity.Reader{Pace: -1}}
	if !in.rules.Self {
		p.Operator = in.operator()
	}
	plan, err := p.Plan(in.t.Context(), leaks)
	if err != nil {
		in.t.Fatal(err)
	}
	return plan
}

// applier returns an applier with the journal open until the test ends, or until
// close is called.
func (in *incident) applier() (a *apply.Applier, closeJournal func()) {
	in.t.Helper()
	j, err := journal.Open(in.journal, "olga")
	if err != nil {
		in.t.Fatal(err)
	}
	a = &apply.Applier{
		Journal: j, Rules: in.rules, MaxKeys: in.maxKeys, Activity: &activity.Reader{Pace: -1},
		Recheck: func(ctx context.Context, id string) (verifier.Verdict, bool) {
			if id != in.leak.Match.Credential.ID || in.leak.Match.Credential.Secret.IsZero() {
				return verifier.Verdict{}, false
			}
			return in.sts(ctx, in.leak.Match.Credential), true
		},
		Sleep: func(_ context.Context, d time.Duration) { in.slept += d },
		Leaked: func(k response.Key) (*operator.Session, bool, error) {
			if in.leak.Match.Credential.Secret.IsZero() {
				return nil, false, nil
			}
			s, err := operator.Leaked(operator.Config{Version: "test", Endpoint: in.aws.URL, Wait: time.Millisecond}, in.leak.Match.Credential, k.ARN)
			return s, true, err
		},
	}
	if !in.rules.Self {
		a.Operator = in.operator()
	}
	return a, func() { _ = j.Close() }
}

func (in *incident) apply(plan response.Plan) ([]response.Outcome, error) {
	in.t.Helper()
	a, closeJournal := in.applier()
	defer closeJournal()
	if err := a.Admit(in.t.Context(), plan); err != nil {
		return nil, err
	}
	return a.Apply(in.t.Context(), plan)
}

func (in *incident) undo(plan response.Plan) ([]response.Outcome, error) {
	in.t.Helper()
	a, closeJournal := in.applier()
	defer closeJournal()
	if err := a.AdmitUndo(in.t.Context(), plan); err != nil {
		return nil, err
	}
	return a.Undo(in.t.Context(), plan)
}

func (in *incident) events() (events []string) {
	in.t.Helper()
	records, err := journal.Read(in.journal)
	if err != nil {
		in.t.Fatal(err)
	}
	for _, r := range records {
		e := r.Event
		if r.Step != nil {
			e += " " + string(r.Step.Do)
		}
		events = append(events, e)
	}
	return events
}

// TestIncident: planned, applied, confirmed and undone, with the leaked key used
// for one thing only, and no secret in anything that is written.
func TestIncident(t *testing.T) {
	in := newIncident(t)
	if v := in.sts(t.Context(), in.leak.Match.Credential); v.State != verifier.Live {
		t.Fatalf("state %s", v.State)
	}
	plan := in.plan(in.leak)
	if len(plan.Keys) != 1 || len(plan.Keys[0].Steps) != 2 || len(in.aws.Writes()) != 0 {
		t.Fatalf("plan %s\nwrites %v", plan.Encode(), in.aws.Writes())
	}
	again, err := response.ParsePlan(plan.Encode())
	if err != nil || again.Hash != plan.Hash {
		t.Fatalf("read back: %v", err)
	}
	outcomes, err := in.apply(again)
	if err != nil || len(outcomes) != 1 {
		t.Fatalf("%v %+v", err, outcomes)
	}
	if o := outcomes[0]; o.Result != response.Contained {
		t.Fatalf("result %v", o.Result)
	}
	if o := outcomes[0]; o.Status != "Inactive" {
		t.Fatalf("status %q", o.Status)
	}
	if o := outcomes[0]; len(o.Notes) != 1 || !strings.Contains(o.Notes[0], "CloudTrail tells of a call up to 15 minutes late") {
		t.Fatalf("notes %q", o.Notes)
	}
	if !in.user.Keys[0].Inactive || len(in.user.Inline) != 1 {
		t.Errorf("at AWS: inactive %v, policies %v", in.user.Keys[0].Inactive, in.user.Inline)
	}
	if v := in.sts(t.Context(), in.leak.Match.Credential); v.State != verifier.Invalid {
		t.Errorf("state %s", v.State)
	}
	if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
		t.Fatalf("%v %+v", err, outcomes)
	}
	if in.user.Keys[0].Inactive || len(in.user.Inline) != 0 {
		t.Errorf("at AWS: inactive %v, policies %v", in.user.Keys[0].Inactive, in.user.Inline)
	}
	want := []string{"begin", "intent deactivate", "done deactivate", "intent deny-sessions", "done deny-sessions", "off deactivate",
		"intent deny-sessions", "done deny-sessions", "confirm", "end",
		"undo-intent deny-sessions", "undone deny-sessions", "undo-intent deactivate", "undone deactivate", "end"}
	if got := in.events(); !slices.Equal(got, want) {
		t.Errorf("journal %q\nwant %q", got, want)
	}
	in.checkLeakedKey()
	in.checkNoSecret(plan)
}

// checkLeakedKey holds that the leaked key was used for GetCallerIdentity only.
func (in *incident) checkLeakedKey() {
	in.t.Helper()
	n := 0
	for _, r := range in.aws.Requests() {
		if r.KeyID != in.leak.Match.Credential.ID {
			continue
		}
		n++
		if r.Service != "sts" || r.Action != "GetCallerIdentity" {
			in.t.Errorf("the leaked key was used for %s:%s", r.Service, r.Action)
		}
	}
	if n == 0 {
		in.t.Error("the leaked key was never used: the recorder does not record")
	}
}

func (in *incident) checkNoSecret(plan response.Plan) {
	in.t.Helper()
	journal, err := os.ReadFile(in.journal)
	if err != nil {
		in.t.Fatal(err)
	}
	for _, text := range []string{string(journal), string(plan.Encode())} {
		for _, secret := range []string{in.leak.Match.Credential.Secret.Reveal(), os.Getenv("AWS_SECRET_ACCESS_KEY")} {
			if strings.Contains(text, secret) {
				in.t.Error("a secret is in the plan or in the journal")
			}
		}
	}
}

// TestRole: of a leaked session the role's older sessions are denied everything.
// STS still says who it is, which is not taken for a failure.
func TestRole(t *testing.T) {
	in := newIncident(t)
	var role *verifiertest.IAMRole
	in.aws.Change(prod, func(a *verifiertest.Account) { role = a.Role("builder", "") })
	key := verifiertest.Role(prod, "builder", 9)
	in.aws.Set(key)
	in.leak.Match.Credential = key.Credential
	in.leak.Verdict.Identity = verifier.Identity{Account: prod, ARN: key.ARN, Kind: "role", Name: "builder"}
	plan := in.plan(in.leak)
	outcomes, err := in.apply(plan)
	if err != nil || outcomes[0].Result != response.Contained || len(role.Inline) != 1 {
		t.Fatalf("%v %+v %v\n%s", err, outcomes, role.Inline, plan.Encode())
	}
	for _, document := range role.Inline {
		if !strings.Contains(document, `"DateLessThan":{"aws:TokenIssueTime":"20`) || !strings.Contains(document, `"Effect":"Deny"`) {
			t.Error(document)
		}
	}
	if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone || len(role.Inline) != 0 {
		t.Errorf("%v %+v %v", err, outcomes, role.Inline)
	}
}

// TestPartly: what AWS refuses is said, the rest is done and stays done, and the
// next apply takes what is missing.
func TestPartly(t *testing.T) {
	for _, tt := range []struct {
		deny  string
		first response.Result
		why   string
	}{
		{"iam:UpdateAccessKey", response.Partly, "deactivate: needs iam:UpdateAccessKey"},
		{"iam:PutUserPolicy", response.Incomplete, "deny-sessions: needs iam:PutUserPolicy"},
		{"iam:GetUserPolicy", response.Incomplete, "deny-sessions: needs iam:GetUserPolicy"},
	} {
		t.Run(tt.deny, func(t *testing.T) {
			t.Parallel()
			in := newIncident(t)
			plan := in.plan(in.leak)
			in.aws.Deny(tt.deny)
			outcomes, err := in.apply(plan)
			if err != nil || outcomes[0].Result != tt.first || !strings.Contains(strings.Join(outcomes[0].Why, "\n"), tt.why) {
				t.Fatalf("%v %+v", err, outcomes)
			}
			in.aws.Allow(tt.deny)
			outcomes, err = in.apply(plan)
			if err != nil || outcomes[0].Result != response.Contained {
				t.Fatalf("%v %+v", err, outcomes)
			}
			for _, writes := range in.aws.Writes() {
				// The policy is put twice; else the refused call is the only one that is repeated.
				for _, w := range writes {
					most := 1
					if w == "iam:PutUserPolicy" {
						most = 2
					}
					if n := count(writes, w); n > most && w != tt.deny {
						t.Errorf("%s came %d times", w, n)
					}
				}
			}
		})
	}
}

func count(list []string, s string) (n int) {
	for _, e := range list {
		if e == s {
			n++
		}
	}
	return n
}

// TestUnconfirmed: AWS says that the key is off and STS goes on knowing it.
func TestUnconfirmed(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	a, closeJournal := in.applier()
	defer closeJournal()
	a.Recheck = func(context.Context, string) (verifier.Verdict, bool) {
		return verifier.Verdict{State: verifier.Live}, true
	}
	outcomes, err := a.Apply(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Unconfirmed || in.slept != time.Minute {
		t.Errorf("%v %+v after %s", err, outcomes, in.slept)
	}
}

// TestConsistency: IAM and STS come round after a while.
func TestConsistency(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	a, closeJournal := in.applier()
	defer closeJournal()
	asked := 0
	a.Recheck = func(context.Context, string) (verifier.Verdict, bool) {
		if asked++; asked < 3 {
			return verifier.Verdict{State: verifier.Live}, true
		}
		return verifier.Verdict{State: verifier.Invalid}, true
	}
	outcomes, err := a.Apply(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Contained || in.slept.Round(time.Second) != 16*time.Second { // 2, 4, and for the policy
		t.Errorf("%v %+v after %s", err, outcomes, in.slept)
	}
	// Somebody undoes it by hand; a later look shows.
	in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = false })
	outcomes, err = a.Confirm(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Unconfirmed || !strings.Contains(outcomes[0].Why[0], "Active") {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestTokenEnds: the responder's session runs out in the middle, and AWS is busy.
func TestTokenEnds(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	busy := verifiertest.Failure(400, "Throttling", "Rate exceeded")
	over := verifiertest.Failure(403, "ExpiredToken", "The security token included in the request is expired")
	in.aws.Next("iam:UpdateAccessKey", over, busy, busy, verifiertest.Failure(503, "ServiceUnavailable", "try later"))
	outcomes, err := in.apply(plan)
	if err != nil || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
	assumed := 0
	for _, r := range in.aws.Requests() {
		if r.Action == "AssumeRole" {
			assumed++
		}
	}
	if assumed != 5 { // to plan, to read, one for each of two steps, and once more
		t.Errorf("%d sessions of the responder", assumed)
	}
}
