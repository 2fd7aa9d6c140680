package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// many reports n findings, the live one last, and two unread things.
func many(t *testing.T, h finding.Handler, n int) {
	t.Helper()
	errs := []error{h.Scan(finding.Scan{})}
	for i := range n {
		f := reported("r", fmt.Sprint("KEY", i), "x", verifier.Skipped)
		f.Match.Rule.Title, f.Match.Confidence = "AWS access key", detectors.High
		f.Locations = []finding.Location{{Kind: scanner.KindBlob, Path: "dir/file.txt", Line: 1, Column: 1, EndColumn: 2}}
		if i%2 == 0 {
			f.Match.Confidence = detectors.Medium
		}
		if i == n-1 {
			f.Verdict.State = verifier.Live
		}
		errs = append(errs, h.Finding(f))
	}
	if err := errors.Join(append(errs, h.Summary(finding.Summary{Findings: n}))...); err != nil {
		t.Fatal(err)
	}
}

// TestAnnotationLimit: of each level no more are written than GitHub shows; the worst
// is the first, and the last says how many there are.
func TestAnnotationLimit(t *testing.T) {
	for n, want := range map[int][2]int{1: {1, 0}, 20: {10, 10}, 21: {10, 10}, 22: {10, 10}, 500: {10, 10}} {
		var b strings.Builder
		many(t, Annotations(&b), n)
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

// TestMarkdownLimit: the summary stays below what GitHub drops as a whole.
func TestMarkdownLimit(t *testing.T) {
	var b strings.Builder
	many(t, Markdown(&b), 20_000)
	if b.Len() > 1<<20 || b.Len() < maxMarkdown/2 {
		t.Errorf("%d bytes", b.Len())
	}
	if !strings.Contains(b.String(), "more findings** not listed here") || !strings.Contains(b.String()[:1000], "LIVE") {
		t.Errorf("it begins with %s and ends with %s", b.String()[:500], b.String()[b.Len()-200:])
	}
}

// TestAnnotationsAreOneLine: no text of strangers begins another command, or ends a
// property.
func TestAnnotationsAreOneLine(t *testing.T) {
	for line := range strings.Lines(string(write(t, "github", "odd", Options{}, false))) {
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

func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, 1": "plain text, 1",
		"@ada #1":       "&#64;ada &#35;1",
		"[x](y)|`<b>`":  "&#91;x&#93;&#40;y&#41;&#124;&#96;&#60;b&#62;&#96;",
		"https://a.b":   "https&#58;&#47;&#47;a&#46;b",
		"a\nb":          "&#34;a&#92;nb&#34;",
	} {
		if got := inert(in); got != want {
			t.Errorf("inert(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestJUnitParses: it is XML, whatever stands in paths and reasons, and counts right.
func TestJUnitParses(t *testing.T) {
	for _, set := range []string{"several", "odd", "none", "unread"} {
		var suite junitSuite
		if err := xml.Unmarshal(write(t, "junit", set, Options{}, false), &suite); err != nil {
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
		if len(suite.Cases) == 0 || suite.Tests != len(suite.Cases) || suite.Failures != failures || suite.Errors != faults || faults != len(sums[set].Unread) {
			t.Errorf("%s: %d tests, %d failures, %d errors", set, suite.Tests, suite.Failures, suite.Errors)
		}
	}
}

// TestAnonymous: no format names who owns a credential, and none loses its id.
func TestAnonymous(t *testing.T) {
	for _, format := range Formats {
		var b bytes.Buffer
		h, err := New(format, &b, Options{Verbose: true})
		if err != nil {
			t.Fatal(err)
		}
		sink := finding.NewSink(sweeping{Anonymous(h)}, finding.Scan{Source: "git"}, nil, false)
		for _, f := range several() {
			f.Verdict.Reason = "not of account 111122223333"
			if err := sink.Finding(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := sink.Close(sums["several"]); err != nil {
			t.Fatal(err)
		}
		for _, owner := range []string{"111122223333", "deploy ", "AIDA" + "USERIDEXAMPLE", "Administrator", "arn:", "ops@example.com", "planned"} {
			if strings.Contains(b.String(), owner) {
				t.Errorf("%s names %q:\n%s", format, owner, b.String())
			}
		}
		if !strings.Contains(b.String(), keyID("Q7GLPMN5Z")) {
			t.Errorf("%s has lost an id", format)
		}
	}
}

// TestAll: each handler gets all, and each error counts.
func TestAll(t *testing.T) {
	var text, json bytes.Buffer
	sink := finding.NewSink(All(Text(&text, Options{}), Text(full{}, Options{}), finding.JSON(&json)), finding.Scan{}, nil, false)
	for _, f := range several() {
		_ = sink.Finding(f)
	}
	if err := sink.Close(sums["several"]); err == nil || text.Len() == 0 || !bytes.Contains(json.Bytes(), []byte(`"summary"`)) {
		t.Errorf("error %v, %d and %d bytes", err, text.Len(), json.Len())
	}
}

// TestSARIFLineHash: what is at HEAD has the hash of its line, the rest our own.
func TestSARIFLineHash(t *testing.T) {
	var b bytes.Buffer
	h := SARIF(&b, Options{Category: "stanch/push/x", LineHash: func(path string, line int) string {
		if path == "gone" {
			return ""
		}
		return fmt.Sprintf("%s%d:1", path, line)
	}})
	for _, l := range []finding.Location{{Kind: scanner.KindBlob, Path: "a", Line: 2, AtHead: true}, {Kind: scanner.KindBlob, Path: "a", Line: 2}, {Kind: scanner.KindBlob, Path: "gone", Line: 2, AtHead: true}, {Kind: scanner.KindCommit, Line: 2, AtHead: true}} {
		f := reported("r", "", "", "")
		f.Digest.Fingerprint, f.Locations = "f", []finding.Location{l}
		_ = h.Finding(f)
	}
	if err := h.Summary(finding.Summary{}); err != nil {
		t.Fatal(err)
	}
	run := parseSARIF(t, b.Bytes())
	var got []string
	for _, r := range run.Results {
		got = append(got, r.PartialFingerprints["primaryLocationLineHash"])
	}
	if fmt.Sprint(got) != "[a2:1 f:1 f:1 f:1]" || run.AutomationDetails.ID != "stanch/push/x" {
		t.Errorf("%v in %s", got, run.AutomationDetails.ID)
	}
}
