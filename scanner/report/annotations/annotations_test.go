package annotations

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
	"github.com/stanch-dev/stanch/verifier"
)

// TestAnnotationLimit: no more are written of each level than GitHub shows; the worst
// is the first, and the last says how many there are.
func TestAnnotationLimit(t *testing.T) {
	for n, want := range map[int][2]int{1: {1, 0}, 20: {10, 10}, 21: {10, 10}, 22: {10, 10}, 500: {10, 10}} {
		var b strings.Builder
		reporttest.Many(t, New(&b, wording.Reading{}), n)
		if got := [2]int{strings.Count(b.String(), "::error "), strings.Count(b.String(), "::warning ")}; got != want {
			t.Errorf("%d findings: %v errors and warnings, want %v", n, got, want)
		}
		if first, _, _ := strings.Cut(b.String(), "\n"); !strings.Contains(first, fmt.Sprintf("LIVE KEY%d", n-1)) {
			t.Errorf("the first of %d is %s", n, first)
		}
		if over := n > 20; strings.Contains(b.String(), " annotations in all") != over {
			t.Errorf("%d findings: %s", n, b.String())
		}
	}
}

// TestFirstLines: a list of annotations shows the first line of each, which says whether the
// key is live and whose it is; the second says what to do, and leads from a live key to a plan.
func TestFirstLines(t *testing.T) {
	for line := range strings.Lines(string(write(t, "several", false))) {
		_, text, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::")
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "%0A")
		word, _, _ := strings.Cut(lines[0], " AKIA")
		if !strings.Contains(line, "title="+word+"%3A ") || !strings.Contains(lines[0], "; account 111122223333") || !strings.HasPrefix(lines[len(lines)-1], "Found in ") || len(lines) < 3 {
			t.Errorf("%q", lines)
		}
		if word == "LIVE" && (!strings.HasSuffix(lines[1], "now:") || !strings.HasPrefix(lines[2], "  stanch respond plan AKIA")) {
			t.Errorf("no plan: %q", lines)
		}
	}
}

// TestWorstAreShown: GitHub shows the first ten errors. They are live, whatever came before
// them in the scan.
func TestWorstAreShown(t *testing.T) {
	var b strings.Builder
	h := New(&b, wording.Reading{})
	_ = h.Scan(finding.Scan{})
	for i, state := range slices.Repeat([]verifier.State{verifier.Unknown, verifier.Skipped, verifier.Live}, 12) {
		f := reporttest.Reported("r", fmt.Sprint("KEY", i), "x", state)
		f.Match.Confidence = "high"
		_ = h.Finding(f)
	}
	_ = h.Summary(finding.Summary{Unread: []finding.Unread{{What: "a", Why: "b"}}})
	if n := strings.Count(b.String(), "::LIVE KEY"); n != maxAnnotations-1 || !strings.Contains(b.String(), "stanch%3A 28 more::37 annotations in all") {
		t.Errorf("%d live keys are shown:\n%s", n, &b)
	}
}

// TestAnnotationsAreOneLine: no text of strangers begins another command, or ends a
// property.
func TestAnnotationsAreOneLine(t *testing.T) {
	for line := range strings.Lines(string(write(t, "odd", false))) {
		head, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::")
		if !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") || strings.ContainsAny(line, "\x1b\r") {
			t.Errorf("%q", line)
		}
		for p := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(head, "error "), "warning "), ",") {
			if name, _, _ := strings.Cut(p, "="); !strings.Contains(" file line endLine col endColumn title ", " "+name+" ") {
				t.Errorf("property %q of %q", p, line)
			}
		}
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a%b": "::add-mask::a%25b\n", "a\nb\r\n\nc": "::add-mask::a\n::add-mask::b\n::add-mask::c\n",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
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
