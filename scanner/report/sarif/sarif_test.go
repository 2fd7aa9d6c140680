package sarif

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
	"github.com/stanch-dev/stanch/verifier"
)

func parseSARIF(t *testing.T, b []byte) run {
	t.Helper()
	var log log
	if err := json.Unmarshal(b, &log); err != nil {
		t.Fatal(err)
	}
	return log.Runs[0]
}

// TestSARIFForGitHub: GitHub asks for more than the schema. The real validator runs in CI over
// testdata; this says in which line of ours a rule is broken.
func TestSARIFForGitHub(t *testing.T) {
	for _, set := range []string{"several", "held", "odd"} {
		run := parseSARIF(t, write(t, set, false))
		for _, r := range run.Tool.Driver.Rules {
			if r.ShortDescription.Text == "" || r.FullDescription.Text == "" || r.Help.Text == "" {
				t.Errorf("%s: rule %s has no text", set, r.ID)
			}
		}
		for _, r := range run.Results {
			if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
				t.Errorf("%s: rule index %d is not %s", set, r.RuleIndex, r.RuleID)
			}
			if len(r.Locations) != 1 || !strings.HasSuffix(r.PartialFingerprints["primaryLocationLineHash"], ":1") {
				t.Errorf("%s: %v", set, r)
			}
			for _, l := range append(r.Locations, r.RelatedLocations...) {
				uri := l.PhysicalLocation.ArtifactLocation.URI
				u, err := url.Parse(uri)
				if err != nil {
					t.Fatalf("%s: %v", set, err)
				}
				if only := (url.URL{Path: u.Path, RawPath: u.RawPath}); *u != only {
					t.Errorf("%s: uri %q has more than a path", set, uri)
				}
				if strings.HasPrefix(uri, "/") {
					t.Errorf("%s: uri %q is absolute", set, uri)
				}
				if strings.Contains("/"+uri+"/", "/../") {
					t.Errorf("%s: uri %q leads out of the repository", set, uri)
				}
				if g := l.PhysicalLocation.Region; g.StartLine < 1 || g.StartColumn < 1 || g.EndColumn < g.StartColumn {
					t.Errorf("%s: region %v", set, g)
				}
			}
		}
	}
}

// TestSARIFHelpPages: only the rules that found something are there. The link of each rule leads to a page that exists: to that of the
// rule, or, of a rule of the user's own, to that about configuration.
func TestSARIFHelpPages(t *testing.T) {
	var b bytes.Buffer
	h := New(&b, Options{Rules: []*detectors.Rule{{ID: "aws-access-key", Help: "Its page."}, {ID: "found-nothing"}, {ID: "acme-token", Value: true}}})
	value := func(rule string) finding.Finding {
		f := reporttest.Reported(rule, "", "", "")
		f.Match.Rule.Value = true
		return f
	}
	_ = h.Scan(finding.Scan{})
	_ = h.Finding(reporttest.Reported("aws-access-key", "", "", verifier.Live))
	_ = h.Finding(value("acme-token"))
	_ = h.Finding(value("of-a-saved-report"))
	_ = h.Summary(finding.Summary{})
	var pages []string
	for _, r := range parseSARIF(t, b.Bytes()).Tool.Driver.Rules {
		page, ok := strings.CutPrefix(r.HelpURI, homePage+"/blob/main/")
		if _, err := os.Stat(filepath.Join("../../..", page)); !ok || err != nil {
			t.Errorf("%s: %s, %v", r.ID, r.HelpURI, err)
		}
		pages = append(pages, r.ID+" "+page)
		if (r.Help.Text == "Its page.") != (r.ID == "aws-access-key") {
			t.Errorf("the help of %s is %q", r.ID, r.Help.Text)
		}
	}
	want := []string{"aws-access-key docs/rules/aws-access-key.md", "acme-token docs/configuration.md", "of-a-saved-report docs/configuration.md"}
	if !slices.Equal(pages, want) {
		t.Errorf("%q, want %q", pages, want)
	}
}

