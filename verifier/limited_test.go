package verifier

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
)

func TestLimitedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var got []time.Duration
		l := &Limited{Verifier: verifierFunc(func(context.Context, detectors.Credential) Verdict {
			got = append(got, time.Since(start))
			return Verdict{State: Live}
		})}
		for i := range 8 {
			l.Verify(t.Context(), credential(fmt.Sprint(i), "secret", ""))
		}
		want := []time.Duration{0, 0, 0, 0, 0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("asked at (-want +got):\n%s", diff)
		}
	})
}

func TestLimitedIsSerialPerID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := map[string]int{}, map[string]int{}
		total, mostTotal := 0, 0
		add := func(id string, n int) {
			mu.Lock()
			defer mu.Unlock()
			running[id] += n
			total += n
			most[id] = max(most[id], running[id])
			mostTotal = max(mostTotal, total)
		}
		l := &Limited{PerSecond: 1000, Burst: 100, Verifier: verifierFunc(func(_ context.Context, c detectors.Credential) Verdict {
			add(c.ID, 1)
			time.Sleep(time.Second)
			add(c.ID, -1)
			return Verdict{State: Live}
		})}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() { l.Verify(t.Context(), credential(fmt.Sprint(i%3), fmt.Sprint(i), "")) })
		}
		wg.Wait()
		if diff := cmp.Diff(map[string]int{"0": 1, "1": 1, "2": 1}, most); diff != "" {
			t.Errorf("at once per id (-want +got):\n%s", diff)
		}
		if mostTotal != 3 {
			t.Errorf("%d at once over all, want one for each of 3 ids", mostTotal)
		}
	})
}

func TestLimitedBreaker(t *testing.T) {
	none := fmt.Errorf("proxy: %w", ErrNoAnswer)
	gateway := fmt.Errorf("gateway: %w", errors.Join(ErrNoAnswer, ErrBusy))
	busy := fmt.Errorf("throttled: %w", ErrBusy)
	other := errors.New("odd error code")
	for _, tt := range []struct {
		name string
		errs []error // of the inner verifier, one for each credential
		want int     // credentials that were asked about
	}{
		{"three in a row", []error{none, none, none, nil, nil}, 3},
		{"an answer between", []error{none, none, nil, none, none, nil}, 6},
		{"any answer will do", []error{none, none, other, none, none}, 5},
		{"busy is not the network", []error{busy, busy, busy, busy}, 4},
		{"a retry does not count twice", []error{gateway, gateway, nil, gateway}, 4},
		{"gateway", []error{gateway, gateway, gateway, nil}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := map[string]bool{}
				l := &Limited{Verifier: verifierFunc(func(_ context.Context, c detectors.Credential) Verdict {
					asked[c.ID] = true
					var i int
					_, _ = fmt.Sscan(c.ID, &i)
					return Verdict{State: Unknown, Err: tt.errs[i]}
				})}
				var last Verdict
				for i := range tt.errs {
					last = l.Verify(t.Context(), credential(fmt.Sprint(i), "secret", ""))
				}
				if len(asked) != tt.want {
					t.Errorf("asked about %d, want %d", len(asked), tt.want)
				}
				if open := strings.HasPrefix(last.Reason, "not asked: "); open != (tt.want < len(tt.errs)) {
					t.Errorf("last verdict %+v", last)
				} else if open && !errors.Is(last.Err, ErrNoAnswer) {
					t.Errorf("error %v does not wrap ErrNoAnswer", last.Err)
				}
			})
		})
	}
}

func TestLimitedRetriesOnceWhenBusy(t *testing.T) {
	busy := Verdict{State: Unknown, Err: ErrBusy}
	for _, tt := range []struct {
		name    string
		answers []Verdict
		want    State
		asked   int
		took    time.Duration
	}{
		{"not busy", []Verdict{{State: Live}}, Live, 1, 0},
		{"busy once", []Verdict{busy, {State: Live}}, Live, 2, time.Second},
		{"busy twice", []Verdict{busy, busy, {State: Live}}, Unknown, 2, time.Second},
		{"no answer is not retried", []Verdict{{State: Unknown, Err: ErrNoAnswer}}, Unknown, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, start := 0, time.Now()
				l := &Limited{Verifier: verifierFunc(func(context.Context, detectors.Credential) Verdict {
					asked++
					return tt.answers[asked-1]
				})}
				v := l.Verify(t.Context(), credential("id", "secret", ""))
				if v.State != tt.want || asked != tt.asked || time.Since(start) != tt.took {
					t.Errorf("got %q, %d times asked, in %v", v.State, asked, time.Since(start))
				}
			})
		})
	}
}

func TestLimitedCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		l := &Limited{Burst: 1, PerSecond: 0.001, MaxNoAnswer: 1, Verifier: verifierFunc(func(ctx context.Context, _ detectors.Credential) Verdict {
			asked++
			if asked == 1 {
				<-ctx.Done()
			}
			return Verdict{State: Unknown, Reason: "cancelled", Err: ErrNoAnswer}
		})}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { l.Verify(ctx, credential("a", "asked", "")) })
		synctest.Wait()
		for _, id := range []string{"a", "b"} { // waiting for its turn, waiting for the rate
			wg.Go(func() {
				if v := l.Verify(ctx, credential(id, "waits", "")); v.State != Unknown || v.Reason != "cancelled" || !errors.Is(v.Err, context.Canceled) {
					t.Errorf("%s: got %+v", id, v)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if asked != 1 {
			t.Errorf("asked %d times, want only the first", asked)
		}
		// A cancelled call says nothing about the network: the circuit is closed.
		if l.Verify(t.Context(), credential("c", "secret", "")); asked != 2 {
			t.Error("the circuit is open after a cancelled call")
		}
	})
}
