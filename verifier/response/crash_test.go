package response_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestCrash kills a process that applies a plan, and one that undoes it, at every
// point where it could die: after each record of the journal, before each call to
// AWS has an effect, and after it had one and before the answer is back. A second
// process then ends the work: no step is lost, and none that had an effect is
// repeated.
func TestCrash(t *testing.T) {
	// A process that dies before a call leaves the journal and the AWS that one leaves
	// that dies after the record or the call ahead of it.
	whole := scannertest.WholeMatrix(t, "a death before each call; here are a third of them, and all of the other kinds")
	for _, mode := range []string{"apply", "undo", "apply all steps", "undo all steps"} {
		for _, kind := range []string{"record", "before", "after"} {
			t.Run(mode+" "+kind, func(t *testing.T) {
				t.Parallel()
				mode, all := strings.CutSuffix(mode, " all steps")
				points, step := 0, 1
				if !whole && (kind == "before" || all) {
					step = 3
				}
				for crash(t, mode, kind, points+1, all) {
					points += step
				}
				t.Logf("killed at %d points", (points+step-1)/step)
				if points < 5 {
					t.Errorf("only %d points: the test does not kill", points)
				}
			})
		}
	}
}

// crash kills a process at point n of a kind, lets a second one end the work, and
// reports whether there was such a point.
//
// With all, there are the steps of the console and of a role as well, and no room for inline
// policies.
func crash(t *testing.T, mode, kind string, n int, all bool) (killed bool) {
	t.Helper()
	in := newIncident(t)
	if all {
		withPassword(in)
		withoutRoom(in)
		withAssumedRole(in)
	}
	in.pass() // no two policies deny the same sessions
	plan := in.plan(in.leak)
	if mode == "undo" {
		if _, err := in.apply(plan); err != nil {
			t.Fatal(err)
		}
		awaitForks()
	}
	file := in.journal + ".plan"
	if err := os.WriteFile(file, plan.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	child := func(record int) *exec.Cmd {
		c := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
		c.Env = append(os.Environ(), "STANCH_CRASH="+mode, "STANCH_CRASH_PLAN="+file, "STANCH_CRASH_JOURNAL="+in.journal,
			"STANCH_CRASH_AWS="+in.aws.URL, "STANCH_CRASH_RECORD="+strconv.Itoa(record))
		return c
	}
	effects := map[string]int{}
	calls := 0
	first := child(map[bool]int{true: n}[kind == "record"])
	// Nothing more is served until the process is dead: the signal takes a while, and
	// what it did in the meantime would not be the same each time.
	dead := make(chan struct{})
	die := func() {
		killed = true
		_ = first.Process.Kill()
		<-dead
	}
	var out bytes.Buffer
	first.Stdout, first.Stderr = &out, &out
	// With the lock that the hooks are called with.
	in.aws.Change(prod, func(*verifiertest.Account) {
		in.aws.Before = func(verifiertest.Request) {
			if calls++; kind == "before" && calls == n {
				die()
				panic(http.ErrAbortHandler)
			}
		}
		in.aws.After = func(r verifiertest.Request) {
			effects[r.Action]++
			if kind == "after" && calls == n {
				die()
			}
		}
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
	})
	err := first.Wait()
	close(dead)
	// The call that killed may still be in the hook.
	in.aws.Change(prod, func(*verifiertest.Account) { calls = -1 << 30 })
	if kind == "record" && strings.Contains(out.String(), "killed here") {
		killed = true
	}
	if !killed {
		if err != nil {
			t.Fatalf("%s without a kill: %v\n%s", mode, err, &out)
		}
		return false
	}
	if out, err := child(0).CombinedOutput(); err != nil && !finished(mode, out) {
		t.Fatalf("%s, %s %d, again: %v\n%s", mode, kind, n, err, out)
	}
	if all {
		in.checkAll(t, fmt.Sprintf("%s, %s %d", mode, kind, n), mode)
		return true
	}
	in.checkAfter(t, fmt.Sprintf("%s, %s %d", mode, kind, n), mode, effects)
	return true
}

// awaitForks waits until no process is between its fork and its exec: one that a parallel
// test starts holds the lock of the journal until then.
func awaitForks() {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
}

// finished reports whether the first process died after the last step.
func finished(mode string, out []byte) bool {
	gate := response.GateFinished
	if mode == "undo" {
		gate = response.GateNotApplied
	}
	return strings.Contains(string(out), string(gate))
}

func (in *incident) checkAfter(t *testing.T, name, mode string, effects map[string]int) {
	t.Helper()
	off := in.user.Keys[0].Inactive
	if len(in.user.Inline) != map[bool]int{true: 1}[mode == "apply"] || off != (mode == "apply") {
		t.Errorf("%s: inactive %v, policies %v", name, off, in.user.Inline)
	}
	// Sessions are denied twice: at once, and when the key is seen to be off.
	want := map[string]int{"PutUserPolicy": 2, "UpdateAccessKey": 1}
	if mode == "undo" {
		want = map[string]int{"DeleteUserPolicy": 1, "UpdateAccessKey": 1}
	}
	for action, times := range want {
		if effects[action] != times {
			t.Errorf("%s: %s had an effect %d times, want %d", name, action, effects[action], times)
		}
	}
	// Each step is in the journal as done, once for each time that it was taken.
	done := map[string]int{}
	for _, e := range in.events() {
		done[e]++
	}
	event := map[string]string{"apply": journal.EventDone, "undo": journal.EventUndone}[mode]
	for do, call := range map[response.Action]string{response.DenySessions: "PutUserPolicy", response.Deactivate: "UpdateAccessKey"} {
		times := max(1, want[call])
		if n := done[event+" "+string(do)]; n != times {
			t.Errorf("%s: %q is in the journal %d times, want %d", name, event+" "+string(do), n, times)
		}
	}
}

// checkAll holds the state after a plan with all steps was applied or undone: all policies
// are managed ones.
func (in *incident) checkAll(t *testing.T, name, mode string) {
	t.Helper()
	in.aws.Change(prod, func(a *verifiertest.Account) {
		policies, user, role := len(a.Policies), len(in.user.Attached), len(a.Roles["admin"].Attached)
		applied := in.user.Keys[0].Inactive && policies == 3 && user == 2 && role == 1
		undone := !in.user.Keys[0].Inactive && policies == 0 && user == 0 && role == 0
		if mode == "apply" && !applied || mode == "undo" && !undone || len(in.user.Inline) != 1 || len(a.Roles["admin"].Inline) != 1 {
			t.Errorf("%s: inactive %v, %d policies, attached to the user %d, to the role %d", name, in.user.Keys[0].Inactive, policies, user, role)
		}
	})
	if _, err := journal.Read(in.journal); err != nil {
		t.Error(err)
	}
}

// TestCrashChild is the process that TestCrash kills.
func TestCrashChild(t *testing.T) {
	mode := os.Getenv("STANCH_CRASH")
	if mode == "" {
		t.Skip("only TestCrash runs it")
	}
	b, err := os.ReadFile(os.Getenv("STANCH_CRASH_PLAN"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := response.ParsePlan(b)
	if err != nil {
		t.Fatal(err)
	}
	in := &incident{t: t, journal: os.Getenv("STANCH_CRASH_JOURNAL"), role: "stanch-respond", externalID: "example", maxKeys: 1,
		rules: response.Rules{Accounts: []string{prod}}}
	in.aws = verifiertest.At(os.Getenv("STANCH_CRASH_AWS"))
	a, closeJournal := in.applier()
	defer closeJournal()
	at, err := strconv.Atoi(os.Getenv("STANCH_CRASH_RECORD"))
	if err != nil {
		t.Fatal(err)
	}
	a.OnRecord = func(journal.Record) {
		if at--; at == 0 {
			_, _ = os.Stdout.WriteString("killed here\n")
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				_ = self.Kill()
			}
			select {}
		}
	}
	admit, run := a.Admit, a.Apply
	if mode == "undo" {
		admit, run = a.AdmitUndo, a.Undo
	}
	if err := admit(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if _, err := run(context.WithoutCancel(t.Context()), plan); err != nil {
		t.Fatal(err)
	}
}