func TestSARIFLimits(t *testing.T) {
	var b bytes.Buffer
	h := New(&b, Options{})
	_ = h.Scan(finding.Scan{})
	for range maxResults + 2 {
		_ = h.Finding(reporttest.Reported("r", "", "", verifier.Skipped))
	}
	worst := reporttest.Reported("worst", "", "", verifier.Live)
	worst.Locations = make([]finding.Location, 30)
	_ = h.Finding(worst)
	if err := h.Summary(finding.Summary{}); err != nil {
		t.Fatal(err)
	}
	run := parseSARIF(t, b.Bytes())
	if len(run.Results) != maxResults || run.Results[0].RuleID != "worst" || len(run.Results[0].RelatedLocations) != maxRelated {
		t.Errorf("%d results, the first of %s", len(run.Results), run.Results[0].RuleID)
	}
	if n := run.Invocations[0].Notifications; len(n) != 1 || !strings.Contains(n[0].Message.Text, "3 more findings") {
		t.Errorf("notifications %v", n)
	}
}

// TestSARIFIncomplete: GitHub refuses a file of an execution that failed, and closes the
// alerts that a file of the same category does not name. So a file that misses something
// is of a successful execution, and of a category that only files share that miss the same.
func TestSARIFIncomplete(t *testing.T) {
	one, two := finding.Unread{What: "a.zip", Why: "encrypted"}, finding.Unread{What: "b.gz", Why: "damaged"}
	write := func(category string, findings int, s finding.Summary) run {
		var b bytes.Buffer
		h := New(&b, Options{Category: category})
		_ = h.Scan(finding.Scan{})
		for range findings {
			_ = h.Finding(reporttest.Reported("r", "", "", ""))
		}
		if err := h.Summary(s); err != nil {
			t.Fatal(err)
		}
		return parseSARIF(t, b.Bytes())
	}
	first := write("", 0, finding.Summary{Unread: []finding.Unread{one, two}}).AutomationDetails.ID
	for _, tt := range []struct {
		name, category string
		findings       int
		summary        finding.Summary
		below          string // the category that it is in or, if it misses something, below
		same           bool   // as that of the first
		successful     bool
		notifications  int
	}{
		{"whole", "", 1, finding.Summary{}, "stanch/", false, true, 0},
		{"accepted", "", 1, finding.Summary{Accepted: []finding.Unread{one}}, "stanch/", false, true, 0},
		{"the_same_in_another_order", "", 0, finding.Summary{Unread: []finding.Unread{two, one}}, "stanch/incomplete/", true, true, 2},
		{"less", "", 0, finding.Summary{Unread: []finding.Unread{one}}, "stanch/incomplete/", false, true, 1},
		{"for_another_reason", "", 0, finding.Summary{Unread: []finding.Unread{one, {What: two.What, Why: "gone"}}}, "stanch/incomplete/", false, true, 2},
		{"more_than_notifications_name", "", 0, finding.Summary{Unread: slices.Repeat([]finding.Unread{one}, 300)}, "stanch/incomplete/", false, true, 101},
		{"push", "stanch/push/x/", 0, finding.Summary{Unread: []finding.Unread{one, two}}, "stanch/push/x/incomplete/", false, true, 2},
		{"too_many_findings", "", maxResults + 1, finding.Summary{}, "stanch/incomplete/", false, true, 1},
		{"stopped", "", 0, finding.Summary{Stopped: true, Unread: []finding.Unread{{What: "the rest", Why: "cancelled"}}}, "stanch/incomplete/", false, false, 1},
	} {
		run := write(tt.category, tt.findings, tt.summary)
		id, inv := run.AutomationDetails.ID, run.Invocations[0]
		if rest, ok := strings.CutPrefix(id, tt.below); !ok || (rest != "") != strings.HasSuffix(tt.below, "/incomplete/") || !strings.HasSuffix(id, "/") || (id == first) != tt.same {
			t.Errorf("%s: the category is %s, the first %s", tt.name, id, first)
		}
		if inv.ExecutionSuccessful != tt.successful || len(inv.Notifications) != tt.notifications {
			t.Errorf("%s: successful is %v, %d notifications", tt.name, inv.ExecutionSuccessful, len(inv.Notifications))
		}
	}
}

