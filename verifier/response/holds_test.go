package response_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// contained is an incident whose plan was applied.
func contained(t *testing.T) (*incident, response.Plan) {
	t.Helper()
	in := newIncident(t)
	plan := in.plan(in.leak)
	if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
		t.Fatalf("%v %+v", err, outcomes)
	}
	return in, plan
}

// later lets time pass for who confirms or applies.
func later(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }

// TestConfirmLater: a confirm says how the key is by then, whoever has changed it: as its
// own advice says, or as an intruder would.
func TestConfirmLater(t *testing.T) {
	const day = 24 * time.Hour
	deleteKey := func(in *incident, _ *verifiertest.Account) { in.user.Keys = nil }
	removePolicy := func(in *incident, _ *verifiertest.Account) { clear(in.user.Inline) }
	for _, tt := range []struct {
		name   string
		after  time.Duration
		change func(*incident, *verifiertest.Account)
		result response.Result
		status string
		why    string
	}{
		{"nothing changed", 0, func(*incident, *verifiertest.Account) {}, response.Contained, "Inactive", ""},
		{"key deleted", 0, deleteKey, response.Contained, "absent", ""},
		{"policy taken off after 36 hours", 2 * day, removePolicy, response.Contained, "Inactive", ""},
		{"both, after 36 hours", 2 * day, func(in *incident, a *verifiertest.Account) { deleteKey(in, a); removePolicy(in, a) }, response.Contained, "absent", ""},
		{"user deleted", 0, func(_ *incident, a *verifiertest.Account) {
			delete(a.Users, "deploy")
		}, response.Contained, "absent", ""},
		{"key deleted, policy taken off at once", 0, func(in *incident, a *verifiertest.Account) { deleteKey(in, a); removePolicy(in, a) }, response.Incomplete, "absent", "deny-sessions: read back, it is absent"},
		{"policy taken off at once", 0, removePolicy, response.Unconfirmed, "Inactive", "deny-sessions: read back, it is absent"},
		{"policy edited", 0, func(in *incident, _ *verifiertest.Account) {
			for name := range in.user.Inline {
				in.user.Inline[name] = "{}"
			}
		}, response.Unconfirmed, "Inactive", "another one"},
		{"key active again", 0, func(in *incident, _ *verifiertest.Account) { in.user.Keys[0].Inactive = false }, response.Unconfirmed, "Active", "deactivate: read back, it is Active"},
		{"key active again, long after", 2 * day, func(in *incident, _ *verifiertest.Account) { in.user.Keys[0].Inactive = false }, response.Unconfirmed, "Active", "Active"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, plan := contained(t)
			in.aws.Change(prod, func(a *verifiertest.Account) { tt.change(in, a) })
			a, closeJournal := in.applier()
			defer closeJournal()
			a.Now, a.Recheck = later(tt.after), nil
			outcomes, err := a.Confirm(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			o := outcomes[0]
			if o.Result != tt.result || o.Status != tt.status || !strings.Contains(strings.Join(o.Why, "\n"), tt.why) || tt.why == "" && len(o.Why) > 0 {
				t.Errorf("%s, status %q, why %q", o.Result, o.Status, o.Why)
			}
			// Advice to remove the policy is given while it is there.
			if there := len(in.user.Inline) > 0 && !strings.Contains(tt.name, "user deleted"); strings.Contains(advised(o), "remove the policy") != there {
				t.Errorf("the policy is there: %v\n%s", there, advised(o))
			}
		})
	}
}

