package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/inventory"
)

// tool returns the path that a variable has, which .ci/run sets. Without it the test
// is skipped, except where CI is "true": there it fails.
func tool(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not set, and CI must have it: .ci/run installs it", variable)
	}
	if path == "" {
		t.Skipf("%s is not set: .ci/run installs what it names", variable)
	}
	return path
}

// gitHubSimulator starts @simulacrum/github-api-simulator, which holds requests against
// GitHub's own description of its API, and returns its URL.
func gitHubSimulator(t *testing.T) string {
	t.Helper()
	modules := tool(t, "STANCH_NODE_MODULES")
	scannertest.Need(t, "node")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e",
		`import { simulation } from "@simulacrum/github-api-simulator"; simulation().listen(`+port+`, "127.0.0.1")`)
	cmd.Dir = filepath.Dir(modules)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 300 {
		if r, err := http.Get("http://" + address + "/repos/ada/app"); err == nil {
			r.Body.Close()
			return "http://" + address
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the simulator of GitHub does not answer")
	return ""
}

// workflow uses the action as a user does, but for the binary.
const workflow = `on: [push, pull_request]
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./stanch-action
        id: stanch
        with:
          install: path
          bin: %s
          upload-sarif: "true"
          comment: "true"%s
      - if: always()
        env:
          OUTPUTS: ${{ toJSON(steps.stanch.outputs) }}
          SARIF: ${{ steps.stanch.outputs.sarif-file }}
        run: |
          echo $OUTPUTS
          echo "changed: $(git status --porcelain), SARIF of $(grep -c '"stanch"' "$SARIF" || true)"
`

// TestAction runs the action with act, on this machine: as push and as pull request,
// clean and leaking. All that it uploads goes to the simulator.
func TestAction(t *testing.T) {
	if testing.Short() {
		t.Skip("builds stanch")
	}
	act, api := tool(t, "ACT"), gitHubSimulator(t)
	bin := filepath.Join(t.TempDir(), "stanch")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// act names the real API, whatever the environment says.
	wrapper := bin + "-here"
	script := fmt.Sprintf("#!/bin/sh\nGITHUB_API_URL=%s exec %s \"$@\"\n", api, bin)
	if err := os.WriteFile(wrapper, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	secret := detectorstest.Fill("{secret1}")
	const leak = "id {AKIA1}\nsecret {secret1}"
	for _, tt := range []struct {
		name, event, file string
		with              string // inputs; {N} is a file that is about key N
		want              []string
	}{
		{"push_clean", "push", "nothing", "", []string{"changed: , SARIF of 1", `"exit-code": "0"`, `"findings": "0"`, `"scanned-commits": "1"`, "no leaked credentials found", "SARIF was not uploaded: nothing was found", "Job succeeded"}},
		{"push_leaking", "push", leak, "", []string{"changed: , SARIF of 1", `"exit-code": "1"`, `"findings": "1"`, "SARIF was uploaded", "Summary", "::error file=leak.env,line=1", "Job failed"}},
		{"pull_request_clean", "pull_request", "nothing", "", []string{`"exit-code": "0"`, "SARIF was uploaded", "Job succeeded"}},
		{"pull_request_leaking", "pull_request", leak, "", []string{`"exit-code": "1"`, `"findings": "1"`, "SARIF was uploaded", "::error file=leak.env,line=1", "Job failed"}},
		{"lists", "push", leak + strings.Repeat("\n", 30) + "id {AKIA2}\nsecret {secret2}", `
          baseline: |
            {baseline1}
            {baseline2}
          sarif-file: x.sarif`, []string{`"exit-code": "0"`, "2 ignored", "changed: ?? x.sarif, SARIF of 1", "Job succeeded"}},
		{"own_keys", "push", leak, `
          inventory: |
            {inventory2}
            {inventory1}
          fail-on: never`, []string{`"exit-code": "0"`, "alice1", "Job succeeded"}},
		{"nothing_is_asked", "push", leak, `
          fail-on: live`, []string{`"exit-code": "2"`, "::error title=stanch::", "add --verify (in the action: verify: true)", "Job failed"}},
		{"config", "push", leak, `
          config: {config1}`, []string{`"exit-code": "0"`, "1 ignored", "Job succeeded"}},
		{"confidence", "push", leak, `
          min-confidence: sure`, []string{`"exit-code": "2"`, "::error title=stanch::", "--min-confidence sure: must be one of", "Job failed"}},
		{"accounts", "push", leak, `
          accounts: 111122223333, 444455556666`, []string{`"exit-code": "2"`, "--accounts limits what AWS is asked about, and nothing is: add --verify", "Job failed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := scannertest.Repo(t, "commit first; git remote add origin https://github.com/ada/app\n-- .github/workflows/w.yml --\n"+fmt.Sprintf(workflow, wrapper, aboutKeys(t, bin, tt.with)))
			if err := os.CopyFS(filepath.Join(dir, "stanch-action", ".github"), os.DirFS("../../.github")); err != nil {
				t.Fatal(err)
			}
			copyFile(t, "../../action.yml", filepath.Join(dir, "stanch-action", "action.yml"))
			scannertest.Git(t, dir, "add", "-A")
			scannertest.Git(t, dir, "commit", "-qm", "use the action")
			base := scannertest.Git(t, dir, "rev-parse", "HEAD")
			if err := os.WriteFile(filepath.Join(dir, "leak.env"), []byte(detectorstest.Fill(tt.file)), 0o600); err != nil {
				t.Fatal(err)
			}
			scannertest.Git(t, dir, "add", "-A")
			scannertest.Git(t, dir, "commit", "-qm", "second")
			log := runAct(t, act, dir, tt.event, base, scannertest.Git(t, dir, "rev-parse", "HEAD"))
			for _, want := range tt.want {
				if !strings.Contains(log, want) {
					t.Errorf("no %q", want)
				}
			}
			if strings.Contains(log, secret) {
				t.Error("the log has the secret: it is not masked")
			}
			if clean := strings.HasSuffix(tt.name, "clean"); clean && (strings.Contains(log, "::notice") || strings.Contains(log, "::warning")) {
				t.Error("a clean run has annotations")
			}
			if t.Failed() {
				t.Log(strings.ReplaceAll(log, secret, "SECRET"))
			}
		})
	}
}

// aboutKeys replaces {baseline1}, {inventory1}, {config1} and so on in inputs by the names of
// files that are about this key.
func aboutKeys(t *testing.T, bin, inputs string) string {
	t.Helper()
	return regexp.MustCompile(`\{([a-z]+)(\d)\}`).ReplaceAllStringFunc(inputs, func(name string) string {
		kind, n := name[1:len(name)-2], name[len(name)-2:len(name)-1]
		file := filepath.Join(t.TempDir(), kind)
		id := detectorstest.Fill("{AKIA" + n + "}")
		switch kind {
		case "config":
			writeFile(t, file, "[[allow]]\npaths = [\"leak\"]\nreason = \"a test\"\n")
		case "inventory":
			var b bytes.Buffer
			w, err := inventory.NewWriter(&b, time.Now())
			if err == nil {
				err = w.Write(id, inventory.Key{Account: "111122223333", User: "alice" + n, Status: "Active"})
			}
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, file, b.String())
		case "baseline":
			cmd := exec.Command(bin, "stdin", "-f", "json", "-o", file, "--fail-on", "never")
			cmd.Stdin = strings.NewReader(detectorstest.Fill("id {AKIA" + n + "}\nsecret {secret" + n + "}\n"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		return file
	})
}

// TestActionInputs: the inputs and outputs of action.yml are those of docs/ci.md, every input
// is passed on, and each variable of the scan is that of a flag.
func TestActionInputs(t *testing.T) {
	action, page := readPage(t, "action.yml"), readPage(t, "docs/ci.md")
	names := func(text, from, to string, name *regexp.Regexp) (names []string) {
		_, text, _ = strings.Cut(text, from)
		text, _, _ = strings.Cut(text, to)
		for _, m := range name.FindAllStringSubmatch(text, -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		return names
	}
	key, code := regexp.MustCompile(`(?m)^  ([a-z-]+):$`), regexp.MustCompile("`([a-z-]+)`")
	rows := func(from string) string { // the first cells of a table
		_, table, _ := strings.Cut(page, from)
		table, _, _ = strings.Cut(table, "\n\n")
		var cells strings.Builder
		for line := range strings.Lines(table) {
			cell, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
			cells.WriteString(cell)
		}
		return cells.String()
	}
	inputs := names(action, "\ninputs:\n", "\noutputs:\n", key)
	if documented := names(rows("| Input | Default | Means |"), "", "\x00", code); len(inputs) == 0 || !slices.Equal(inputs, documented) {
		t.Errorf("action.yml has the inputs\n%q, docs/ci.md\n%q", inputs, documented)
	}
	outputs := names(action, "\noutputs:\n", "\nruns:\n", key)
	if documented := names(rows("| Output | Means |"), "", "\x00", code); len(outputs) == 0 || !slices.Equal(outputs, documented) {
		t.Errorf("action.yml has the outputs\n%q, docs/ci.md\n%q", outputs, documented)
	}
	for _, input := range inputs {
		if !strings.Contains(action, "inputs."+input+" ") {
			t.Errorf("action.yml passes the input %s to nothing", input)
		}
	}
	help := printed(t, cli.ExitClean, "", "ci", "--help")
	_, scan, _ := strings.Cut(action, "- name: Scan")
	for _, m := range regexp.MustCompile(`(?m)^ +STANCH_([A-Z_]+): `).FindAllStringSubmatch(scan, -1) {
		flag := "--" + strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))
		if notFlags := []string{"--bin", "--checkout", "--token"}; !slices.Contains(notFlags, flag) && !strings.Contains(help, flag+" ") {
			t.Errorf("action.yml sets STANCH_%s, and stanch ci has no %s", m[1], flag)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// runAct runs the workflows of dir and returns the log.
func runAct(t *testing.T, act, dir, event, base, head string) string {
	t.Helper()
	repo := map[string]any{"full_name": "ada/app", "name": "app", "default_branch": "main", "private": true, "owner": map[string]any{"login": "ada"}}
	side := func(id string) map[string]any { return map[string]any{"sha": id, "ref": "x", "repo": repo} }
	payload := map[string]any{
		"ref": "refs/heads/main", "before": base, "after": head, "repository": repo, "number": 2,
		"pull_request": map[string]any{"number": 2, "commits": 1, "head": side(head), "base": side(base)},
	}
	if event == "push" {
		delete(payload, "pull_request")
	}
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), act, event, "-P", "ubuntu-latest=-self-hosted", "-e", file,
		"--no-cache-server", "--pull=false", "-s", "GITHUB_TOKEN=ghs_faketoken123456", "--env", "CI=true", "--env", "RUNNER_OS=Linux")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended { //nolint:errorlint // not wrapped
		t.Fatal(err)
	}
	return string(out)
}

// TestCIPayloads reads the payloads that GitHub gives as examples: each has a range
// or is about everything or nothing, and none is refused.
func TestCIPayloads(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tool(t, "STANCH_NODE_MODULES"), "@octokit/webhooks-examples/api.github.com/index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(text, &events); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range events {
		for i, example := range e.Examples {
			file := filepath.Join(t.TempDir(), strconv.Itoa(i))
			if err := os.WriteFile(file, example, 0o600); err != nil {
				t.Fatal(err)
			}
			checkPayload(t, e.Name, file, got)
		}
	}
	for kind, least := range map[string]int{"push commits": 3, "push nothing": 4, "pull_request commits": 29, "merge_group commits": 2, "workflow_dispatch everything": 1} {
		if got[kind] < least {
			t.Errorf("%d payloads of %s, want %d", got[kind], kind, least)
		}
	}
}

func checkPayload(t *testing.T, name, file string, got map[string]int) {
	t.Helper()
	e, err := ci.GitHub(func(v string) string {
		return map[string]string{"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": file}[v]
	})
	got[name+" "+string(e.Kind)]++
	switch {
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case e.Kind == ci.Commits && (len(e.Head) != 40 || e.Head == e.Base):
		t.Errorf("%s: from %q to %q", name, e.Base, e.Head)
	case e.Kind == ci.Commits && strings.HasPrefix(name, "pull_request") && (e.PullRequest == 0 || e.Trusted != e.Base):
		t.Errorf("%s: %+v", name, e)
	}
}
