package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/settings"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages returns the names of the pages that users and contributors read.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"}
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatalf("pages below docs: %q, %v", docs, err)
	}
	for _, name := range docs {
		names = append(names, "docs/"+filepath.Base(name))
	}
	return names
}

// statedLimits are the limits that pages state, each with the declaration it repeats.
var statedLimits = []struct{ page, says, file, declares string }{
	{"docs/scanning.md", "nested eight deep", "scanner/archive/archive.go", `maxDepth += 8 `},
	{"docs/scanning.md", "than 64 MiB is searched in overlapping windows of 16 MiB", "scanner/windows.go", `LargeText += 64 << 20\s+WindowSize += 16 << 20`},
	{"docs/scanning.md", "`--max-size` (256 MiB)", "cmd/stanch/internal/scanflags/flags.go", `"max-size", 256, "`},
	{"docs/limitations.md", "Texts of up to 64 MiB are held in memory", "scanner/windows.go", `LargeText += 64 << 20`},
	{"ARCHITECTURE.md", "more than 64 MiB that is stored whole", "scanner/windows.go", `LargeText += 64 << 20`},
	{"docs/hooks.md", "more than 64 MiB, when edited", "scanner/windows.go", `LargeText += 64 << 20`},
	{"SECURITY.md", "64 KiB, ten seconds", "verifier/awsverifier/transport.go", `requestTimeout += 10 \* time.Second\s[^)]*maxBody += 64 << 10`},
	{"SECURITY.md", "given up after two minutes", "scanner/gitsource/transport/githttp.go", `defaultStall += 2 \* time.Minute`},
	{"docs/verification.md", "waits ten seconds and reads 64 KiB", "verifier/awsverifier/transport.go", `requestTimeout += 10 \* time.Second\s[^)]*maxBody += 64 << 10`},
	{"docs/triage.md", "413 more than 1 MiB", "scanner/sweep/api/change.go", `maxBody = 1 << 20`},
	{"docs/webhooks.md", "Above 25 MiB", "scanner/sweep/webhook/webhook.go", `maxBody += 25 << 20`},
	{"docs/webhooks.md", "more than four bodies above 1 MiB", "scanner/sweep/webhook/webhook.go", `maxSmall = 1 << 20\s+maxLarge = 4`},
	{"docs/sweep.md", "`--max-fetch` (20 GiB)", "cmd/stanch/internal/sweep/sweep.go", `"max-fetch", 20<<10, "`},
}

// TestStatedLimits holds that a limit that a page states is that of the code, and
// that no page states a size that this test does not know.
func TestStatedLimits(t *testing.T) {
	known := map[string]string{}
	for _, l := range statedLimits {
		if !strings.Contains(readPage(t, l.page), l.says) {
			t.Errorf("%s does not say %q: change the row, or delete it", l.page, l.says)
		}
		if !regexp.MustCompile(l.declares).MatchString(readPage(t, l.file)) {
			t.Errorf("%s says %q, but %s does not declare %s", l.page, l.says, l.file, l.declares)
		}
		known[l.page] += l.says + "\n"
	}
	size := regexp.MustCompile(`[\d.,]+ [KMG]iB`)
	for _, name := range pages(t) {
		for _, s := range size.FindAllString(readPage(t, name), -1) {
			if !strings.Contains(known[name], s) {
				t.Errorf("%s states %s: give it a row with the declaration it repeats, or leave it out", name, s)
			}
		}
	}
}

// TestDocumentedConfiguration holds that the samples of configuration load as they are.
func TestDocumentedConfiguration(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	block := regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")
	var samples []string
	for _, name := range pages(t) {
		for _, m := range block.FindAllStringSubmatch(readPage(t, name), -1) {
			samples = append(samples, m[1])
		}
	}
	if len(samples) == 0 {
		t.Error("no page has a sample")
	}
	for _, sample := range samples {
		if strings.HasPrefix(sample, "[respond]\n") {
			checkOwnSettings(t, sample)
			continue
		}
		t.Chdir(scannertest.Repo(t, "echo x >x; commit first"))
		if err := os.WriteFile(project.OwnConfig, []byte(sample), 0o600); err != nil {
			t.Fatal(err)
		}
		printed(t, cli.ExitClean, "", "git", ".", "--no-verify")
	}
}

