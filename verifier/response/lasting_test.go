package response_test

import (
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestMissedRole: a step for a role that fails does not keep the sessions of the key from
// being denied once more when the key is seen to be off.
func TestMissedRole(t *testing.T) {
	i := newIntruder(t, 0, 45*time.Second, nil)
	i.in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("admin", "") })
	i.in.assumes(i.in.leak.Match.Credential.ID, "arn:aws:iam::"+prod+":role/admin", verifiertest.Role(prod, "admin", 77).Credential.ID, time.Hour)
	plan := i.in.plan(i.in.leak)
	i.in.aws.Deny("iam:PutRolePolicy")
	a, closeJournal := i.in.applier()
	defer closeJournal()
	i.attend(a)
	outcomes, err := a.Apply(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Incomplete || len(outcomes[0].Why) != 1 || !said(outcomes[0].Why, "needs iam:PutRolePolicy") {
		t.Fatalf("%v %+v", err, outcomes)
	}
	i.passed.Add(int64(40 * time.Second)) // later than the first policy denies, and STS may not have heard
	i.makeSession()
	if n := i.alive(); n != 0 || len(i.sessions) == 0 {
		t.Errorf("%d of %d sessions of the key work", n, len(i.sessions))
	}
}

// TestUndoneMeanwhile: an intruder who takes a step back while CloudTrail is read is seen.
func TestUndoneMeanwhile(t *testing.T) {
	for name, undo := range map[string]func(*incident){
		"the policy": func(in *incident) { clear(in.user.Inline) },
		"the key":    func(in *incident) { in.user.Keys[0].Inactive = false },
	} {
		for _, when := range []string{"apply", "confirm"} {
			t.Run(name+", "+when, func(t *testing.T) {
				t.Parallel()
				in := newIncident(t)
				plan := in.plan(in.leak)
				a, closeJournal := in.applier()
				defer closeJournal()
				at := false
				if when == "confirm" {
					if _, err := a.Apply(t.Context(), plan); err != nil {
						t.Fatal(err)
					}
					at = true
				}
				puts := 0
				a.OnRecord = func(r journal.Record) {
					if r.Event == journal.EventDone && r.Step.Do == response.DenySessions {
						puts++
						at = puts == 2
					}
				}
				in.aws.Change(prod, func(*verifiertest.Account) {
					in.aws.Before = func(r verifiertest.Request) {
						if at && r.Action == "LookupEvents" {
							undo(in)
						}
					}
				})
				do := a.Apply
				if when == "confirm" {
					do = a.Confirm
				}
				if outcomes, err := do(t.Context(), plan); err != nil || outcomes[0].Result != response.Unconfirmed {
					t.Errorf("%v %+v", err, outcomes)
				}
			})
		}
	}
}

// TestLastSession: of several sessions of a role that no step ends, the last one counts.
func TestLastSession(t *testing.T) {
	role := "arn:aws:iam::" + prod + ":role/admin"
	session := func(n uint64) string { return verifiertest.Role(prod, "admin", n).Credential.ID }
	for name, before := range map[string]time.Duration{"the plan does not know of it": -time.Minute, "the plan has left it": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newIncident(t)
			id := in.leak.Match.Credential.ID
			in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("admin", "").Tags["stanch:protected"] = "true" })
			if before > 0 {
				in.assumes(id, role, session(1), before)
			}
			plan := in.plan(in.leak)
			if _, err := in.apply(plan); err != nil {
				t.Fatal(err)
			}
			if before < 0 {
				in.assumes(id, role, session(1), before)
			}
			in.assumes(id, role, session(2), -6*time.Hour)
			a, closeJournal := in.applier()
			defer closeJournal()
			for passed, want := range map[time.Duration]response.Result{13 * time.Hour: response.Incomplete, 19 * time.Hour: response.Contained} {
				a.Now = later(passed)
				if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != want {
					t.Errorf("after %s: %v %+v", passed, err, outcomes)
				}
			}
		})
	}
}

// rename gives a user another name.
func rename(a *verifiertest.Account, old, name string) {
	u := a.Users[old]
	delete(a.Users, old)
	u.Name, a.Users[name] = name, u
}

// TestRenamed: a user who gets another name is not gone.
func TestRenamed(t *testing.T) {
	t.Run("the user of the key", func(t *testing.T) {
		in := newIncident(t)
		in.aws.Change(prod, func(a *verifiertest.Account) { a.User("retired", 50).Created = time.Now().Add(-1000 * time.Hour) })
		plan := in.plan(in.leak)
		if _, err := in.apply(plan); err != nil {
			t.Fatal(err)
		}
		in.aws.Change(prod, func(a *verifiertest.Account) {
			in.user.Created = time.Now().Add(-1000 * time.Hour)
			rename(a, "deploy", "retired") // a name that the plan knows
			in.user.Keys[0].Inactive = false
			clear(in.user.Inline)
		})
		a, closeJournal := in.applier()
		defer closeJournal()
		a.Recheck = nil
		if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Unconfirmed || !said(outcomes[0].Why, "renamed user deploy") {
			t.Errorf("%v %+v", err, outcomes)
		}
	})
	t.Run("a user that the key made", func(t *testing.T) {
		in := newIncident(t)
		key := verifiertest.LongTerm(prod, 41).ID
		in.aws.Change(prod, func(a *verifiertest.Account) {
			a.User("mallory", 41).Created = time.Now().Add(-2 * time.Hour)
			rename(a, "mallory", "backup")
		})
		id := in.leak.Match.Credential.ID
		in.trail(id, 2*time.Hour, "iam.amazonaws.com", "CreateUser", map[string]any{"userName": "mallory"}, nil)
		in.trail(id, 2*time.Hour, "iam.amazonaws.com", "CreateAccessKey", map[string]any{"userName": "mallory"},
			map[string]any{"accessKey": map[string]any{"accessKeyId": key, "userName": "mallory"}})
		plan := in.plan(in.leak)
		outcomes, err := in.apply(plan)
		if err != nil || outcomes[0].Result != response.Incomplete || !said(outcomes[0].Why, key) {
			t.Errorf("%v %+v", err, outcomes)
		}
		in.trail(id, time.Minute, "iam.amazonaws.com", "UpdateUser", map[string]any{"userName": "mallory", "newUserName": "backup"}, nil)
		in.aws.Change(prod, func(a *verifiertest.Account) { a.Users["backup"].Keys[0].Inactive = true })
		a, closeJournal := in.applier()
		defer closeJournal()
		if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Incomplete || !said(outcomes[0].Why, "user backup") {
			t.Errorf("%v %+v", err, outcomes)
		}
		in.aws.Change(prod, func(a *verifiertest.Account) { delete(a.Users, "backup") })
		if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
			t.Errorf("removed: %v %+v", err, outcomes)
		}
	})
}

