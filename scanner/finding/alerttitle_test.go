package finding_test

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// TestAlertCountsOmitted: findings that an alert does not list count as those that it lists: a
// live key is never called one that is not known to be live.
func TestAlertCountsOmitted(t *testing.T) {
	for kind, tt := range map[string]struct{ event, want string }{
		finding.AlertNews:   {finding.EventLive, "stanch: 8 leaked keys are LIVE"},
		finding.AlertDigest: {finding.EventNew, "stanch: 8 new findings that are not known to be live"},
	} {
		a := finding.Alert{Kind: kind, Omitted: 7, Findings: []finding.AlertFinding{{Event: tt.event}}}
		a.Complete()
		if a.Title != tt.want || !strings.HasPrefix(a.Text, tt.want) {
			t.Errorf("%s: %s", kind, a.Text)
		}
	}
}
