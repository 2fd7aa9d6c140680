//go:build sweep

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestPlanFromSweep: a plan starts from the database of a sweep: from all live keys of a
// target, from those that are new in the last sweep, or from one. The printed commands
// name the sweep again.
func TestPlanFromSweep(t *testing.T) {
	aws := verifiertest.NewAWS(t)
	aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		a.User("alice", 1)
		a.User("bob", 2)
		a.Role("stanch-respond", "example")
	})
	aws.Change(ops, func(a *verifiertest.Account) { verifiertest.SignAs(t, a.User("olga", 11).Keys[0].Credential) })
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	t.Setenv("STANCH_DATABASE_URL", o.database)
	o.repo(t, "a", "", `leak 1 f; commit 1`)
	o.add(t)
	sweepNow := func(flags ...string) string {
		t.Helper()
		status, out, errs := o.stanch(t, append([]string{"run", "--retry-after", "10ms", "--sts-endpoint", aws.URL}, flags...)...)
		if status != cli.ExitLeaks {
			t.Fatalf("%d: %s%s", status, out, errs)
		}
		return out
	}
	alice, bob := detectorstest.KeyID("AKIA", detectorstest.Account, 1), detectorstest.KeyID("AKIA", detectorstest.Account, 2)
	file := filepath.Join(t.TempDir(), "plan.json")
	plan := func(wantStatus int, args ...string) (keys []string, said string) {
		t.Helper()
		_ = os.Remove(file)
		var out, errs bytes.Buffer
		args = append([]string{"respond", "plan", "--accounts", detectorstest.Account, "--role", "stanch-respond", "--external-id", "example",
			"--aws-endpoint", aws.URL, "-o", file}, args...)
		if status := cli.ExitCode(&errs, run(t.Context(), args, nil, &out, &errs)); status != wantStatus {
			t.Errorf("%q: exit code %d, want %d: %s%s", args, status, wantStatus, &out, &errs)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, out.String() + errs.String()
		}
		var p response.Plan
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		for _, k := range p.Keys {
			keys = append(keys, k.KeyID)
		}
		return keys, out.String() + errs.String()
	}
	is := func(step string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: the plan has the keys %q, want %q", step, got, want)
		}
	}
	sweepNow()
	o.push(t, "a", `leak 2 g; commit 2`)
	if out := sweepNow(); !strings.Contains(out, alice) || !strings.Contains(out, bob) {
		t.Errorf("one live key is known, and one is new, but the text lacks one:\n%s", out)
	}
	keys, _ := plan(cli.ExitClean, "--sweep", "acme")
	is("all", keys, bob, alice) // the newest first
	keys, _ = plan(cli.ExitClean, "--sweep", "acme", "--new")
	is("new", keys, bob)
	keys, _ = plan(cli.ExitClean, "--sweep", "acme", "--key", alice)
	is("one", keys, alice)
	for _, tt := range []struct {
		want int
		says string
		args []string
	}{
		{cli.ExitUsage, "--sweep is empty", []string{"--sweep", ""}},
		{cli.ExitUsage, "do not go together", []string{"--sweep", "acme", alice}},
		{cli.ExitUsage, "--new is for --sweep", []string{"--new", alice}},
		{cli.ExitIncomplete, "nosuch: there is no such target (see \"stanch sweep list\")", []string{"--sweep", "nosuch"}},
	} {
		if _, said := plan(tt.want, tt.args...); !strings.Contains(said, tt.says) {
			t.Errorf("%q: want %q in: %s", tt.args, tt.says, said)
		}
	}
}
