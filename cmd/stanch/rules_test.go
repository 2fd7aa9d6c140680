package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors/catalog"
)

var update = flag.Bool("update", false, "write docs/rules and docs/commands.md")

const rulesDir = "../../docs/rules"

// TestRulePages keeps docs/rules in step with the rules.
func TestRulePages(t *testing.T) {
	want := map[string]string{}
	var table strings.Builder
	for _, r := range catalog.Rules() {
		want[r.ID+".md"] = "# " + r.Title + "\n\n`" + r.ID + "`\n\n" + r.Help + "\n"
		first, _, _ := strings.Cut(r.Help, "\n\n")
		table.WriteString("| [" + r.ID + "](rules/" + r.ID + ".md) | " + strings.ReplaceAll(first, "|", `\|`) + " |\n")
	}
	checkIndex(t, table.String())
	if *update {
		for name, page := range want {
			if err := os.WriteFile(filepath.Join(rulesDir, name), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]string{}
	files, err := filepath.Glob(rulesDir + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(name)] = string(page)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/rules is not what the rules say; go test ./cmd/stanch -run RulePages -update (-rules +docs):\n%s", diff)
	}
}

// checkIndex holds that docs/rules.md has the table between its marks.
func checkIndex(t *testing.T, table string) {
	t.Helper()
	const name, from, to = "../../docs/rules.md", "|---|---|\n", "\n## Grades"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no table of rules", name)
	}
	want := before + from + table + to + after
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the table of %s is not what the rules say; -update writes it:\n%s", name, diff)
	}
}

// TestRuleHelp: every rule says what, why, what to do and how it is verified, to readers who do not
// have the source.
func TestRuleHelp(t *testing.T) {
	for _, r := range catalog.Rules() {
		for _, part := range []string{"**Why it matters.** ", "**What to do.** ", "**How it is verified.** ", "**What matches.** "} {
			if !strings.Contains(r.Help, "\n\n"+part) {
				t.Errorf("%s does not say %s", r.ID, part)
			}
		}
		if strings.Contains(r.Help, ".go") { // readers of an alert have no source of stanch
			t.Errorf("%s points to a file of the source", r.ID)
		}
		if strings.HasPrefix(r.Help, "**") || r.Title == "" {
			t.Errorf("%s does not say what it is", r.ID)
		}
	}
}

func TestRulesCommand(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want []string // in the output
		err  string
	}{
		{[]string{"rules"}, []string{"aws-access-key             AWS access key\n", "aws-mws-token "}, ""},
		{[]string{"rules", "aws-ses-smtp-password"}, []string{"Amazon SES SMTP password (aws-ses-smtp-password)\n\n", "**What to do.**"}, ""},
		{[]string{"rules", "--format", "json"}, []string{`{"id":"aws-access-key","title":"AWS access key","help":"A long-term`}, ""},
		{[]string{"rules", "aws-mws-token", "-f", "json"}, []string{`{"id":"aws-mws-token"`}, ""},
		{[]string{"rules", "nothing"}, nil, `no rule "nothing" is built in: the built-in rules are aws-access-key,`},
		{[]string{"rules", "-f", "xml"}, nil, "--format xml: must be text or json"},
		{[]string{"rules", "a", "b"}, nil, "takes one argument, and these are 2"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), tt.args, nil, &out, &out)
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: no %q in\n%s", tt.args, want, out.String())
			}
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%v: error %v, want %q", tt.args, err, tt.err)
		}
	}
}
