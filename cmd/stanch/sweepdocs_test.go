//go:build sweep

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/report"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scan"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/sweep"
)

// typedWord is a word of a command in the documentation: 'x y', "x y" or x.
var typedWord = regexp.MustCompile(`'[^']*'|"[^"]*"|[^\s'"]+`)

// commandLine is stanch with what it is given, in a shell, a unit of systemd, or a list
// of YAML.
var commandLine = regexp.MustCompile(`(?m)(?:^\s*(?:\$ |run: |\d+ (?:\* ){4})?|-- |ExecStart=/usr/local/bin/|/bin/)stanch ((?:sweep|github|report)\b[^|#<>\n]*)|(?:args: |Command: |- )\[(sweep, [^]]*)\]`)

// TestSweepDocs holds that what the documentation says to type is a command, with the
// flags that there are.
func TestSweepDocs(t *testing.T) {
	seen := map[string]int{}
	for _, pattern := range []string{"../../README.md", "../../docs/sweep.md", "../../docs/github.md", "../../docs/page.md", "../../docs/alerts.md", "../../docs/operations.md", "../../docs/triage.md", "../../docs/webhooks.md", "../../docs/scanning.md", "../../docs/reports.md", "../../docs/deploy/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			joined := strings.ReplaceAll(string(text), "\\\n", " ") // lines that go on
			for _, found := range commandLine.FindAllStringSubmatch(joined, -1) {
				line := found[1] + strings.ReplaceAll(found[2], ",", " ")
				seen[filepath.Base(file)]++
				checkCommand(t, file, line)
			}
		}
	}
	for _, file := range []string{"README.md", "sweep.md", "kubernetes.yaml", "kubernetes-cronjob.yaml", "ecs.yaml", "stanch-sweep.service", "github-matrix.yml"} {
		if seen[file] == 0 {
			t.Errorf("no command was found in %s", file)
		}
	}
}

func checkCommand(t *testing.T, file, line string) {
	t.Helper()
	var args []string
	for _, word := range typedWord.FindAllString(line, -1) {
		args = append(args, strings.Trim(word, `'"`))
	}
	var out bytes.Buffer
	s := &cli.Streams{Stdout: &out, Stderr: &out}
	root := cli.NewRoot(s, manual)
	root.AddCommand(sweep.New(s), scan.NewGitHub(s), report.NewReport(s))
	cmd, rest, err := root.Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err != nil {
		t.Errorf("%s: stanch %s: %v", file, line, err)
	}
}
