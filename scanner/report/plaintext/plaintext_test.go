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
