//go:build sweep && unix

package triage_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

// measure runs an operation, and reports the CPU time of this process: the machine may be busy
// with other work. The server of PostgreSQL is another process.
func measure(b *testing.B, name string, do func() error) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		before := cpuTime(b)
		for b.Loop() {
			if err := do(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	})
}

// cpuTime returns the CPU time that this process has taken in user mode.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano())
}

func benchmark(b *testing.B, s *sweeptest.Store) {
	b.Helper()
	s.Fill(b, sweeptest.Many)
	f := &triage.Store{Store: s.Store}
	live, open := []verifier.State{verifier.Live}, []triage.Status{triage.Open}
	for name, filter := range map[string]triage.Filter{
		"all": {}, "live": {States: live}, "live_open": {States: live, Statuses: open}, "owner": {Owner: "payments"}, "target": {Target: "acme"},
		"repository": {Repository: "acme/service-7"}, "new": {NewSince: s.Clock.AddDate(0, 0, -1)},
		"text_none": {Text: "no such text"}, "text_id": {Text: "akia0000000000004711"}, "text_path": {Text: "checkout-471"}, "text_digits": {Text: "4711"},
		"text_comment": {Text: "ops-4"}, "text_repository": {Text: "service-71"}, "text_all": {Text: "e"},
	} {
		for _, sort := range triage.Sorts() {
			measure(b, name+"/"+string(sort), func() error {
				_, err := f.List(b.Context(), filter, sort, "", 50)
				return err
			})
		}
	}
	after := ""
	for range 100 { // as far as somebody may scroll
		page, err := f.List(b.Context(), triage.Filter{}, triage.ByUrgency, after, 200)
		if err != nil {
			b.Fatal(err)
		}
		after = page.Next
	}
	measure(b, "far/urgency", func() error {
		_, err := f.List(b.Context(), triage.Filter{}, triage.ByUrgency, after, 50)
		return err
	})
	measure(b, "summary", func() error {
		_, err := f.Summary(b.Context(), s.Clock.AddDate(0, 0, -1))
		return err
	})
}

// BenchmarkList reads pages of 50,000 findings in 100,000 places.
func BenchmarkList(b *testing.B) {
	sweeptest.OnEachDatabase(b, map[string]func(*testing.B, *sweeptest.Store){"many": benchmark})
}
