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

// write returns the report of a set of findings, with secrets.
func write(t testing.TB, set string, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	reporttest.Write(t, New(&b, o), set, true)
	return b.Bytes()
}