// TestConfirmUnreadable: a status that cannot be read is not made up.
func TestConfirmUnreadable(t *testing.T) {
	in, plan := contained(t)
	in.aws.Deny("iam:ListAccessKeys")
	a, closeJournal := in.applier()
	outcomes, err := a.Confirm(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Unconfirmed || outcomes[0].Status != "" || !strings.Contains(outcomes[0].Why[0], "needs iam:ListAccessKeys") {
		t.Errorf("%v %+v", err, outcomes)
	}
	closeJournal()
	in.role = "nobody" // no way into the account
	a, closeJournal = in.applier()
	defer closeJournal()
	outcomes, err = a.Confirm(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Unconfirmed || outcomes[0].Status != "" || !strings.Contains(outcomes[0].Why[0], "AssumeRole") {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestConfirmOfSelf: a key that has switched itself off is not contained before its
// sessions are over, however often it is confirmed.
func TestConfirmOfSelf(t *testing.T) {
	in := newSelf(t)
	plan := in.plan(in.leak)
	if _, err := in.apply(plan); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]response.Result{0: response.Incomplete, 37 * time.Hour: response.Contained} {
		a, closeJournal := in.applier()
		a.Now = later(after)
		if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != want {
			t.Errorf("%s later: %v %+v", after, err, outcomes)
		}
		closeJournal()
	}
}

// TestApplyAgain: the same plan is applied again when somebody has undone it, also long
// after it was made; and when nobody has, that is seen before it is said.
func TestApplyAgain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		after  time.Duration
		change func(*incident, *verifiertest.Account)
		gate   response.Gate
		said   string // in the journal, before anything is changed
		writes []string
	}{
		{name: "nobody has", gate: response.GateFinished},
		{name: "key deleted", change: func(in *incident, _ *verifiertest.Account) { in.user.Keys = nil }, gate: response.GateFinished},
		{name: "policy taken off after 36 hours", after: 37 * time.Hour, change: func(in *incident, _ *verifiertest.Account) { clear(in.user.Inline) }, gate: response.GateFinished},
		{name: "key active again", change: func(in *incident, _ *verifiertest.Account) { in.user.Keys[0].Inactive = false },
			said: "deactivate: read back, it is Active", writes: []string{"iam:UpdateAccessKey", "iam:PutUserPolicy", "iam:PutUserPolicy"}},
		{name: "key active again, two days later", after: 48 * time.Hour, change: func(in *incident, _ *verifiertest.Account) { in.user.Keys[0].Inactive = false; clear(in.user.Inline) },
			said: "deactivate: read back, it is Active", writes: []string{"iam:UpdateAccessKey", "iam:PutUserPolicy", "iam:PutUserPolicy"}},
		{name: "key deleted, policy taken off at once", change: func(in *incident, _ *verifiertest.Account) { in.user.Keys = nil; clear(in.user.Inline) },
			said: "deny-sessions: read back, it is absent", writes: []string{"iam:PutUserPolicy"}},
		{name: "policy taken off at once", change: func(in *incident, _ *verifiertest.Account) { clear(in.user.Inline) },
			said: "deny-sessions: read back, it is absent", writes: []string{"iam:PutUserPolicy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, plan := contained(t)
			if tt.change != nil {
				in.aws.Change(prod, func(a *verifiertest.Account) { tt.change(in, a) })
			}
			before := len(slices.Concat(mapValues(in.aws.Writes())...))
			a, closeJournal := in.applier()
			defer closeJournal()
			a.Now, a.Recheck = later(tt.after), nil
			err := a.Admit(t.Context(), plan)
			if response.Refused(err) != tt.gate || tt.gate == "" && err != nil {
				t.Fatalf("%v, want %q", err, tt.gate)
			}
			if last := a.Journal.Records[len(a.Journal.Records)-1]; tt.said != "" && (last.Event != journal.EventConfirm || last.Why != tt.said) {
				t.Errorf("journal: %+v", last)
			}
			if tt.gate != "" {
				if !strings.Contains(err.Error(), "its steps are still in effect") {
					t.Error(err)
				}
				return
			}
			outcomes, err := a.Apply(t.Context(), plan)
			if err != nil || outcomes[0].Result != response.Contained || len(in.user.Keys) > 0 && !in.user.Keys[0].Inactive || len(in.user.Inline) != 1 {
				t.Errorf("%v %+v %v", err, outcomes, in.user.Inline)
			}
			if writes := slices.Concat(mapValues(in.aws.Writes())...)[before:]; len(writes) != len(tt.writes) {
				t.Errorf("writes %q, want %q", writes, tt.writes)
			}
			closeJournal()
			if len(in.user.Keys) == 0 {
				return
			}
			if outcomes, err := in.undo(plan); err != nil || outcomes[0].Result != response.Undone || in.user.Keys[0].Inactive || len(in.user.Inline) != 0 {
				t.Errorf("%v %+v %v", err, outcomes, in.user.Inline)
			}
		})
	}
}

func mapValues(m map[string][]string) (lists [][]string) {
	for _, list := range m {
		lists = append(lists, list)
	}
	return lists
}

// TestShutOffByOthers: a key that a confirm has seen to work made sessions that no policy
// denies, also if somebody else has shut it off by the time of the next one.
func TestShutOffByOthers(t *testing.T) {
	const day = 24 * time.Hour
	active := func(is bool) func(*incident) { return func(in *incident) { in.user.Keys[0].Inactive = !is } }
	deleteKey := func(in *incident) { in.user.Keys = nil }
	inUse := func(context.Context, string) (verifier.Verdict, bool) {
		return verifier.Verdict{State: verifier.Live}, true
	}
	for _, tt := range []struct {
		name    string
		on, off func(*incident)
		recheck func(context.Context, string) (verifier.Verdict, bool)
		after   time.Duration
	}{
		{"set to Inactive", active(true), active(false), nil, 0},
		{"deleted", active(true), deleteKey, nil, 0},
		{"long after it was contained", active(true), active(false), nil, 2 * day},
		{"policy taken off, long after it was contained", active(true), func(in *incident) { active(false)(in); clear(in.user.Inline) }, nil, 2 * day},
		{"only STS knew of it", active(false), active(false), inUse, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, plan := contained(t)
			change := func(do func(*incident)) { in.aws.Change(prod, func(*verifiertest.Account) { do(in) }) }
			a, closeJournal := in.applier()
			defer closeJournal()
			confirm := func(want response.Result) {
				t.Helper()
				if outcomes, err := a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != want {
					t.Fatalf("%v %+v, want %s", err, outcomes, want)
				}
			}
			a.Now, a.Recheck = later(tt.after), tt.recheck
			change(tt.on)
			confirm(response.Unconfirmed)
			a.Recheck = nil
			change(tt.off)
			if len(in.user.Inline) == 0 {
				confirm(response.Unconfirmed)
			} else {
				confirm(response.Incomplete)
			}
			if err := a.Admit(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			puts := func() int { return count(slices.Concat(mapValues(in.aws.Writes())...), "iam:PutUserPolicy") }
			before := puts()
			if outcomes, err := a.Apply(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
				t.Fatalf("%v %+v", err, outcomes)
			}
			if puts() == before {
				t.Error("its sessions were not denied anew")
			}
			confirm(response.Contained)
		})
	}
}

// TestAgainUnreadable: that a plan was applied does not mean that it holds, if nobody can
// read whether it does.
func TestAgainUnreadable(t *testing.T) {
	in, plan := contained(t)
	in.aws.Deny("iam:ListAccessKeys")
	outcomes, err := in.apply(plan)
	if err != nil || outcomes[0].Result != response.Unconfirmed || !strings.Contains(outcomes[0].Why[0], "needs iam:ListAccessKeys") {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestUndoneNothing: an undo says of the key only what it has done, or seen.
func TestUndoneNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		do     func(*incident, response.Plan)
		status string
		undid  []response.Action
	}{
		{"applied", func(in *incident, plan response.Plan) {
			if _, err := in.apply(plan); err != nil {
				in.t.Fatal(err)
			}
		}, "Active", []response.Action{response.DenySessions, response.Deactivate}},
		{"cut off before anything had an effect", func(in *incident, plan response.Plan) {
			a, closeJournal := in.applier()
			defer closeJournal()
			ctx, cancel := context.WithCancel(in.t.Context())
			in.aws.Before = func(r verifiertest.Request) {
				if r.Action == "UpdateAccessKey" {
					cancel()
					panic(http.ErrAbortHandler)
				}
			}
			if _, err := a.Apply(ctx, plan); err == nil {
				in.t.Fatal("not cut off")
			}
			in.aws.Change(prod, func(*verifiertest.Account) { in.aws.Before = nil })
		}, "Active", nil},
		{"shut off by somebody else", func(in *incident, plan response.Plan) {
			in.aws.Deny("iam:UpdateAccessKey")
			if _, err := in.apply(plan); err != nil {
				in.t.Fatal(err)
			}
			in.aws.Allow("iam:UpdateAccessKey")
			in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = true })
		}, "Inactive", []response.Action{response.DenySessions}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newIncident(t)
			plan := in.plan(in.leak)
			tt.do(in, plan)
			outcomes, err := in.undo(plan)
			if err != nil || outcomes[0].Result != response.Undone || outcomes[0].Status != tt.status || !slices.Equal(outcomes[0].Undid, tt.undid) {
				t.Errorf("%v %+v", err, outcomes)
			}
		})
	}
}

