package junit

import (
	"bytes"
	"encoding/xml"
	"testing"

	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// TestJUnitParses: it is XML, whatever stands in paths and reasons, and counts right.
func TestJUnitParses(t *testing.T) {
	for _, set := range []string{"several", "odd", "none", "unread"} {
		var suite testSuite
		if err := xml.Unmarshal(write(t, set, false), &suite); err != nil {
			t.Fatal(err)
		}
		failures, faults := 0, 0
		for _, c := range suite.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				faults++
			}
		}
		if len(suite.Cases) == 0 || suite.Tests != len(suite.Cases) || suite.Failures != failures || suite.Errors != faults || faults != len(reporttest.Sums[set].Unread) {
			t.Errorf("%s: %d tests, %d failures, %d errors", set, suite.Tests, suite.Failures, suite.Errors)
		}
	}
}

// write returns the report of a set of findings.
func write(t testing.TB, set string, showSecrets bool) []byte {
	t.Helper()
	var b bytes.Buffer
	reporttest.Write(t, New(&b, wording.Reading{}), set, showSecrets)
	return b.Bytes()
}
