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
		failures, faults, skipped, names := 0, 0, 0, map[string]bool{}
		for _, c := range suite.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				faults++
			}
			if c.Skipped != nil {
				skipped++
			}
			if names[c.Class+c.Name] {
				t.Errorf("%s: two cases are named %s", set, c.Name)
			}
			names[c.Class+c.Name] = true
		}
		if len(suite.Cases) == 0 {
			t.Errorf("%s: no test cases", set)
		}
		counted := [4]int{len(suite.Cases), failures, faults, skipped}
		if says := [4]int{suite.Tests, suite.Failures, suite.Errors, suite.Skipped}; says != counted {
			t.Errorf("%s: it says %v tests, failures, errors and skipped, and has %v", set, says, counted)
		}
		if want := len(reporttest.Sums[set].Unread); faults != want {
			t.Errorf("%s: %d errors, want %d", set, faults, want)
		}
		if want := reporttest.Sums[set]; failures != want.Findings || skipped != want.Ignored {
			t.Errorf("%s: %d failures and %d skipped, want %d and %d", set, failures, skipped, want.Findings, want.Ignored)
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
	lines := (&handler{}).where(&f)
	if len(lines) != wording.MaxLocations+1 || !strings.Contains(lines[wording.MaxLocations-1], "secret.ini") {
		t.Errorf("%q", lines)
	}
}

// TestSameUnread: two texts of one name that could not be read are two cases for CI.
func TestSameUnread(t *testing.T) {
	var b bytes.Buffer
	h := New(&b, wording.Reading{})
	_ = h.Scan(finding.Scan{})
	_ = h.Summary(finding.Summary{Unread: []finding.Unread{{What: "a.zip", Why: "encrypted"}, {What: "a.zip", Why: "damaged"}}})
	if s := b.String(); !strings.Contains(s, `name="not read: a.zip"`) || !strings.Contains(s, `name="not read: a.zip (2)"`) {
		t.Error(s)
	}
}
