package response_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestAssumedRoles: the sessions of each role that the key has assumed are denied, or the
// plan and the outcome say why not.
func TestAssumedRoles(t *testing.T) {
	const arn = "arn:aws:iam::" + prod + ":role/ops/admin"
	for _, tt := range []struct {
		name   string
		spoil  func(*incident, *verifiertest.Account)
		role   string
		ago    time.Duration
		denied bool
		left   string // "" if the key is contained
	}{
		{name: "a role", role: arn, denied: true},
		{name: "eleven hours ago", role: arn, ago: 11 * time.Hour, denied: true},
		{name: "a leak with a date that is still to come", role: arn, denied: true, spoil: func(in *incident, _ *verifiertest.Account) {
			in.leak.Locations[0].Time = time.Now().AddDate(1, 0, 0)
		}},
		{name: "its sessions are over", role: arn, ago: 13 * time.Hour},
		{name: "the role is gone", role: "arn:aws:iam::" + prod + ":role/gone"},
		{name: "protected by its tag", role: arn, left: "refused (protected)", spoil: func(_ *incident, a *verifiertest.Account) { a.Roles["admin"].Tags["stanch:protected"] = "true" }},
		{name: "break-glass by its name", role: arn, left: "refused (protected)", spoil: func(in *incident, _ *verifiertest.Account) { in.rules.BreakGlass = []string{"Admin"} }},
		{name: "break-glass by its ARN", role: arn, left: "refused (protected)", spoil: func(in *incident, _ *verifiertest.Account) { in.rules.BreakGlass = []string{arn} }},
		{name: "the responder's own", role: "arn:aws:iam::" + prod + ":role/stanch-respond", left: "refused (operator-itself)"},
		{name: "service-linked", role: "arn:aws:iam::" + prod + ":role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", left: "a service-linked role cannot be changed"},
		{name: "single sign-on", role: "arn:aws:iam::" + prod + ":role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1", left: "IAM Identity Center"},
		{name: "of an account that is not listed", role: "arn:aws:iam::333344445555:role/admin", left: "refused (account-not-listed)"},
		{name: "of an account that cannot be entered", role: "arn:aws:iam::333344445555:role/admin", left: "refused (no-responder)",
			spoil: func(in *incident, _ *verifiertest.Account) {
				in.rules.Accounts = append(in.rules.Accounts, "333344445555")
			}},
		{name: "no ARN", role: "admin", left: "CloudTrail names no ARN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newIncident(t)
			var admin *verifiertest.IAMRole
			in.aws.Change(prod, func(a *verifiertest.Account) {
				admin = a.Role("admin", "")
				admin.Path = "/ops/"
				if tt.spoil != nil {
					tt.spoil(in, a)
				}
			})
			in.assumes(in.leak.Match.Credential.ID, tt.role, verifiertest.Role(prod, "admin", 77).Credential.ID, tt.ago)
			plan := in.plan(in.leak)
			outcomes, err := in.apply(plan)
			if err != nil {
				t.Fatal(err)
			}
			o := outcomes[0]
			if tt.left == "" && o.Result != response.Contained || tt.left != "" && (o.Result != response.Incomplete || !said(o.Why, tt.left)) {
				t.Errorf("%s %q\n%s", o.Result, o.Why, plan.Encode())
			}
			if denied := len(admin.Inline) == 1; denied != tt.denied {
				t.Errorf("denied: %v, policies %v", denied, admin.Inline)
			}
			if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone || len(admin.Inline) != 0 {
				t.Errorf("%v %+v", err, outcomes)
			}
		})
	}
}

// TestRoleOfARole: a role that was assumed from a session that the key made is found.
func TestRoleOfARole(t *testing.T) {
	in := newIncident(t)
	first, second := verifiertest.Role(prod, "a", 77).Credential.ID, verifiertest.Role(prod, "b", 78).Credential.ID
	in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("a", ""); a.Role("b", "") })
	in.assumes(in.leak.Match.Credential.ID, "arn:aws:iam::"+prod+":role/a", first, time.Hour)
	in.assumes(first, "arn:aws:iam::"+prod+":role/b", second, time.Minute)
	outcomes, err := in.apply(in.plan(in.leak))
	if err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	in.aws.Change(prod, func(a *verifiertest.Account) {
		if len(a.Roles["a"].Inline) != 1 || len(a.Roles["b"].Inline) != 1 {
			t.Errorf("%v, %v", a.Roles["a"].Inline, a.Roles["b"].Inline)
		}
	})
}

