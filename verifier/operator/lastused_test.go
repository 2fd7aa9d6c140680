package operator_test

import (
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// TestLastUsed: what is written is read; what is not is not taken for "never".
func TestLastUsed(t *testing.T) {
	for _, u := range []operator.LastUsed{
		{},
		{At: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Service: "s3", Region: "us-east-1"},
		{At: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Service: "a, b in c", Region: "N/A"},
	} {
		got, ok := operator.ParseLastUsed(u.String())
		if !ok || got.String() != u.String() {
			t.Errorf("%q: %+v, %v", u, got, ok)
		}
	}
	for _, s := range []string{"", "Never", "not known: needs iam:GetAccessKeyLastUsed", "2026-11-22T08:00:00Z", "2026-11-22, s3 in us-east-1", "2026-11-22T08:00:00Z,  in us-east-1"} {
		if got, ok := operator.ParseLastUsed(s); ok {
			t.Errorf("%q is read as %v", s, got)
		}
	}
}
