package printable_test

import (
	"testing"

	"github.com/stanch-dev/stanch/scanner/printable"
)

func TestPlural(t *testing.T) {
	for _, tt := range []struct {
		n          int64
		noun, want string
	}{
		{0, "key", "0 keys"},
		{1, "key", "1 key"},
		{999, "day", "999 days"},
		{1000, "place", "1,000 places"},
		{1_234_567, "object", "1,234,567 objects"},
		{-1000, "byte", "-1,000 bytes"},
		{-100, "byte", "-100 bytes"},
		{1, "repository", "1 repository"},
		{24_154, "repository", "24,154 repositories"},
	} {
		if got := printable.Plural(tt.n, tt.noun); got != tt.want {
			t.Errorf("Plural(%d, %q) = %q, want %q", tt.n, tt.noun, got, tt.want)
		}
	}
}
