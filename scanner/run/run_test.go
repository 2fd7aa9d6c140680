package run_test

import (
	"testing"

	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier"
)

func TestFailOn(t *testing.T) {
	for _, tt := range []struct {
		failOn run.FailOn
		counts []verifier.State
		not    []verifier.State
	}{
		{run.FailOnAny, []verifier.State{verifier.Live, verifier.Unknown, verifier.Invalid, verifier.Expired}, nil},
		{run.FailOnUnknown, []verifier.State{verifier.Live, verifier.IDActive, verifier.Unknown, verifier.Skipped, verifier.NotVerifiable},
			[]verifier.State{verifier.Invalid, verifier.Expired, verifier.CanarySuspected}},
		{run.FailOnLive, []verifier.State{verifier.Live}, []verifier.State{verifier.IDActive, verifier.Unknown, verifier.Invalid}},
		{run.FailOnNever, nil, []verifier.State{verifier.Live, verifier.Unknown, verifier.Invalid}},
	} {
		for _, state := range tt.counts {
			if !tt.failOn.Counts(state) {
				t.Errorf("%s does not count %s", tt.failOn, state)
			}
		}
		for _, state := range tt.not {
			if tt.failOn.Counts(state) {
				t.Errorf("%s counts %s", tt.failOn, state)
			}
		}
	}
}
