package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestEveryCommandKnowsEveryRule holds that a rule of the catalog is searched for by
// every command that searches, and documented by every one that documents.
// TestRulePages holds docs/rules.
func TestEveryCommandKnowsEveryRule(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	now := time.Now()
	for _, r := range catalog.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			sample := detectorstest.Sample(r.ID, now)
			if sample == "" {
				t.Fatalf("%s has no sample: give it one in detectors/detectorstest/samples.go", r.ID)
			}
			inSampleProject(t, sample)
			for _, args := range [][]string{
				{"git", ".", "--no-verify", "-f", "json"},
				{"dir", ".", "-f", "json"},
				{"stdin", "-f", "json"},
				{"ci", "--base", "HEAD~", "--head", "HEAD", "-f", "json"},
			} {
				if found := rulesFound(printed(t, cli.ExitLeaks, sample, args...)); !slices.Contains(found, r.ID) {
					t.Errorf("%v finds %q, not %s", args, found, r.ID)
				}
			}
			for _, tt := range []struct {
				want string
				code int
				args []string
			}{
				{r.Title, cli.ExitLeaks, []string{"hook", "run", "--stage", "pre-commit"}},
				{`"id": "` + r.ID + `"`, cli.ExitLeaks, []string{"git", ".", "--no-verify", "-f", "sarif"}},
				{r.Title + " (" + r.ID + ")", cli.ExitClean, []string{"rules", r.ID}},
				{`"id":"` + r.ID + `"`, cli.ExitClean, []string{"rules", "-f", "json"}},
				{`rules = ["` + r.ID + `"]`, cli.ExitClean, []string{"migrate", "old/" + project.GitleaksIgnore}},
			} {
				if out := printed(t, tt.code, sample, tt.args...); !strings.Contains(out, tt.want) {
					t.Errorf("%v does not say %q:\n%s", tt.args, tt.want, out)
				}
			}
			printed(t, cli.ExitLeaks, sample, "ci", "--base", "HEAD~", "--head", "HEAD", "--sarif", "ci.sarif")
			if log, err := os.ReadFile("ci.sarif"); err != nil || !strings.Contains(string(log), `"id": "`+r.ID+`"`) {
				t.Errorf("the SARIF log of ci does not document %s: %v", r.ID, err)
			}
		})
	}
}

// TestRulesOfUsersInCI holds that the SARIF log of "stanch ci" documents a rule of the user
// that found something, as that of "stanch git" does.
func TestRulesOfUsersInCI(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	t.Chdir(scannertest.Repo(t, "echo x >x; commit first; echo acme_0123456789abcdef >y; commit second"))
	rule := "[[rules]]\nid = \"acme-token\"\nregex = '''acme_[0-9a-f]{16}'''\n"
	if err := os.WriteFile(project.OwnConfig, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	printed(t, cli.ExitLeaks, "", "ci", "--base", "HEAD~", "--head", "HEAD", "--sarif", "ci.sarif")
	if log, err := os.ReadFile("ci.sarif"); err != nil || !strings.Contains(string(log), `"id": "acme-token"`) {
		t.Errorf("the SARIF log of ci does not document acme-token: %v", err)
	}
}

// inSampleProject makes a repository the current folder. The sample is in its last
// commit, is staged under a second name, and is listed in old/.gitleaksignore.
func inSampleProject(t *testing.T, sample string) {
	t.Helper()
	var list strings.Builder
	for i := range strings.Count(sample, "\n") {
		fmt.Fprintf(&list, "sample.txt:aws-access-token:%d\n", i+1)
	}
	t.Chdir(scannertest.Repo(t, "clean() { echo nothing; }; clean >x; commit first\ncat >sample.txt <<'EOF'\n"+sample+"EOF\ncommit sample\n"+
		"cp sample.txt staged.txt; git add staged.txt; mkdir old; cat >old/"+project.GitleaksIgnore+" <<'EOF'\n"+list.String()+"EOF\n"))
}

// printed returns what stanch writes to standard output, and holds that it exits with code.
func printed(t *testing.T, code int, stdin string, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	if got := cli.ExitCode(&log, run(t.Context(), args, strings.NewReader(stdin), &out, &log)); got != code {
		t.Errorf("%v exits with %d, not %d:\n%s%s", args, got, code, out.String(), log.String())
	}
	return out.String()
}

// rulesFound returns the rules of the findings in a JSON report that are not ignored.
func rulesFound(report string) (found []string) {
	for line := range strings.Lines(report) {
		var f struct{ Type, Rule, Ignored string }
		if json.Unmarshal([]byte(line), &f) == nil && f.Type == "finding" && f.Ignored == "" {
			found = append(found, f.Rule)
		}
	}
	return found
}

// TestOneListOfDetectors holds that no command has a list of its own: only the catalog
// names a detector that is built in. The detector of detectors/rules is not: its rules
// are the user's.
func TestOneListOfDetectors(t *testing.T) {
	named := 0
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Detector" && isBuiltIn(f, s.X) {
				named++
				if dir := path.Dir(filepath.ToSlash(name)); dir != "../../detectors/catalog" {
					t.Errorf("%s names a detector of its own: take those of detectors/catalog", name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || named == 0 {
		t.Fatalf("%d detectors named: %v", named, err)
	}
}

// isBuiltIn reports whether x is the name of a package of detectors.
func isBuiltIn(f *ast.File, x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name != "rules" && slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool {
		return i.Path.Value == `"`+module+"detectors/"+id.Name+`"`
	})
}
