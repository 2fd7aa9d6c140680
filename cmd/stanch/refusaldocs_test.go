package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestDocumentedRefusal: the pages show a refused commit as git prints it, README.md its end.
// It is short, and fits a terminal.
func TestDocumentedRefusal(t *testing.T) {
	dir := scannertest.Repo(t, detectorstest.Fill(`
stanch hook install >/dev/null; mkdir config
printf 'AWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n' >config/prod.env
git add config/prod.env
git commit -qm prod >../printed 2>&1 || true
echo edited >>config/prod.env; git rm -q --cached -f config/prod.env; echo x >x; git add x; git commit -qm x >../clean 2>&1
`))
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, "..", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if clean := read("clean"); clean != "" {
		t.Errorf("a clean commit says %q", clean)
	}
	took := regexp.MustCompile(` in \d+ ms`)
	printed := took.ReplaceAllString(strings.ReplaceAll(read("printed"), detectorstest.Fill("{AKIA1}"), "AKIA…"), " in 2 ms")
	lines := strings.SplitAfter(printed, "\n")
	for _, line := range lines {
		if len([]rune(line)) > 81 { // with its end
			t.Errorf("longer than a terminal is wide: %q", line)
		}
	}
	if n := len(lines) - 1; n > 12 {
		t.Errorf("%d lines for one finding", n)
	}
	if block := "```console\n$ git commit\n" + printed + "```\n"; !strings.Contains(readPage(t, "docs/hooks.md"), block) {
		t.Errorf("docs/hooks.md does not show:\n%s", block)
	}
	_, end, _ := strings.Cut(printed, "stanch: ")
	if block := "```\nstanch: " + end + "```\n"; !strings.Contains(readPage(t, "README.md"), block) {
		t.Errorf("README.md does not show:\n%s", block)
	}
}
