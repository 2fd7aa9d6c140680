package recheck_test

import (
	"context"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/recheck"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// sts answers with one verdict.
type sts verifier.Verdict

// Verify implements verifier.Verifier.
func (s sts) Verify(context.Context, detectors.Credential) verifier.Verdict {
	return verifier.Verdict(s)
}

// TestReport: an answer replaces the last one, which stays if there is no answer; a key
// without its secret is not asked about, and no secret is left in the report.
func TestReport(t *testing.T) {
	old, now := time.Now().Add(-time.Hour), time.Now()
	whole := verifiertest.LongTerm(detectorstest.Account, 1)
	noSecret := detectors.Credential{ID: whole.ID}
	for _, tt := range []struct {
		name            string
		cred            detectors.Credential
		was             verifier.State
		answer          sts
		state           verifier.State
		stale           string
		asked, of, live int
	}{
		{"dead by now", whole, verifier.Live, sts{State: verifier.Invalid, At: now}, verifier.Invalid, "", 1, 1, 0},
		{"live again", whole, verifier.Invalid, sts{State: verifier.Live, At: now}, verifier.Live, "", 1, 1, 1},
		{"no answer", whole, verifier.Live, sts{State: verifier.Unknown, At: now, Reason: "no answer: timed out"}, verifier.Live, "asked again, without an answer: timed out", 0, 1, 1},
		{"no secret", noSecret, verifier.Live, sts{}, verifier.Live, "not asked again: the report holds no secret", 0, 1, 1},
		{"canary", whole, verifier.CanarySuspected, sts{}, verifier.CanarySuspected, "", 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &finding.Saved{Findings: []finding.Finding{{
				Match:   detectors.Match{Rule: awskeys.AccessKey, Credential: tt.cred},
				Digest:  &finding.Digest{SecretSHA256: whole.Secret.SHA256()},
				Verdict: verifier.Verdict{State: tt.was, At: old},
			}}}
			if err := (recheck.Rechecker{STS: tt.answer}).Report(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			f := r.Findings[0]
			if f.Verdict.State != tt.state || f.Stale != tt.stale || !f.Match.Credential.Secret.IsZero() {
				t.Errorf("%s, %q; want %s, %q", f.Verdict.State, f.Stale, tt.state, tt.stale)
			}
			if a := r.Totals.Again; a.Asked != tt.asked || a.Of != tt.of || r.Totals.Live != tt.live {
				t.Errorf("%d of %d asked, %d live; want %d of %d, %d", a.Asked, a.Of, r.Totals.Live, tt.asked, tt.of, tt.live)
			}
		})
	}
}

// TestUsedBefore: IAM is asked for the last use before STS, whose question is a use; but not
// if the report tells a use from before an earlier question.
func TestUsedBefore(t *testing.T) {
	aws := verifiertest.NewAWS(t)
	var cred detectors.Credential
	aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		verifiertest.SignAs(t, a.User("olga", 1).Keys[0].Credential)
		key := a.User("deploy", 2).Keys[0]
		key.Used, key.UsedService = time.Now().Add(-time.Hour), "s3"
		cred = key.Credential
	})
	op, err := operator.New(t.Context(), operator.Config{Endpoint: aws.URL})
	if err != nil {
		t.Fatal(err)
	}
	old := verifier.Fact{Name: operator.UsedBefore, Value: "never"}
	for _, tt := range []struct {
		op    *operator.Operator
		facts []verifier.Fact
		want  string // the service; "" for no use
		known bool
	}{
		{op, nil, "s3", true},
		{op, []verifier.Fact{old}, "", true},
		{nil, nil, "", false},
	} {
		r := &finding.Saved{Findings: []finding.Finding{{
			Match: detectors.Match{Rule: awskeys.AccessKey, Credential: cred}, Digest: &finding.Digest{SecretSHA256: cred.Secret.SHA256()},
			Verdict: verifier.Verdict{State: verifier.Live, At: time.Now().Add(-time.Minute), Facts: tt.facts},
		}}}
		if err := (recheck.Rechecker{STS: sts{State: verifier.Live, At: time.Now()}, Operator: tt.op}).Report(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if used, known := operator.FindUsedBefore(r.Findings[0].Verdict.Facts); used.Service != tt.want || known != tt.known {
			t.Errorf("%v: %v, %v", tt.facts, used, known)
		}
	}
}
