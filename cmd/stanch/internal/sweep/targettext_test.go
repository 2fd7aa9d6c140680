//go:build sweep

package sweep

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestWriteTargets: the list says of each target whether its sweep runs, and if it could not be
// listed, when and why.
func TestWriteTargets(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 30, hour, 0, 0, 0, time.Local) }
	for name, tt := range map[string]struct {
		target sweep.Target
		want   string
	}{
		"new":       {sweep.Target{}, "acme by hand never -"},
		"scheduled": {sweep.Target{Every: time.Hour}, "acme 1h never now"},
		"runs":      {sweep.Target{Begun: at(7), Asked: at(7), Every: time.Hour}, "acme 1h 2026-11-30 07:00:00 running"},
		"done":      {sweep.Target{Begun: at(7), Asked: at(7), Ended: at(8), Every: 2 * time.Hour}, "acme 2h 2026-11-30 07:00:00 2026-11-30 09:00:00"},
		"longer than its period": {
			sweep.Target{Begun: at(7), Asked: at(9), Ended: at(10), Every: 2 * time.Hour}, "acme 2h 2026-11-30 07:00:00 2026-11-30 11:00:00"},
		"fails": {
			sweep.Target{Begun: at(7), Asked: at(9), Every: time.Hour, Why: "no route\x1b"},
			"acme 1h 2026-11-30 07:00:00, failed 2026-11-30 10:00:00 acme: listing failed 2026-11-30 09:00:00: no route\\x1b"},
		"fails, by hand": {
			sweep.Target{Begun: at(7), Asked: at(7), Why: "no route"},
			"acme by hand 2026-11-30 07:00:00, failed - acme: listing failed 2026-11-30 07:00:00: no route"},
		"waits": {
			sweep.Target{Begun: at(7), Asked: at(7), Why: "the limit of GitHub", Wait: at(8)},
			"acme by hand 2026-11-30 07:00:00 running acme: listing waits until 2026-11-30 08:00:00: the limit of GitHub"},
	} {
		tt.target.Name = "acme"
		var out strings.Builder
		if err := writeTargets(&out, []sweep.Target{tt.target}, func(*sweep.Target) string { return "" }); err != nil {
			t.Fatal(err)
		}
		_, rows, _ := strings.Cut(out.String(), "FLAGS\n")
		got := strings.TrimSpace(regexp.MustCompile(`\s+`).ReplaceAllString(strings.Replace(rows, "  -\n", "\n", 1), " "))
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

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
