package junit

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
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
		if len(suite.Cases) == 0 {
			t.Errorf("%s: no test cases", set)
		}
		counted := [3]int{len(suite.Cases), failures, faults}
		if says := [3]int{suite.Tests, suite.Failures, suite.Errors}; says != counted {
			t.Errorf("%s: it says %v tests, failures and errors, and has %v", set, says, counted)
		}
		if want := len(reporttest.Sums[set].Unread); faults != want {
			t.Errorf("%s: %d errors, want %d", set, faults, want)
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

// TestBothParts: of an id and a secret from different files both are listed, although the
// secret is far down the list.
func TestBothParts(t *testing.T) {
	f := finding.Finding{Digest: &finding.Digest{Fingerprint: "f"}}
	f.Match.Rule = &detectors.Rule{ID: "aws-access-key"}
	for range 2 * wording.MaxLocations {
		f.Locations = append(f.Locations, finding.Location{Kind: finding.KindBlob, Path: "id.ini", Line: 1})
	}
	f.Locations = append(f.Locations, finding.Location{Kind: finding.KindBlob, Path: "secret.ini", Line: 1, Part: finding.PartSecret})
	c := caseOf(&f, &wording.Age{})
	if lines := strings.Split(c.Failure.Text, "\n"); len(lines) != wording.MaxLocations || !strings.Contains(lines[len(lines)-1], "secret.ini") {
		t.Errorf("%q", lines)
	}
}