// TestSharedRole: two keys that have assumed the same role share its step.
func TestSharedRole(t *testing.T) {
	in := newIncident(t)
	second := in.leak
	in.aws.Change(prod, func(a *verifiertest.Account) {
		second.Match.Credential = verifiertest.LongTerm(prod, 7)
		in.user.Keys = append(in.user.Keys, &verifiertest.IAMKey{Credential: second.Match.Credential, Created: time.Now()})
		a.Role("admin", "")
	})
	in.maxKeys = 2
	for n, c := range []detectors.Credential{in.leak.Match.Credential, second.Match.Credential} {
		in.assumes(c.ID, "arn:aws:iam::"+prod+":role/admin", verifiertest.Role(prod, "admin", 77+uint64(n)).Credential.ID, time.Minute)
	}
	plan := in.plan(in.leak, second)
	a, closeJournal := in.applier()
	a.Sleep = func(context.Context, time.Duration) {}
	outcomes, err := a.Apply(t.Context(), plan)
	closeJournal()
	if err != nil || len(outcomes) != 2 || outcomes[0].Result != response.Contained || outcomes[1].Result != response.Contained {
		t.Fatalf("%v %s", err, fmt.Sprintf("%+v", outcomes))
	}
	if outcomes, err = in.undo(plan); err != nil || outcomes[1].Result != response.Undone {
		t.Errorf("%v %+v", err, outcomes)
	}
	in.aws.Change(prod, func(a *verifiertest.Account) {
		if len(a.Roles["admin"].Inline) != 0 {
			t.Errorf("%v", a.Roles["admin"].Inline)
		}
	})
}

// TestAssumedAgain: somebody who has another key assumes a role whose older sessions are
// denied: the new session is named.
func TestAssumedAgain(t *testing.T) {
	in := newIncident(t)
	second := verifiertest.LongTerm(prod, 41).ID
	in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("admin", "") })
	in.assumes(in.leak.Match.Credential.ID, "arn:aws:iam::"+prod+":role/admin", verifiertest.Role(prod, "admin", 77).Credential.ID, time.Hour)
	plan := in.plan(in.leak)
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	in.trail(in.leak.Match.Credential.ID, 5*time.Minute, "iam.amazonaws.com", "CreateAccessKey", map[string]any{"userName": "other"},
		map[string]any{"accessKey": map[string]any{"accessKeyId": second, "userName": "other"}})
	in.assumes(second, "arn:aws:iam::"+prod+":role/admin", verifiertest.Role(prod, "admin", 78).Credential.ID, -time.Minute)
	session := verifiertest.Role(prod, "x", 79).Credential.ID
	in.trail(second, time.Minute, "sts.amazonaws.com", "GetSessionToken", nil, map[string]any{"credentials": map[string]any{"accessKeyId": session}})
	a, closeJournal := in.applier()
	defer closeJournal()
	outcomes, err := a.Confirm(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Incomplete || !said(outcomes[0].Why, "by "+second+", after its sessions were denied") || !said(outcomes[0].Why, session) {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestRoleDeleted: a role that somebody deletes after the plan was made does not keep the key
// from being shut off. Its sessions can do nothing.
func TestRoleDeleted(t *testing.T) {
	in := newIncident(t)
	in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("admin", "") })
	in.assumes(in.leak.Match.Credential.ID, "arn:aws:iam::"+prod+":role/admin", verifiertest.Role(prod, "admin", 77).Credential.ID, time.Hour)
	plan := in.plan(in.leak)
	in.aws.Change(prod, func(a *verifiertest.Account) { delete(a.Roles, "admin") })
	outcomes, err := in.apply(plan)
	if err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
		t.Errorf("%v %+v", err, outcomes)
	}
}