// TestRemovedRole: a role that the key made, or gave rights to, is named until it is gone.
func TestRemovedRole(t *testing.T) {
	in := newIncident(t)
	in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("made", "") })
	id := in.leak.Match.Credential.ID
	in.trail(id, time.Hour, "iam.amazonaws.com", "CreateRole", map[string]any{"roleName": "made"}, nil)
	in.trail(id, time.Hour, "iam.amazonaws.com", "AttachRolePolicy", map[string]any{"roleName": "made", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, nil)
	plan := in.plan(in.leak)
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Incomplete || len(outcomes[0].Left) != 2 {
		t.Fatalf("%v %+v", err, outcomes)
	}
	in.aws.Change(prod, func(a *verifiertest.Account) { delete(a.Roles, "made") })
	a, closeJournal := in.applier()
	defer closeJournal()
	if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestManySessions: a deployment that assumes a role many times a day, for a month, does not
// keep its key from being contained.
func TestManySessions(t *testing.T) {
	in := newIncident(t)
	in.leak.Locations[0].Time = time.Now().Add(-30 * 24 * time.Hour)
	in.aws.Change(prod, func(a *verifiertest.Account) { a.Role("builder", "") })
	id := in.leak.Match.Credential.ID
	for n := range 200 {
		in.assumes(id, "arn:aws:iam::"+prod+":role/builder", verifiertest.Role(prod, "builder", uint64(n)).Credential.ID, time.Duration(3*n)*time.Hour)
	}
	in.rules.ForceInUse = true
	plan := in.plan(in.leak)
	if len(plan.Keys) != 1 || len(plan.Keys[0].Steps) != 3 || len(plan.Keys[0].Sessions) != 12 || len(plan.Keys[0].Left) != 0 {
		t.Fatalf("%s", plan.Encode())
	}
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestUndoWithoutPrincipal: a managed policy goes, also if its user or role was deleted since.
func TestUndoWithoutPrincipal(t *testing.T) {
	in := newIncident(t)
	withAssumedRole(in)
	withoutRoom(in)
	plan := in.plan(in.leak)
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	in.aws.Change(prod, func(a *verifiertest.Account) { delete(a.Roles, "admin") })
	a, closeJournal := in.applier()
	if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
	closeJournal()
	if outcomes, err := in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
		t.Errorf("%v %+v", err, outcomes)
	}
	in.aws.Change(prod, func(a *verifiertest.Account) {
		if len(a.Policies) != 0 || in.user.Keys[0].Inactive {
			t.Errorf("left: %v", a.Policies)
		}
	})
}

// TestRoomTaken: somebody fills the room of an inline policy after it was put for the first
// time. Undo takes both policies off.
func TestRoomTaken(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	in.pass()
	a, closeJournal := in.applier()
	a.OnRecord = func(r journal.Record) {
		if r.Event == journal.EventOff {
			withoutRoom(in)
		}
	}
	outcomes, err := a.Apply(t.Context(), plan)
	closeJournal()
	if err != nil || len(outcomes[0].Managed) != 1 || len(in.user.Inline) != 2 {
		t.Fatalf("%v %+v, inline %v", err, outcomes, in.user.Inline)
	}
	if outcomes, err := in.undo(plan); err != nil || outcomes[0].Result != response.Undone || len(in.user.Inline) != 1 || len(in.user.Attached) != 0 {
		t.Errorf("%v %+v, inline %v, attached %v", err, outcomes, in.user.Inline, in.user.Attached)
	}
}

// TestTwoOperators: two plans for one key are applied at the same time, with two journals.
// Either one's policies are no access that somebody has added.
func TestTwoOperators(t *testing.T) {
	in := newIncident(t)
	withPassword(in)
	first, second := in.plan(in.leak), in.plan(in.leak)
	a, closeJournal := in.applier()
	defer closeJournal()
	own, done := in.journal, false
	a.OnRecord = func(r journal.Record) {
		if r.Event == journal.EventBegin && !done {
			done, in.journal = true, own+".second"
			if outcomes, err := in.apply(second); err != nil || outcomes[0].Result != response.Contained {
				t.Errorf("the second: %v %+v", err, outcomes)
			}
			in.journal = own
		}
	}
	if outcomes, err := a.Apply(t.Context(), first); err != nil || outcomes[0].Result != response.Contained || len(in.user.Inline) != 4 {
		t.Errorf("the first: %v %+v", err, outcomes)
	}
	in.journal = own + ".second"
	if outcomes, err := in.undo(second); err != nil || outcomes[0].Result != response.Undone || len(in.user.Inline) != 2 {
		t.Errorf("undo: %v %+v", err, outcomes)
	}
}
