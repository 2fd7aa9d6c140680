package assessment_test

import (
	"context"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
)

// A collector keeps the facts of the findings that it is given.
type collector struct {
	facts  [][]verifier.Fact
	closed bool
}

func (c *collector) Finding(f *finding.Finding) error {
	c.facts = append(c.facts, f.Verdict.Facts)
	return nil
}

func (c *collector) Close(finding.Summary) error {
	c.closed = true
	return nil
}

// TestLiveSink: a key that works in a known account is assessed, and every finding goes on.
func TestLiveSink(t *testing.T) {
	s := newSetting(t)
	ended, end := context.WithCancel(t.Context())
	end()
	for _, tt := range []struct {
		name     string
		ctx      context.Context
		change   func(*finding.Finding)
		assessed bool
	}{
		{"live", t.Context(), func(f *finding.Finding) { f.Verdict.State = verifier.Live }, true},
		{"a live id alone", t.Context(), func(f *finding.Finding) { f.Verdict.State = verifier.IDActive }, true},
		{"invalid", t.Context(), func(f *finding.Finding) { f.Verdict.State = verifier.Invalid }, false},
		{"ignored", t.Context(), func(f *finding.Finding) { f.Verdict.State, f.Ignored = verifier.Live, "allowed" }, false},
		{"no account", t.Context(), func(f *finding.Finding) { f.Verdict.State, f.Verdict.Identity.Account = verifier.Live, "" }, false},
		{"no access key", t.Context(), func(f *finding.Finding) { f.Verdict.State, f.Match.Credential.ID = verifier.Live, "ABC" }, false},
		{"the scan has ended", ended, func(f *finding.Finding) { f.Verdict.State = verifier.Live }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := &collector{}
			sink := assessment.LiveSink{Sink: next, Context: tt.ctx, Exposure: &assessment.Exposure{},
				Assessor: &assessment.Assessor{Operator: s.operator(t), Pace: -1}}
			f := s.subject()
			tt.change(f)
			if err := sink.Finding(f); err != nil || len(next.facts) != 1 {
				t.Fatalf("%d findings went on: %v", len(next.facts), err)
			}
			if got := has(next.facts[0], "account-name", "production", 0, "organizations:DescribeAccount"); got != tt.assessed {
				t.Errorf("assessed: %v, facts:\n%s", got, list(next.facts[0]))
			}
			if err := sink.Close(finding.Summary{}); err != nil || !next.closed {
				t.Errorf("not closed: %v", err)
			}
		})
	}
}
