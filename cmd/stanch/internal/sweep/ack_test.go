//go:build sweep

package sweep

import (
	"strings"
	"testing"
	"time"
)

func TestAcknowledger(t *testing.T) {
	for _, tt := range []struct {
		name, by   string
		typed      bool
		user       string
		want, says string
	}{
		{"typed", "ada", true, "root", "ada", ""},
		{"user", "", false, "root", "root", ""},
		{"no_user", "", false, "", "", "say with --by who"},
		{"blank_user", "", false, " ", "", "say with --by who"},
		{"typed_empty", "", true, "root", "", "--by is empty"},
		{"no_user_typed", "ada", true, "", "ada", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := acknowledger(tt.by, tt.typed, func() string { return tt.user })
			if got != tt.want || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q, %v; want %q, %q", got, err, tt.want, tt.says)
			}
		})
	}
}

// TestLastDay holds that a day is the last one wherever it is typed and read.
func TestLastDay(t *testing.T) {
	now := time.Date(2027, 1, 31, 23, 0, 0, 0, time.FixedZone("", -8*3600)) // the day after, in UTC
	for _, tt := range []struct{ day, want string }{
		{"", "--until is empty"},
		{"2027-02-01", "2027-02-01T23:59:59.999Z"}, // today
		{"2028-02-29", "2028-02-29T23:59:59.999Z"},
		{"2027-01-31", "over"},
		{"2027-02-30", "not a date"},
		{"31.12.2027", "not a date"},
	} {
		got, err := lastDay(tt.day, now)
		text := got.Format("2006-01-02T15:04:05.000Z07:00")
		if err != nil {
			text = err.Error()
		}
		if text != tt.want && (err == nil || !strings.Contains(text, tt.want)) {
			t.Errorf("%q: %s, want %s", tt.day, text, tt.want)
		}
	}
}
