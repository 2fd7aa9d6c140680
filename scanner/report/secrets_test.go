package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/verifier"
)

// leaky returns two findings whose places hold the secrets of each other.
func leaky() []*finding.Finding {
	a := reporttest.Leaked("Q7LEAKONE", 1, verifier.Live, reporttest.Blob("dir/"+reporttest.SecretKey(2)+"/x.env", 1, true))
	b := reporttest.Leaked("Q7LEAKTWO", 2, verifier.Unknown,
		reporttest.Blob("u/"+url.PathEscape(reporttest.SecretKey(1)), 1, true), reporttest.Blob("y", 2, false))
	b.Match.Credential.Token = detectors.NewSecret("tok/" + reporttest.SecretKey(3))
	b.Locations[0].Author = reporttest.SecretKey(1)
	b.Locations[0].Email = "tok/" + reporttest.SecretKey(3) + "@example.com"
	b.Locations[1].Kind, b.Locations[1].Path = finding.KindRefName, "refs/heads/"+reporttest.SecretKey(2)
	b.Locations[1].Blob = finding.BlobID(reporttest.SecretKey(1))
	b.Locations[1].Refs = []string{"refs/heads/main", "refs/heads/" + reporttest.SecretKey(1)}
	b.Locations[1].Unreachable = "reflog refs/heads/" + reporttest.SecretKey(2) + "@{0}"
	b.Verdict.Reason = "proxy said: " + reporttest.SecretKey(2)
	a.Verdict.Facts = []verifier.Fact{{Name: "tag", Value: reporttest.SecretKey(1), Risk: 1}}
	a.Candidates = []finding.Candidate{{Secret: detectors.NewSecret(reporttest.SecretKey(0)), Locations: []finding.Location{reporttest.Blob("c/"+reporttest.SecretKey(0)+"/"+reporttest.SecretKey(2), 1, true)}}}
	a.Verdict.Identity.ARN = "arn:" + reporttest.SecretKey(2)
	return []*finding.Finding{a, b}
}

func report(t *testing.T, format string, show bool) string {
	t.Helper()
	var out bytes.Buffer
	h, err := New(format, &out, Options{Verbose: true, Color: true, Rules: reporttest.Rules})
	if err != nil {
		t.Fatal(err)
	}
	sink := finding.NewSink(h, finding.Scan{Source: "git", Target: "https://u:" + url.QueryEscape(reporttest.SecretKey(1)) + "@example.com/r"}, nil, show)
	fs := leaky()
	fs = append(fs, reporttest.Leaked("Q7IGNORED", 2, "", reporttest.Blob("z", 1, true)))
	fs[2].Ignored = "line says: " + reporttest.SecretKey(1)
	for _, f := range fs {
		if err := sink.Finding(f); err != nil {
			t.Fatal(err)
		}
	}
	if fs[0].Verdict.Facts[0].Value != reporttest.SecretKey(1) {
		t.Error("the sink changed the finding of the scanner")
	}
	err = sink.Close(finding.Summary{Unread: []finding.Unread{{What: "refs/" + reporttest.SecretKey(2), Why: reporttest.SecretKey(1)}}})
	if err != nil {
		t.Fatal(err)
	}
	if fs[0].Verdict.Facts[0].Value != reporttest.SecretKey(1) || fs[1].Locations[1].Refs[1] != "refs/heads/"+reporttest.SecretKey(1) {
		t.Error("Close changed the finding of the scanner")
	}
	return out.String()
}

func TestNoFormatHoldsASecret(t *testing.T) {
	for _, format := range Formats {
		out := report(t, format, false)
		for n := range byte(4) {
			// In pieces, too: no part of a secret between two marks stays.
			for _, part := range []string{reporttest.SecretKey(n), url.QueryEscape(reporttest.SecretKey(n)), url.PathEscape(reporttest.SecretKey(n)),
				reporttest.SecretKey(n)[:12], reporttest.SecretKey(n)[24:36], base64.StdEncoding.EncodeToString([]byte(reporttest.SecretKey(n)))} {
				if strings.Contains(out, part) {
					t.Errorf("%s holds %q:\n%s", format, part, out)
				}
			}
		}
		if !strings.Contains(out, "redacted") || !strings.Contains(out, reporttest.KeyID("Q7LEAKONE")) {
			t.Errorf("%s: no mark, or no key id:\n%s", format, out)
		}
	}
}

func TestShowSecrets(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		out := report(t, format, true)
		for _, want := range []string{reporttest.SecretKey(1), reporttest.SecretKey(2), "tok/" + reporttest.SecretKey(3)} {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not hold %q:\n%s", format, want, out)
			}
		}
	}
	if out := string(write(t, "sarif", "several", Options{}, true)); strings.Contains(out, reporttest.SecretKey(0)) {
		t.Errorf("SARIF quotes a secret:\n%s", out)
	}
	var f finding.Finding
	line := strings.Split(report(t, "json", true), "\n")[1]
	err := json.Unmarshal([]byte(line), &f)
	if c := f.Match.Credential; err != nil || c.Secret.Reveal() != reporttest.SecretKey(1) || !c.Token.IsZero() {
		t.Errorf("secret %q, token %q, %v", c.Secret.Reveal(), c.Token.Reveal(), err)
	}
}
