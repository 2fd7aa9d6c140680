package response_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestRefusedStepIsNobodys: AWS refuses a step, and then somebody takes it by hand. An
// undo leaves that, whether the apply was tried again or not: it would make a leaked
// key work that stanch has not shut off.
func TestRefusedStepIsNobodys(t *testing.T) {
	for _, again := range []bool{false, true} {
		in := newIncident(t)
		plan := in.plan(in.leak)
		in.aws.Deny("iam:UpdateAccessKey")
		if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Partly {
			t.Fatalf("%v %+v", err, outcomes)
		}
		in.aws.Allow("iam:UpdateAccessKey")
		in.aws.Change(prod, func(*verifiertest.Account) { in.user.Keys[0].Inactive = true })
		if again {
			if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
				t.Fatalf("%v %+v", err, outcomes)
			}
		}
		if outcomes, err := in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
			t.Fatalf("%v %+v %v", err, outcomes, in.events())
		}
		if !in.user.Keys[0].Inactive || len(in.user.Inline) != 0 {
			t.Errorf("again %v: inactive %v, policies %v", again, in.user.Keys[0].Inactive, in.user.Inline)
		}
	}
}

// TestSessionsOfTheMeantime: the key can be shut off only some time after its sessions
// were denied. Those that it made in between are denied too, before it is called
// contained; and the undo knows both policies.
func TestSessionsOfTheMeantime(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	var passed atomic.Int64 // at AWS
	in.aws.Change(prod, func(*verifiertest.Account) {
		in.aws.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	})
	apply := func(want response.Result) string {
		t.Helper()
		a, closeJournal := in.applier()
		defer closeJournal()
		if err := a.Admit(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		outcomes, err := a.Apply(t.Context(), plan)
		if err != nil || outcomes[0].Result != want {
			t.Fatalf("%v %+v", err, outcomes)
		}
		return strings.Join(slices.Collect(maps.Values(in.user.Inline)), "\n")
	}
	in.aws.Deny("iam:UpdateAccessKey")
	first := apply(response.Partly)
	in.aws.Allow("iam:UpdateAccessKey")
	passed.Store(int64(10 * time.Minute))
	in.aws.Deny("iam:PutUserPolicy")
	if apply(response.Incomplete) != first {
		t.Error("the policy changed though that was denied")
	}
	in.aws.Allow("iam:PutUserPolicy")
	second := apply(response.Contained)
	if before := deniedBefore(t, second); len(in.user.Inline) != 1 || before.Sub(deniedBefore(t, first)) < 10*time.Minute {
		t.Errorf("denied before %s: %s", first, second)
	}
	if outcomes, err := in.undo(plan); err != nil || outcomes[0].Result != response.Undone || len(in.user.Inline) != 0 {
		t.Errorf("%v %+v %v", err, outcomes, in.user.Inline)
	}
}

// TestConfirmReadsThePolicy: a policy of the same name that denies nothing does not
// contain a key.
func TestConfirmReadsThePolicy(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	if _, err := in.apply(plan); err != nil {
		t.Fatal(err)
	}
	in.aws.Change(prod, func(*verifiertest.Account) {
		for name := range in.user.Inline {
			in.user.Inline[name] = `{"Version":"2012-10-17","Statement":[]}`
		}
	})
	a, closeJournal := in.applier()
	defer closeJournal()
	outcomes, err := a.Confirm(t.Context(), plan)
	if err != nil || outcomes[0].Result != response.Unconfirmed || !strings.Contains(outcomes[0].Why[0], "another one") {
		t.Errorf("%v %+v", err, outcomes)
	}
}

// TestUndoneStaysUndone: a plan whose apply died before its first step had an effect is
// undone, and then not applied any more.
func TestUndoneStaysUndone(t *testing.T) {
	in := newIncident(t)
	plan := in.plan(in.leak)
	a, closeJournal := in.applier()
	if err := a.Journal.Put(journal.Record{Event: journal.EventIntent, Plan: plan.Hash, Step: &plan.Keys[0].Steps[0]}); err != nil {
		t.Fatal(err)
	}
	closeJournal()
	if outcomes, err := in.undo(plan); err != nil || outcomes[0].Result != response.Undone {
		t.Fatalf("%v %+v", err, outcomes)
	}
	if _, err := in.apply(plan); response.Refused(err) != response.GateFinished || in.user.Keys[0].Inactive {
		t.Errorf("%v, inactive %v", err, in.user.Keys[0].Inactive)
	}
}

// TestNoRoomForTheHead: a record whose head cannot be written is none, and the journal
// is whole when there is room again, however often that was tried.
func TestNoRoomForTheHead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "journal.jsonl")
	put := func() error {
		j, err := journal.Open(name, "olga")
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if err := os.Mkdir(name+".head", 0o700); err != nil { // a file cannot take its place
			t.Fatal(err)
		}
		defer os.Remove(name + ".head")
		return j.Put(journal.Record{Event: journal.EventBegin})
	}
	for range 3 {
		if put() == nil {
			t.Error("put without a head")
		}
	}
	if records, err := journal.Read(name); err != nil || len(records) != 0 {
		t.Errorf("%v, %v", records, err)
	}
}

// TestNoRecordNoStep: if the journal cannot be written, nothing is changed at AWS.
func TestNoRecordNoStep(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 5; n++ {
		in := newIncident(t)
		plan := in.plan(in.leak)
		a, closeJournal := in.applier()
		written := 0
		a.OnRecord = func(journal.Record) {
			if written++; written == n {
				_ = a.Journal.Close() // every later write fails, as on a full disk
			}
		}
		if _, err := a.Apply(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "journal") {
			t.Errorf("after %d records: %v", n, err)
		}
		closeJournal()
		changed := 0
		for _, w := range in.aws.Writes() {
			changed += len(w)
		}
		// The records are begin, intent, done, intent, done.
		if want := n / 2; changed != want {
			t.Errorf("after %d records: %d changes, want %d", n, changed, want)
		}
		// Later, with a disk that has room, it goes on.
		if outcomes, err := in.apply(plan); err != nil || outcomes[0].Result != response.Contained {
			t.Errorf("after %d records, again: %v %+v", n, err, outcomes)
		}
	}
}
