package verifier

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
)

// verifierFunc makes a Verifier of a function.
type verifierFunc func(context.Context, detectors.Credential) Verdict

func (f verifierFunc) Verify(ctx context.Context, c detectors.Credential) Verdict { return f(ctx, c) }

func credential(id, secret, token string) detectors.Credential {
	return detectors.Credential{ID: id, Secret: detectors.NewSecret(secret), Token: detectors.NewSecret(token)}
}

func TestCachedAsksOncePerCredential(t *testing.T) {
	var asked []string
	c := &Cached{Verifier: verifierFunc(func(_ context.Context, c detectors.Credential) Verdict {
		s := c.ID + "|" + c.Secret.Reveal() + "|" + c.Token.Reveal()
		asked = append(asked, s)
		return Verdict{State: Unknown, Reason: s, Facts: []Fact{{Name: "n"}}}
	})}
	for _, cred := range []detectors.Credential{
		credential("id", "secret", ""),
		credential("id", "secret", ""),
		credential("id", "secre", "t"), // the same letters, cut elsewhere
		credential("ids", "ecret", ""),
		credential("id", "secret", "token"),
		credential("id", "", "secret"),
		credential("id", "secret", ""),
	} {
		want := cred.ID + "|" + cred.Secret.Reveal() + "|" + cred.Token.Reveal()
		v := c.Verify(t.Context(), cred)
		if v.Reason != want || v.Facts[0].Name != "n" {
			t.Errorf("verdict of %q is that of %q (facts %v)", want, v.Reason, v.Facts)
		}
		v.Facts[0].Name = "changed by a caller"
	}
	want := []string{"id|secret|", "id|secre|t", "ids|ecret|", "id|secret|token", "id||secret"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestCachedConcurrentCallersShareOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		c := &Cached{Verifier: verifierFunc(func(context.Context, detectors.Credential) Verdict {
			asked.Add(1)
			time.Sleep(time.Second)
			return Verdict{State: Live}
		})}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if v := c.Verify(t.Context(), credential("id", "secret", "")); v.State != Live {
					t.Errorf("state %q", v.State)
				}
			})
		}
		wg.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestCachedForgetsCancelledCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cached{Verifier: verifierFunc(func(ctx context.Context, _ detectors.Credential) Verdict {
			select {
			case <-ctx.Done():
				return cancelled(ctx.Err())
			case <-time.After(time.Minute):
				return Verdict{State: Live}
			}
		})}
		cred := credential("id", "secret", "")
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var first, impatient, patient Verdict
		var wg sync.WaitGroup
		wg.Go(func() { first = c.Verify(short, cred) })
		synctest.Wait()
		shorter, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		wg.Go(func() { impatient = c.Verify(shorter, cred) })
		wg.Go(func() { patient = c.Verify(t.Context(), cred) })
		wg.Wait()
		if !errors.Is(first.Err, context.DeadlineExceeded) || !errors.Is(impatient.Err, context.DeadlineExceeded) {
			t.Errorf("cancelled calls returned %v and %v", first, impatient)
		}
		if patient.State != Live {
			t.Errorf("who waited for a cancelled call got %v, want its own answer", patient)
		}
	})
}

// TestCachedAsksAgain: a run may last for hours. An answer that its owner may end is
// asked for again after a minute, counted from when AWS was asked; the others count as
// long as the run.
func TestCachedAsksAgain(t *testing.T) {
	for _, tt := range []struct {
		state State
		after time.Duration // the first answer
		asked int
	}{
		{Live, time.Minute - 1, 1}, {Live, time.Minute, 2}, {Live, -time.Hour, 2},
		{IDActive, time.Minute - 1, 1}, {IDActive, time.Minute, 2},
		{Invalid, 100 * time.Hour, 1}, {Expired, 100 * time.Hour, 1}, {Unknown, 100 * time.Hour, 1}, {Skipped, 100 * time.Hour, 1},
	} {
		d, now := &desk{verdict: Verdict{State: tt.state, At: noon}}, noon.Add(time.Second)
		c := &Cached{Verifier: d, Now: func() time.Time { return now }}
		cred := credential("id", "secret", "")
		c.Verify(t.Context(), cred)
		now = noon.Add(tt.after)
		d.verdict.At = now
		if got := c.Verify(t.Context(), cred); d.asked != tt.asked || got.State != tt.state {
			t.Errorf("%s, %s later: asked %d times, want %d", tt.state, tt.after, d.asked, tt.asked)
		}
		if c.Verify(t.Context(), cred); d.asked != tt.asked {
			t.Errorf("%s: asked %d times for the third call", tt.state, d.asked)
		}
	}
}

func TestCachedSurvivesPanic(t *testing.T) {
	panics := true
	c := &Cached{Verifier: verifierFunc(func(context.Context, detectors.Credential) Verdict {
		if panics {
			panic("once")
		}
		return Verdict{State: Live}
	})}
	func() {
		defer func() { _ = recover() }()
		c.Verify(t.Context(), credential("id", "secret", ""))
	}()
	panics = false
	if v := c.Verify(t.Context(), credential("id", "secret", "")); v.State != Live {
		t.Errorf("after a panic: %v", v)
	}
}