// checkOwnSettings holds that stanch reads text as the operator's own file.
func checkOwnSettings(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	for _, variable := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} { // of any system
		t.Setenv(variable, dir)
	}
	name, err := settings.File()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := settings.Read(func(string) string { return "" })
	if err != nil || got.Role.Text == "" || got.ExternalID.Text == "" || len(got.Accounts) == 0 {
		t.Errorf("the sample of the operator's file is read as %+v, %v", got, err)
	}
}

var (
	fenced    = regexp.MustCompile("(?ms)^```.*?^```$")
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// TestLinks holds that links from page to page lead to a file and a heading.
func TestLinks(t *testing.T) {
	headings := func(page string) map[string]bool {
		slugs := map[string]bool{}
		for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(readPage(t, page), ""), -1) {
			slugs[strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
		}
		return slugs
	}
	names := append(pages(t), "CHANGELOG.md", "docs/deploy/README.md", "bench/README.md")
	results, err := filepath.Glob("../../bench/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range results {
		names = append(names, strings.TrimPrefix(filepath.ToSlash(name), "../../"))
	}
	for _, name := range names {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(readPage(t, name), ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") {
				continue // it leads elsewhere
			}
			to := name
			if target != "" {
				to = path.Join(path.Dir(name), target)
			}
			if _, err := os.Stat("../../" + to); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			} else if anchor != "" && !headings(to)[anchor] {
				t.Errorf("%s links to %s, and %s has no such heading", name, m[1], to)
			}
		}
	}
}

// TestPathsInDocuments holds that the files and folders that contributors and reviewers
// are sent to are there.
func TestPathsInDocuments(t *testing.T) {
	place := regexp.MustCompile("`((?:cmd|detectors|docs|scanner|verifier)(?:/[\\w./]+)?)`")
	for _, name := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"} {
		for _, m := range place.FindAllStringSubmatch(readPage(t, name), -1) {
			if _, err := os.Stat("../../" + m[1]); err != nil {
				t.Errorf("%s names %s: %v", name, m[1], err)
			}
		}
	}
}

// TestHowTo: ARCHITECTURE.md names the methods of a Handler, and the help names each format.
func TestHowTo(t *testing.T) {
	text := readPage(t, "ARCHITECTURE.md")
	_, handler, _ := strings.Cut(text, "implements `finding.Handler`: ")
	handler, _, _ = strings.Cut(handler, ". ")
	f, err := parser.ParseFile(token.NewFileSet(), "../../scanner/finding/scan.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var methods []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.TypeSpec); ok && s.Name.Name == "Handler" {
			for _, m := range s.Type.(*ast.InterfaceType).Methods.List {
				methods = append(methods, "`"+m.Names[0].Name+"`")
			}
		}
		return true
	})
	if want := strings.Join(methods, ", "); len(methods) == 0 || handler != want {
		t.Errorf("ARCHITECTURE.md says that a Handler has %s, and it has %s", handler, want)
	}
	for _, format := range report.Formats {
		if help := printed(t, cli.ExitClean, "", "report", "--help"); !strings.Contains(help, format) {
			t.Errorf("the help of --format does not name %s", format)
		}
	}
}

// TestGoroutines holds that ARCHITECTURE.md names the files that start a goroutine
// without an errgroup.
func TestGoroutines(t *testing.T) {
	_, text, _ := strings.Cut(readPage(t, "ARCHITECTURE.md"), "\n## Concurrency\n")
	text, _, _ = strings.Cut(text, "\n## ")
	n := 0
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(node ast.Node) bool {
			if _, ok := node.(*ast.GoStmt); ok {
				n++
				if !strings.Contains(text, "`"+filepath.Base(name)+"`") {
					t.Errorf("%s starts a goroutine without an errgroup, and ARCHITECTURE.md does not name it", name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d goroutines: %v", n, err)
	}
}
