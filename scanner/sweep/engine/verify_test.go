//go:build sweep

package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/verifier"
)

// TestEngineVerifiesTexts holds that findings in messages, notes, names and texts beside git
// are asked about again as those in files are, by their texts alone.
func TestEngineVerifiesTexts(t *testing.T) {
	s := newSweeper(t)
	keys := []string{"key-1", "key-2", "key-3", "key-4", "key-5", "key-6", "key-7"}
	for _, key := range keys {
		s.states[key] = verifier.Live
	}
	s.repository(t, "app", "", `echo x >f; commit "one key-1"; echo key-2 >f; mkdir dir; echo x >dir/key-3; commit two; echo y >f; rm -r dir; commit three
git tag -a -m key-4 v1; git notes add -m key-5; git branch b-key-6`)
	scannertest.Git(t, s.dir+"/acme/app", "config", "uploadpack.allowFilter", "true")
	s.texts["acme/app"] = &texts{text: "key-7"}
	s.sweep(t, false)
	s.wants(t, "first", strings.Join(keys, " "))
	for _, key := range keys {
		s.states[key] = verifier.Invalid
	}
	s.taken()
	s.sweep(t, false)
	for key, f := range s.Known(t) {
		if f.Verdict.State != verifier.Invalid || f.Stale != "" {
			t.Errorf("%s is %s, %s", key, f.Verdict.State, f.Stale)
		}
	}
	if calls := s.taken(); !slices.Contains(calls, "again acme/app [1]") || slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "texts") }) {
		t.Errorf("it asks %q", calls)
	}
}

// TestEngineStale: the state of a finding that nobody can ask about any more says so.
func TestEngineStale(t *testing.T) {
	s := newSweeper(t)
	s.states = map[string]verifier.State{"key-1": verifier.Live, "key-2": verifier.Live, "key-3": verifier.Live, "key-4": verifier.Invalid}
	s.repository(t, "app", "", "echo key-1 >f; commit 1")
	s.repository(t, "other", "", "echo key-1 >f; echo key-2 >g; echo key-4 >h; commit 1")
	s.repository(t, "beside", "", "echo x >f; commit 1")
	s.texts["acme/beside"] = &texts{text: "key-3"}
	s.sweep(t, false)
	stale := func(step string, want map[string]string) {
		t.Helper()
		for key, f := range s.Known(t) {
			if !strings.Contains(f.Stale, want[key]) || want[key] == "" && f.Stale != "" {
				t.Errorf("%s: %s is stale: %q, want %q", step, key, f.Stale, want[key])
			}
		}
	}
	stale("first", nil)
	s.listed = slices.DeleteFunc(s.listed, func(l sweep.Listed) bool { return l.Name == "acme/other" })
	s.texts["acme/beside"] = &texts{text: "edited"}
	s.sweep(t, true)
	s.sweep(t, false)
	gone := map[string]string{"key-2": "lists no repository any more", "key-3": "its text is not there any more"}
	stale("gone", gone)
	s.states["key-1"] = verifier.Unknown
	s.sweep(t, false)
	gone["key-1"] = "without an answer"
	stale("no answer", gone)
	s.states["key-1"], s.states["key-3"] = verifier.Live, verifier.Live
	s.texts["acme/beside"] = &texts{text: "key-3"}
	s.sweep(t, false)
	stale("back", map[string]string{"key-2": gone["key-2"]})
}

// TestEngineLiveAgain holds that a key that was live and is off is asked about again once a
// day: somebody may have switched it on. One that was never live is not.
func TestEngineLiveAgain(t *testing.T) {
	s := newSweeper(t)
	s.states = map[string]verifier.State{"key-1": verifier.Live, "key-2": verifier.Invalid}
	s.repository(t, "app", "", "echo key-1 >f; echo key-2 >g; commit 1")
	s.sweep(t, false)
	s.states["key-1"] = verifier.Invalid
	s.sweep(t, false)
	s.states = map[string]verifier.State{"key-1": verifier.Live, "key-2": verifier.Live}
	for _, step := range []struct {
		after time.Duration
		want  verifier.State
	}{{time.Hour, verifier.Invalid}, {24 * time.Hour, verifier.Live}} {
		s.Clock = s.Clock.Add(step.after)
		s.sweep(t, false)
		known := s.Known(t)
		if one, two := known["key-1"].Verdict.State, known["key-2"].Verdict.State; one != step.want || two != verifier.Invalid {
			t.Errorf("%s later: key-1 is %s, want %s; key-2 is %s", step.after, one, step.want, two)
		}
	}
}
