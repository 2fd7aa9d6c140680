package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// TestAdviceAndFacts holds that the tables of facts in docs/response.md name facts and steps
// that there are, and calls that a policy of "stanch respond policy" allows.
func TestAdviceAndFacts(t *testing.T) {
	_, text, _ := strings.Cut(readPage(t, "docs/response.md"), "\n## Assess\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var sources strings.Builder
	for _, dir := range []string{"assessment", "response"} {
		names, err := filepath.Glob("../../verifier/" + dir + "/*.go")
		if err != nil || len(names) == 0 {
			t.Fatalf("%q: %v", names, err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				sources.Write(source)
			}
		}
	}
	policies := assessment.Permissions() + permissions.Operator("aws", "x") + permissions.Responder("aws")
	name, call := regexp.MustCompile("`([a-z]+(?:-[a-z]+)*)`"), regexp.MustCompile("`([a-z]+:[A-Z]\\w+)`")
	rows, advice := 0, 0
	for line := range strings.Lines(text) {
		cells := strings.Split(line, " | ")
		if len(cells) < 3 || !strings.Contains(line, "`") {
			continue
		}
		rows++
		facts := cells[0]
		if !strings.HasPrefix(line, "| `") {
			advice++
			facts = cells[1]
			for _, m := range call.FindAllStringSubmatch(cells[2], -1) {
				if !strings.Contains(policies, `"`+m[1]+`"`) {
					t.Errorf("no policy allows %s", m[1])
				}
			}
		}
		found := name.FindAllStringSubmatch(facts, -1)
		if len(found) == 0 {
			t.Errorf("no fact in %q", line)
		}
		for _, m := range found {
			if !strings.Contains(sources.String(), `"`+m[1]+`"`) {
				t.Errorf("%s is no fact or step: %s", m[1], line)
			}
		}
	}
	if rows < 50 || advice < 20 {
		t.Errorf("%d rows, %d of them with advice", rows, advice)
	}
}
