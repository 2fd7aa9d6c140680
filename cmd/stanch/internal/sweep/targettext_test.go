//go:build sweep

package sweep

import (
	"testing"
	"time"
)

// TestSchedule: only a number of minutes or seconds that is 0 is left out, not the last digit of 10.
func TestSchedule(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                             "by hand",
		time.Minute:                   "1m",
		10 * time.Minute:              "10m",
		90 * time.Second:              "1m30s",
		70 * time.Second:              "1m10s",
		time.Hour:                     "1h",
		20 * time.Hour:                "20h",
		time.Hour + 40*time.Minute:    "1h40m",
		24*time.Hour + 10*time.Second: "24h0m10s",
	} {
		if got := schedule(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
