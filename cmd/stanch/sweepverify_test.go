//go:build sweep

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestSweepVerifies holds that each sweep asks again about what may be live, and only
// about that, from the texts alone; and that what became of a finding is kept.
func TestSweepVerifies(t *testing.T) {
	alice, bob := verifiertest.User(detectorstest.Account, "alice", 1), verifiertest.User(detectorstest.Account, "bob", 2)
	sts := verifiertest.NewSTS(t, alice, bob)
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `leak 1 f; commit 1; git rm -q f; commit 2`)
	o.repo(t, "b", "", `leak 1 f; leak 2 g; leak 3 h; commit 1`)
	o.add(t)
	// sweep returns the states by key, and how many requests came for each.
	sweepOnce := func(flags ...string) (findings map[string]finding.Finding) {
		t.Helper()
		args := append([]string{"run", "--retry-after", "10ms", "-f", "json", "--scans", "1", "--sts-endpoint", sts.URL}, flags...)
		_, out, errs := o.stanch(t, args...)
		findings = map[string]finding.Finding{}
		for line := range strings.Lines(out) {
			if !strings.HasPrefix(line, `{"type":"finding"`) {
				continue
			}
			var f finding.Finding
			if err := json.Unmarshal([]byte(line), &f); err != nil {
				t.Fatalf("%v: %s", err, errs)
			}
			if f.Match.Credential.ID != "" {
				findings[f.Match.Credential.ID] = f
			}
		}
		return findings
	}
	is := func(step string, got map[string]finding.Finding, state verifier.State, requests int, k verifiertest.Key) finding.Finding {
		t.Helper()
		f := got[k.Credential.ID]
		if n := sts.Count(k.Credential.ID); f.Verdict.State != state || n != requests {
			t.Errorf("%s: %s is %s after %d requests, want %s after %d", step, k.ARN, f.Verdict.State, n, state, requests)
		}
		return f
	}
	carol := verifiertest.User(detectorstest.Account, "carol", 3) // STS does not know her key

	got := sweepOnce()
	is("first", got, verifier.Live, 1, alice)
	is("first", got, verifier.Live, 1, bob)
	is("first", got, verifier.Invalid, 1, carol)

	got = sweepOnce()
	is("nothing is new", got, verifier.Live, 2, alice)
	is("dead stays dead", got, verifier.Invalid, 1, carol)

	bob.State = verifiertest.Inactive
	sts.Set(bob)
	before := time.Now().Truncate(time.Millisecond)
	got = sweepOnce()
	if f := is("shut off", got, verifier.Invalid, 3, bob); f.History == nil || f.History.DeadSince.Before(before) || len(f.Locations) != 1 {
		t.Errorf("shut off: %+v", f)
	}
	if f := is("and the other", got, verifier.Live, 3, alice); f.History.FirstSeen.After(before) || f.History.LastSeen.Before(before) || len(f.Locations) != 2 {
		t.Errorf("the other: %+v", f)
	}

	sts.Script(verifiertest.Response{Status: 503}, verifiertest.Response{Status: 503}, verifiertest.Response{Status: 503}, verifiertest.Response{Status: 503})
	got = sweepOnce()
	if f := got[alice.Credential.ID]; f.Verdict.State != verifier.Live {
		t.Errorf("STS does not answer: the last answer is forgotten: %s", f.Verdict.State)
	}

	o.push(t, "b", `git rm -q f; commit 2`)
	got = sweepOnce()
	if f := got[alice.Credential.ID]; f.History.GoneSince.IsZero() || f.Verdict.State != verifier.Live {
		t.Errorf("removed from the only HEAD that had it: %+v", f)
	}
	o.push(t, "b", `git revert --no-edit HEAD 2>&1; git status; git log --oneline`)
	got = sweepOnce()
	if f := got[alice.Credential.ID]; !f.History.GoneSince.IsZero() {
		t.Errorf("it is back: %+v", f)
	}

	ofAlice, ofBob := got[alice.Credential.ID], got[bob.Credential.ID]
	if code, _, errs := o.stanch(t, "ack", ofAlice.Fingerprint(), "--by", "ada", "--note", "known"); code != 0 {
		t.Error(errs)
	}
	if code, _, errs := o.stanch(t, "ack", ofBob.Fingerprint(), "--by", "ada", "--until", "2100-01-01"); code != 0 {
		t.Error(errs)
	}
	got = sweepOnce()
	if a, b := got[alice.Credential.ID], got[bob.Credential.ID]; a.Ignored != "" || a.Overruled == "" || b.Ignored == "" || b.History.AcknowledgedBy != "ada" {
		t.Errorf("acknowledged: %+v, %+v", a, b)
	}
}
