package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// The entries of the hooks that other scanners ship in their .pre-commit-hooks.yaml.
// TruffleHog's says --results=verified; here what is not verified counts too, since
// nothing is sent.
var peerEntries = map[string]string{
	"gitleaks":    "gitleaks git --pre-commit --redact --staged --verbose",
	"betterleaks": "betterleaks git --pre-commit --redact --staged --verbose",
	"trufflehog":  "trufflehog git file://. --since-commit HEAD --no-verification --results=verified,unverified,unknown --fail --trust-local-git-config --no-update",
}

// TestHookPeers: docs/hooks.md is right about which commits the hooks of other scanners
// let through, and stanch lets none. Those are run that STANCH_HOOK_PEERS has, a folder;
// .ci/run has gitleaks there. It logs the table as it is to be in the docs.
func TestHookPeers(t *testing.T) {
	folder := os.Getenv("STANCH_HOOK_PEERS")
	if folder == "" {
		t.Skip("STANCH_HOOK_PEERS names no folder with other scanners")
	}
	scannertest.Need(t, "git", "sh")
	said := peerTable(t)
	names := []string{"stanch"}
	managers := []hookManager{nativeHooks}
	for _, name := range []string{"gitleaks", "betterleaks", "trufflehog"} {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			names = append(names, name)
			managers = append(managers, peerHook(path, strings.TrimPrefix(peerEntries[name], name)))
		}
	}
	if len(names) == 1 {
		t.Fatalf("no scanner in %s", folder)
	}
	table := []string{"| Commit | " + strings.Join(names, " | ") + " |", "|---" + strings.Repeat("|---", len(names)) + "|"}
	for _, row := range hookRows {
		if strings.Contains(row.act, "push") || row.name == "commit message" { // they ship no hook for these
			continue
		}
		cells := make([]string, len(names))
		t.Run(row.name, func(t *testing.T) {
			for i, m := range managers {
				cells[i] = peerCell(t, m, row.setup, row.act)
				if was := said[row.name][names[i]]; was != cells[i] {
					t.Errorf("of %s, docs/hooks.md says %q, and it is %q", names[i], was, cells[i])
				}
			}
			if cells[0] != "blocked" {
				t.Errorf("stanch: %s", cells[0])
			}
		})
		table = append(table, "| "+row.name+" | "+strings.Join(cells, " | ")+" |")
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

// peerHook is a scanner whose entry is what git runs before a commit.
func peerHook(path, args string) hookManager {
	entry := fmt.Sprintf("'%s'%s", path, args)
	return hookManager{
		install: `h=$(git rev-parse --git-path hooks); mkdir -p "$h"; for s in pre-commit pre-merge-commit; do printf '#!/bin/sh\nexec %s\n' "` +
			entry + `" >"$h/$s"; chmod +x "$h/$s"; done`,
		allFiles: entry,
	}
}

func peerCell(t *testing.T, m hookManager, setup, act string) string {
	t.Helper()
	if out, err := runHookRow(t, m, setup, act, "nothing of note\n"); err != nil {
		t.Logf("without a key: %v\n%s", err, out)
		return "blocked without a key"
	}
	if _, err := runHookRow(t, m, setup, act, detectorstest.Fill("key = {AKIA1} {secret1}\n")); err != nil {
		return "blocked"
	}
	return "**missed**"
}

// peerTable reads the table of docs/hooks.md: cells by commit and scanner.
func peerTable(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]map[string]string{}
	var head []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case cells[0] == "Commit":
			head = cells
		case head != nil && len(cells) == len(head):
			table[cells[0]] = map[string]string{}
			for i, name := range head[1:] {
				name, _, _ = strings.Cut(name, " ") // of its version
				table[cells[0]][name] = cells[i+1]
			}
		case head != nil:
			head = nil
		}
	}
	if !slices.ContainsFunc(hookRows, func(row hookRow) bool { return table[row.name] != nil }) {
		t.Log("docs/hooks.md has no table of commits")
	}
	return table
}
