package response_test

import (
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestRoleOfAnotherAccount: the key has assumed a role of another account, as deployments do.
// Its sessions are denied there, and CloudTrail is asked there what they did.
func TestRoleOfAnotherAccount(t *testing.T) {
	const away = "333344445555"
	session := verifiertest.Role(away, "admin", 77).Credential.ID
	for _, tt := range []struct {
		name  string
		event string // that the session made there; "" if there is no way in
		why   string // "" if the key is contained
	}{
		{name: "an instance", event: "RunInstances"},
		{name: "a user", event: "CreateUser", why: "user mallory in account " + away},
		{name: "no way in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newIncident(t)
			var admin *verifiertest.IAMRole
			in.aws.Change(away, func(a *verifiertest.Account) {
				admin = a.Role("admin", "")
				if tt.event != "" {
					a.Role("stanch-respond", "example")
				}
				a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: session, Region: "us-east-1", At: time.Now().Add(-time.Minute), Event: map[string]any{
					"eventSource": map[string]string{"CreateUser": "iam.amazonaws.com", "RunInstances": "ec2.amazonaws.com"}[tt.event],
					"eventName":   tt.event, "requestParameters": map[string]any{"userName": "mallory"},
				}})
			})
			in.rules.Accounts = append(in.rules.Accounts, away)
			in.assumes(in.leak.Match.Credential.ID, "arn:aws:iam::"+away+":role/admin", session, time.Hour)
			plan := in.plan(in.leak)
			outcomes, err := in.apply(plan)
			if err != nil {
				t.Fatal(err)
			}
			o := outcomes[0]
			if tt.event == "" {
				if o.Result != response.Incomplete || !said(o.Why, "cannot be read: ") || len(admin.Inline) != 0 {
					t.Errorf("%s %q", o.Result, o.Why)
				}
				return
			}
			if len(admin.Inline) != 1 || tt.why == "" && (o.Result != response.Contained || len(o.Made) != 1) || tt.why != "" && (o.Result != response.Incomplete || !said(o.Why, tt.why)) {
				t.Errorf("%s %q, made %v, inline %v", o.Result, o.Why, o.Made, admin.Inline)
			}
			// What the session does until it is denied is told later, and there.
			in.aws.Change(away, func(a *verifiertest.Account) {
				a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: session, Region: "us-east-1", At: time.Now(), Event: map[string]any{
					"eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "requestParameters": map[string]any{"userName": "eve"},
				}})
			})
			a, closeJournal := in.applier()
			outcomes, err = a.Confirm(t.Context(), plan)
			closeJournal()
			if err != nil || outcomes[0].Result != response.Incomplete || !said(outcomes[0].Why, "user eve in account "+away) {
				t.Errorf("%v %+v", err, outcomes)
			}
			if outcomes, err = in.undo(plan); err != nil || outcomes[0].Result != response.Undone || len(admin.Inline) != 0 {
				t.Errorf("%v %+v", err, outcomes)
			}
		})
	}
}
