package operator

import (
	"net/http"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestTime: AWS's time is that of IAM's last answer, whatever the clock of this machine
// says, and an answer without a time that can be right does not tell it.
func TestTime(t *testing.T) {
	const off = 14 * time.Minute
	stamp := func(d time.Duration) func() string {
		return func() string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	}
	for _, tt := range []struct {
		name  string
		clock time.Duration // of AWS, ahead of this machine
		date  func() string
		known bool
	}{
		{name: "the same", known: true},
		{name: "this machine is slow", clock: off, known: true},
		{name: "this machine is fast", clock: -off, known: true},
		{name: "no date", date: func() string { return "" }},
		{name: "not a date", date: func() string { return "yesterday" }},
		{name: "another year", date: stamp(-365 * 24 * time.Hour)},
		{name: "further ahead than a request may be", date: stamp(time.Hour)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			aws, s := openAt(t, func(a *verifiertest.AWS) {
				a.Now, a.Date = func() time.Time { return time.Now().Add(tt.clock) }, tt.date
			})
			if _, _, known := s.Time(); known {
				t.Error("known before IAM was asked")
			}
			if _, err := s.Tags(t.Context(), "user", "olga"); err != nil {
				t.Fatal(err)
			}
			now, ahead, known := s.Time()
			if known != tt.known {
				t.Fatalf("known %v, want %v", known, tt.known)
			}
			const second = 2 * time.Second // a Date has no fractions
			if known && ((ahead+tt.clock).Abs() > second || time.Until(now.Add(-tt.clock)).Abs() > second) {
				t.Errorf("now %s, ahead %s; AWS's clock is ahead by %s", now, ahead, tt.clock)
			}
			// A refusal has the time too; the page of a proxy leaves it as it was.
			aws.Next("iam:GetUserPolicy", verifiertest.Response{Status: http.StatusForbidden, Body: block, Header: http.Header{"Date": {stamp(-time.Minute)()}}})
			for range 2 {
				_, _ = s.InlinePolicy(t.Context(), "user", "olga", "none")
				if _, again, known := s.Time(); known != tt.known || known && (again-ahead).Abs() > second {
					t.Errorf("then known %v, ahead %s", known, again)
				}
			}
		})
	}
}
