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
	"golang.org/x/sync/errgroup"

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
		want := []time.Duration{0, 0, 0, 0, 0, 50 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond}
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

func TestLimitedAsksAgainWhenBusy(t *testing.T) {
	live, busy := Verdict{State: Live}, Verdict{State: Unknown, Err: fmt.Errorf("throttled: %w", ErrBusy)}
	gateway := Verdict{State: Unknown, Err: errors.Join(ErrNoAnswer, ErrBusy)}
	after := func(d time.Duration) Verdict { return Verdict{State: Unknown, Err: &BusyError{Pause: d}} }
	for _, tt := range []struct {
		name    string
		answers []Verdict // the last holds from there on
		want    State
		asked   int
		took    time.Duration
	}{
		{"not busy", []Verdict{live}, Live, 1, 0},
		{"busy once", []Verdict{busy, live}, Live, 2, time.Second},
		{"busy twice", []Verdict{busy, busy, live}, Live, 3, 3 * time.Second},
		{"busy for long", []Verdict{busy, busy, busy, busy, busy, live}, Live, 6, (1 + 2 + 4 + 8 + 8) * time.Second},
		{"always busy", []Verdict{busy}, Unknown, maxPauses, (1 + 2 + 4 + 8 + 8) * time.Second},
		{"no answer is not asked again", []Verdict{{State: Unknown, Err: ErrNoAnswer}}, Unknown, 1, 0},
		{"gateway, once", []Verdict{gateway, live}, Live, 2, time.Second},
		{"gateway", []Verdict{gateway}, Unknown, 2, time.Second},
		{"a pause is honoured", []Verdict{after(12 * time.Second), live}, Live, 2, 12 * time.Second},
		{"not any pause", []Verdict{after(time.Hour), live}, Live, 2, longestAsk},
		{"a pause of nothing", []Verdict{after(0), live}, Live, 2, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, start := 0, time.Now()
				l := &Limited{Verifier: verifierFunc(func(context.Context, detectors.Credential) Verdict {
					asked++
					return tt.answers[min(asked, len(tt.answers))-1]
				})}
				v := l.Verify(t.Context(), credential("id", "secret", ""))
				if v.State != tt.want || asked != tt.asked || time.Since(start) != tt.took {
					t.Errorf("got %q, %d times asked, in %v", v.State, asked, time.Since(start))
				}
			})
		})
	}
}

// A throttling is a provider that answers so many questions a second, each after a while, and
// refuses the others.
type throttling struct {
	perSecond float64
	takes     time.Duration

	mu                       sync.Mutex
	bucket                   float64 // holds a second's worth, as those of AWS hold a burst
	at                       time.Time
	refused, running, atOnce int
	answered                 int
}

func (p *throttling) Verify(context.Context, detectors.Credential) Verdict {
	v := p.begin()
	time.Sleep(p.takes)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	return v
}

func (p *throttling) begin() Verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running++
	p.atOnce = max(p.atOnce, p.running)
	now := time.Now()
	if !p.at.IsZero() {
		p.bucket += now.Sub(p.at).Seconds() * p.perSecond
	}
	p.bucket, p.at = min(p.bucket, max(p.perSecond, 1)), now
	if p.bucket < 1 {
		p.refused++
		return Verdict{State: Unknown, Err: ErrBusy}
	}
	p.bucket--
	p.answered++
	return Verdict{State: Live}
}

// TestLimitedPace: 500 keys beside an STS that answers in 50 ms, and refuses more than so many
// questions a second: no answer is lost, and the time is near the one that it allows.
func TestLimitedPace(t *testing.T) {
	for _, tt := range []struct {
		perSecond float64
		takes     time.Duration
		most      time.Duration // for all
	}{
		{1000, 50 * time.Millisecond, 25 * time.Second},
		{1000, 2 * time.Second, 66 * time.Second}, // 16 at once
		{20, 50 * time.Millisecond, 27 * time.Second},
		{10, 50 * time.Millisecond, 60 * time.Second}, // 50 s, if the limit were known
		{5, 50 * time.Millisecond, 120 * time.Second}, // 100 s
		{2, 50 * time.Millisecond, 330 * time.Second}, // 250 s
		{10, 500 * time.Millisecond, 60 * time.Second},
	} {
		t.Run(fmt.Sprintf("%v a second, each in %v", tt.perSecond, tt.takes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &throttling{perSecond: tt.perSecond, takes: tt.takes, bucket: tt.perSecond}
				l := &Limited{Verifier: p}
				start, lost := time.Now(), 0
				var mu sync.Mutex
				var group errgroup.Group
				group.SetLimit(mostAtOnce)
				for i := range 500 {
					group.Go(func() error {
						if v := l.Verify(t.Context(), credential(fmt.Sprint(i), "secret", "")); v.State != Live {
							mu.Lock()
							defer mu.Unlock()
							lost++
						}
						return nil
					})
				}
				_ = group.Wait() // no goroutine returns an error
				took := time.Since(start)
				t.Logf("%d answers in %v, %d lost, %d refusals, %d at once", p.answered, took.Round(time.Millisecond), lost, p.refused, p.atOnce)
				if lost > 0 || took > tt.most || p.atOnce > mostAtOnce {
					t.Errorf("want all within %v, at most %d at once", tt.most, mostAtOnce)
				}
			})
		})
	}
}

// TestLimitedRecovers: while AWS has trouble, hardly anything is sent; afterwards the rate grows
// back, by about one a second in each second.
func TestLimitedRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		trouble := func() bool { return time.Since(start) > 2*time.Second && time.Since(start) < 6*time.Second }
		times := map[int]int{} // questions in each second
		l := &Limited{Verifier: verifierFunc(func(context.Context, detectors.Credential) Verdict {
			times[int(time.Since(start).Seconds())]++
			if trouble() {
				return Verdict{State: Unknown, Err: ErrBusy}
			}
			return Verdict{State: Live}
		})}
		for i := range 600 {
			if v := l.Verify(t.Context(), credential(fmt.Sprint(i), "secret", "")); v.State != Live {
				t.Fatalf("key %d: %+v", i, v)
			}
		}
		during := times[2] + times[3] + times[4] + times[5]
		if during > 5 || times[1] < 19 || times[9] > 10 || times[35] < 19 {
			t.Errorf("questions by second: %v", times)
		}
	})
}

func TestLimitedCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		l := &Limited{Burst: 1, PerSecond: 0.001, MaxNoAnswer: 1, Verifier: verifierFunc(func(ctx context.Context, _ detectors.Credential) Verdict {
			asked++
			if asked == 1 {
				<-ctx.Done()
			}
			return Verdict{State: Unknown, Reason: "interrupted", Err: ErrNoAnswer}
		})}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { l.Verify(ctx, credential("a", "asked", "")) })
		synctest.Wait()
		for _, id := range []string{"a", "b"} { // waiting for its turn, waiting for the rate
			wg.Go(func() {
				if v := l.Verify(ctx, credential(id, "waits", "")); v.State != Unknown || v.Reason != "interrupted" || !errors.Is(v.Err, context.Canceled) {
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
