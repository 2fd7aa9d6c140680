package report

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// harmless checks that s can move no cursor.
func harmless(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatalf("not UTF-8: %q", s)
	}
	for i, r := range s {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Fatalf("offset %d: %q in:\n%q", i, r, s)
		}
	}
}

func TestNothingMovesTheCursor(t *testing.T) {
	for _, set := range []string{"odd", "several", "held"} {
		harmless(t, string(write(t, "text", set, Options{Verbose: true}, true)))
		s := string(write(t, "text", set, Options{Verbose: true, Color: true}, true))
		for _, st := range []style{bold, dim, alarm, warn, note, good, "0"} {
			s = strings.ReplaceAll(s, "\x1b["+string(st)+"m", "")
		}
		harmless(t, s)
	}
}

// Lines begin with what we write: a path with a newline makes no finding.
func TestNoForgedLines(t *testing.T) {
	f := leaked("Q7FORGERY", 0, verifier.Unknown, blob("x\nLIVE ROOT  forged", 1, true))
	var b bytes.Buffer
	sink := finding.NewSink(Text(&b, Options{}), finding.Scan{}, nil, false)
	_ = sink.Finding(f)
	_ = sink.Close(finding.Summary{})
	if strings.Contains(b.String(), "\nLIVE ROOT") {
		t.Errorf("forged:\n%s", &b)
	}
}

// Commands are pasted into shells.
func TestCommandsTakeNoForeignText(t *testing.T) {
	for _, tt := range []struct{ id, kind, name, want string }{
		{keyID("Q7COMMAND"), "user", "jane.doe@example.com", " --user-name jane.doe@example.com"},
		{keyID("Q7COMMAND"), "user", "x; rm -rf ~", " --user-name USER"},
		{keyID("Q7COMMAND"), "user", "$(id)", " --user-name USER"},
		{keyID("Q7COMMAND"), "user", "--profile=x", " --user-name USER"},
		{keyID("Q7COMMAND"), "user", "x\nid", " --user-name USER"},
		{keyID("Q7COMMAND"), "", "", " --user-name USER"},
		{"A;id", "user", "x", "where it was issued."},
		{"", "user", "x", "where it was issued."},
	} {
		f := reported("r", tt.id, "", verifier.Live)
		f.Verdict.Identity.Kind, f.Verdict.Identity.Name = tt.kind, tt.name
		if got := advice(&f)[0]; !strings.HasSuffix(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.name, got, tt.want)
		}
		if s := strings.Join(advice(&f), ""); strings.ContainsAny(s, "$;~") && !strings.Contains(s, "key; then") {
			t.Errorf("%q: %q", tt.name, s)
		}
	}
}

// TestAdviceOfSessions: no session is advised to be deactivated, and no role of others to
// be changed in IAM.
func TestAdviceOfSessions(t *testing.T) {
	for _, tt := range []struct{ kind, name, want, not string }{
		{"root", "", "No call ends a session of the root user", "deactivate the key"},
		{"user", "deploy", "aws:TokenIssueTime", "update-access-key"},
		{"role", "builder", "Revoke sessions", "update-access-key"},
		{"role", "AWSReservedSSO_Admin_0123456789abcdef", "permission set", "Revoke sessions"},
		{"role", "AWSServiceRoleForSupport", "Stop the resource", "Revoke sessions"},
	} {
		f := reported("r", "ASIA"+keyID("Q7SESSION")[4:], "", verifier.Live)
		f.Verdict.Identity.Kind, f.Verdict.Identity.Name = tt.kind, tt.name
		if got := strings.Join(advice(&f), "\n"); !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
			t.Errorf("%s %s: %s", tt.kind, tt.name, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{thousands(0), "0"}, {thousands(999), "999"}, {thousands(1000), "1,000"},
		{thousands(1234567), "1,234,567"}, {thousands(-1234), "-1,234"}, {thousands(-123), "-123"},
		{size(0), "0 B"}, {size(999), "999 B"}, {size(1000), "1.0 kB"}, {size(12_345), "12.3 kB"},
		{size(999_999), "1.0 MB"}, {size(124_000_000), "124 MB"}, {size(7_500_000_000_000_000), "7500 TB"},
		{elapsed(0), "0 ms"}, {elapsed(4100), "4.1 s"}, {elapsed(125_000), "2m5s"},
		{plural(1, "place"), "1 place"}, {plural(2000, "place"), "2,000 places"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestNew(t *testing.T) {
	if _, err := New("xml", nil, Options{}); err == nil || err.Error() != `unknown format "xml": known are text, json, sarif, junit, markdown, github, html` {
		t.Error(err)
	}
}

// TestPartsOfSeveralTexts: where the secret stands is said, however many places the
// id has.
func TestPartsOfSeveralTexts(t *testing.T) {
	f := leaked("Q7SEVERAL", 0, verifier.Live)
	for i := range 30 {
		f.Locations = append(f.Locations, blob("id"+strconv.Itoa(i), 1, true))
	}
	secret := blob("secret.env", 7, true)
	secret.SecretLine, secret.Part = 7, finding.PartSecret
	f.Locations = append(f.Locations, secret)
	for format, want := range map[string]string{
		"text":  "          secret in secret.env:7  commit",
		"sarif": "secret in secret.env:7  commit",
		"json":  `"path":"secret.env","part":"secret","line":7,"column":21,"end_column":41,"commit"`,
	} {
		var b bytes.Buffer
		h, err := New(format, &b, Options{Rules: testRules})
		if err != nil {
			t.Fatal(err)
		}
		sink := finding.NewSink(h, finding.Scan{}, nil, false)
		if err := errors.Join(sink.Finding(f), sink.Close(finding.Summary{})); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: no %q in\n%s", format, want, &b)
		}
		if more := "+ 26 more places"; format == "text" && !strings.Contains(b.String(), more) {
			t.Errorf("no %q in\n%s", more, &b)
		}
	}
}
