package plaintext

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/verifier"
)

func TestNothingMovesTheCursor(t *testing.T) {
	for _, set := range []string{"odd", "several", "held"} {
		reporttest.Harmless(t, string(write(t, set, Options{Verbose: true})))
		reporttest.Harmless(t, string(write(t, set, Options{Staged: true})))
		s := string(write(t, set, Options{Verbose: true, Color: true}))
		for _, st := range []style{bold, dim, alarm, warn, note, good, "0"} {
			s = strings.ReplaceAll(s, "\x1b["+string(st)+"m", "")
		}
		reporttest.Harmless(t, s)
	}
}

// Lines begin with words of ours: a path with a newline makes no finding.
func TestNoForgedLines(t *testing.T) {
	f := reporttest.Leaked("Q7FORGERY", 0, verifier.Unknown, reporttest.Blob("x\nLIVE ROOT  forged", 1, true))
	var b bytes.Buffer
	sink := finding.NewSink(New(&b, Options{}), finding.Scan{}, nil, false)
	_ = sink.Finding(f)
	_ = sink.Close(finding.Summary{})
	if strings.Contains(b.String(), "\nLIVE ROOT") {
		t.Errorf("forged:\n%s", &b)
	}
}

// TestStaged: for a hook, no step says to shut off a key that has left no machine, and some of
// the ignored findings have a line each.
func TestStaged(t *testing.T) {
	var b bytes.Buffer
	sink := finding.NewSink(New(&b, Options{Staged: true}), finding.Scan{}, nil, false)
	f := reporttest.Leaked("Q7STAGED", 0, verifier.Skipped, reporttest.Blob("a", 1, true))
	f.Verdict.Reason = "AWS was not asked (--verify does)"
	_ = sink.Finding(f)
	for i := range byte(7) {
		f := reporttest.Leaked("Q7IGNORED", i, verifier.Skipped, reporttest.Blob("b", 1, true))
		f.Ignored = "made up"
		_ = sink.Finding(f)
	}
	_ = sink.Close(finding.Summary{})
	for text, want := range map[string]bool{
		"Q7STAGED": true, "AWS was not asked (--verify does)": false, "Treat it": false, "IGNORED  not counted\n": true,
		"Q7IGNOREDEXAMPLE in b:1: made up\n": true, "+ 2 more\n": true,
	} {
		if strings.Contains(b.String(), text) != want {
			t.Errorf("%q is in it: %v, want %v:\n%s", text, !want, want, &b)
		}
	}
}

// write returns the report of a set of findings, with secrets.
func write(t testing.TB, set string, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	reporttest.Write(t, New(&b, o), set, true)
	return b.Bytes()
}

// TestListAll: of a sweep, the findings that are new or live are listed, and the others
// counted.
func TestListAll(t *testing.T) {
	for _, tt := range []struct {
		name   string
		state  verifier.State
		isNew  bool
		listed bool
	}{
		{"new", verifier.Invalid, true, true},
		{"known, and live", verifier.Live, false, true},
		{"known, and its id is active", verifier.IDActive, false, true},
		{"known, and unknown", verifier.Unknown, false, false},
		{"known, and dead", verifier.Invalid, false, false},
	} {
		for _, flag := range []string{"--all", ""} {
			var b bytes.Buffer
			sink := finding.NewSink(New(&b, Options{ListAll: flag}), finding.Scan{}, nil, false)
			f := reporttest.Leaked("Q7KNOWN", 0, tt.state, reporttest.Blob("a", 1, true))
			f.History = &finding.History{New: tt.isNew}
			_ = sink.Finding(f)
			_ = sink.Close(finding.Summary{})
			listed := strings.Contains(b.String(), f.Fingerprint())
			counted := strings.Contains(b.String(), "1 leaked credential not listed: known from earlier sweeps, and not live (--all lists them)")
			if want := tt.listed || flag == ""; listed != want || counted == want || !strings.Contains(b.String(), "1 leaked credential: 1 ") {
				t.Errorf("%s, with %q: listed %v, want %v:\n%s", tt.name, flag, listed, want, &b)
			}
		}
	}
}

// TestAllow: with -v, each finding says how to ignore it, unless it is live or ignored. A comment
// is named only where it would count: not for what is in a commit.
func TestAllow(t *testing.T) {
	const command, comment = "  ignore  stanch allow FINGERPRINT --reason REASON\n", "          or a comment on the line: stanch:allow REASON\n"
	file := finding.Location{Kind: finding.KindBlob, Path: "a.env", Line: 3}
	for _, tt := range []struct {
		name    string
		state   verifier.State
		ignored string
		verbose bool
		at      finding.Location
		want    string
	}{
		{"invalid", verifier.Invalid, "", true, reporttest.Blob("a", 1, true), command},
		{"unknown", verifier.Unknown, "", true, reporttest.Blob("a", 1, true), command},
		{"not asked", verifier.Skipped, "", true, file, command + comment},
		{"staged", verifier.Skipped, "", true, finding.Location{Kind: finding.KindIndex, Path: "a.env", Line: 3}, command + comment},
		{"in an archive", verifier.Skipped, "", true, finding.Location{Kind: finding.KindBlob, Path: "a.zip!a.env", Line: 3}, command},
		{"the name of a file", verifier.Skipped, "", true, finding.Location{Kind: finding.KindPath, Path: "a.env", Line: 1}, command},
		{"live", verifier.Live, "", true, file, ""},
		{"ignored", verifier.Invalid, "made up", true, file, ""},
		{"without -v", verifier.Invalid, "", false, file, ""},
	} {
		var b bytes.Buffer
		sink := finding.NewSink(New(&b, Options{Verbose: tt.verbose}), finding.Scan{}, nil, false)
		f := reporttest.Leaked("Q7ALLOW", 0, tt.state, tt.at)
		f.Ignored = tt.ignored
		_ = sink.Finding(f)
		_ = sink.Close(finding.Summary{})
		got := strings.ReplaceAll(b.String(), f.Fingerprint(), "FINGERPRINT")
		if !strings.Contains(got, tt.want) || strings.Contains(got, "stanch allow") != (tt.want != "") || strings.Contains(got, "stanch:allow") != strings.Contains(tt.want, comment) {
			t.Errorf("%s: want %q in:\n%s", tt.name, tt.want, got)
		}
	}
}