// TestResultOfWhatWasMissed: the result names no step as taken that was not.
func TestResultOfWhatWasMissed(t *testing.T) {
	ofUserSession := func(in *incident) {
		key := verifiertest.Role(prod, "session", 9)
		key.ARN = in.leak.Verdict.Identity.ARN
		in.aws.Set(key)
		in.leak.Match.Credential, in.leak.Verdict.State = key.Credential, verifier.Live
	}
	for _, tt := range []struct {
		name  string
		spoil func(*incident)
		deny  []string
		want  response.Result
	}{
		{"neither off nor denied, quarantined", nil, []string{"iam:UpdateAccessKey", "iam:PutUserPolicy"}, response.Untouched},
		{"denied, and not off", nil, []string{"iam:UpdateAccessKey"}, response.Partly},
		{"off, and not denied", nil, []string{"iam:PutUserPolicy"}, response.Incomplete},
		{"not quarantined", nil, []string{"iam:AttachUserPolicy"}, response.Incomplete},
		{"a session, not denied, quarantined", ofUserSession, []string{"iam:PutUserPolicy"}, response.Untouched},
		{"a session, denied, not quarantined", ofUserSession, []string{"iam:AttachUserPolicy"}, response.Incomplete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newIncident(t)
			in.quarantine = true
			if tt.spoil != nil {
				tt.spoil(in)
			}
			plan := in.plan(in.leak)
			for _, permission := range tt.deny {
				in.aws.Deny(permission)
			}
			if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != tt.want {
				t.Errorf("%v %+v, want %s\n%s", err, outcomes, tt.want, plan.Encode())
			}
		})
	}
}

// TestSeenOffByNobody: a journal in which a key is called contained, and was not seen to
// be off before its sessions were denied, does not make it so. Earlier versions wrote such.
func TestSeenOffByNobody(t *testing.T) {
	in, plan := contained(t)
	records, err := journal.Read(in.journal)
	if err != nil {
		t.Fatal(err)
	}
	in.journal += ".earlier"
	a, closeJournal := in.applier()
	defer closeJournal()
	for i, r := range records {
		if i == 5 || i == 6 || i == 7 { // seen to be off, and the second policy
			continue
		}
		if err := a.Journal.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	in.aws.Change(prod, func(*verifiertest.Account) {
		for name := range in.user.Inline {
			in.user.Inline[name] = records[3].Document
		}
	})
	outcomes, err := a.Confirm(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Incomplete || !strings.Contains(outcomes[0].Why[0], "apply the plan again") {
		t.Errorf("%v %+v", err, outcomes)
	}
	if err := a.Admit(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if outcomes, err = a.Apply(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
	if outcomes, err = a.Confirm(t.Context(), plan); err != nil || outcomes[0].Result != response.Contained {
		t.Errorf("%v %+v", err, outcomes)
	}
}