func TestSARIFVersion(t *testing.T) {
	for v, want := range map[string]string{"0.1.0": "0.1.0", "v1.2.3-rc.1": "1.2.3-rc.1", "(devel)": "", "": ""} {
		if got := (&handler{Collector: wording.Collector{Header: finding.Scan{Version: v}}}).driver().SemanticVersion; got != want {
			t.Errorf("%q: %q, want %q", v, got, want)
		}
	}
}

// TestSARIFLineHash: a place at HEAD has the hash of its line, others our own.
func TestSARIFLineHash(t *testing.T) {
	var b bytes.Buffer
	h := New(&b, Options{Category: "stanch/push/x", LineHash: func(path string, line int) string {
		if path == "gone" {
			return ""
		}
		return fmt.Sprintf("%s%d:1", path, line)
	}})
	for _, l := range []finding.Location{{Kind: finding.KindBlob, Path: "a", Line: 2, AtHead: true}, {Kind: finding.KindBlob, Path: "a", Line: 2}, {Kind: finding.KindBlob, Path: "gone", Line: 2, AtHead: true}, {Kind: finding.KindCommit, Line: 2, AtHead: true}} {
		f := reporttest.Reported("r", "", "", "")
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

// TestSARIFWhere: a message ends with the fate of the line, if there is any: an alert cannot say
// that its line is gone.
func TestSARIFWhere(t *testing.T) {
	gone := reporttest.Blob("old.env", 3, false)
	gone.Refs = []string{"refs/heads/main"}
	for _, tt := range []struct {
		name   string
		at     finding.Location
		ends   string
		atHead string
	}{
		{"history", gone, "Where: old.env:3 (secret on line 4)  commit c0c0c0c0c0, Jane Doe, 2025-03-17, only in history, on main.", "false"},
		{"head", reporttest.Blob("new.env", 3, true), "commit c0c0c0c0c0, Jane Doe, 2025-03-17, still at HEAD.", "true"},
		{"a link in a name", finding.Location{Kind: finding.KindBlob, Path: "a", Commit: "c", Author: "[x](y)"}, `Where: a  commit c, \[x\](y), only in history.`, "false"},
		{"no git", finding.Location{Kind: finding.KindBlob, Path: "a", Line: 1}, "as live: rotate it, or scan again when AWS can be asked about it.", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			h := New(&b, Options{})
			f := reporttest.Reported("r", "", "x", verifier.Unknown)
			f.Locations = []finding.Location{tt.at}
			_ = h.Scan(finding.Scan{Source: "git"})
			_ = h.Finding(f)
			_ = h.Summary(finding.Summary{})
			r := parseSARIF(t, b.Bytes()).Results[0]
			atHead := ""
			if p := r.Locations[0].Properties; p != nil {
				atHead = fmt.Sprint(*p.AtHead)
				if p.Commit != tt.at.Commit {
					t.Errorf("commit %q", p.Commit)
				}
			}
			if !strings.HasSuffix(r.Message.Text, tt.ends) || atHead != tt.atHead {
				t.Errorf("atHead %q, %s", atHead, r.Message.Text)
			}
		})
	}
}

// write returns the report of a set of findings.
func write(t testing.TB, set string, showSecrets bool) []byte {
	t.Helper()
	var b bytes.Buffer
	reporttest.Write(t, New(&b, Options{Rules: reporttest.Rules}), set, showSecrets)
	return b.Bytes()
}
