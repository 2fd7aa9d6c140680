package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// documentedYAML returns the blocks of YAML of all pages, each by a name such as
// "README-1.yml". Those that workflow says are workflows for GitHub.
func documentedYAML(t *testing.T, workflow bool) map[string]string {
	t.Helper()
	blocks := map[string]string{}
	for _, page := range append(pages(t), "docs/deploy/README.md") {
		for i, m := range yamlBlock.FindAllStringSubmatch(readPage(t, page), -1) {
			if strings.Contains(m[1], "\njobs:\n") == workflow {
				blocks[fmt.Sprintf("%s-%d.yml", strings.ReplaceAll(strings.TrimSuffix(page, ".md"), "/", "-"), i+1)] = m[1]
			}
		}
	}
	if len(blocks) == 0 {
		t.Fatal("no page has a block of YAML")
	}
	return blocks
}

// TestWorkflowsAreSound: actionlint and zizmor find nothing in the action, in the workflows of
// this repository, and in those that pages tell users to copy.
func TestWorkflowsAreSound(t *testing.T) {
	actionlint, zizmor := tool(t, "ACTIONLINT"), tool(t, "ZIZMOR")
	dir := scannertest.Repo(t, "")
	folder := filepath.Join(dir, ".github", "workflows")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(own) == 0 {
		t.Fatalf("workflows of this repository: %q, %v", own, err)
	}
	for _, file := range append(own, "../../docs/deploy/github-matrix.yml") {
		copyFile(t, file, filepath.Join(folder, filepath.Base(file)))
	}
	copyFile(t, "../../action.yml", filepath.Join(dir, "action.yml"))
	for name, text := range documentedYAML(t, true) {
		writeFile(t, filepath.Join(folder, name), text)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	lint := exec.Command(actionlint, files...)
	lint.Dir = dir
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
	audit := exec.Command(zizmor, "--persona", "auditor", "--offline", "--no-progress", "--strict-collection", ".")
	audit.Dir = dir
	out, err := audit.CombinedOutput()
	if err != nil {
		t.Errorf("zizmor: %v\n%s", err, out)
	}
	for _, file := range append(files, "action.yml") {
		if !strings.Contains(string(out), "completed ./"+strings.TrimPrefix(file, dir+"/")) {
			t.Errorf("zizmor has not read %s\n%s", file, out)
		}
	}
}

// TestPinnedAction: everywhere the action is pinned to the same commit of this repository,
// beside the same version, and whoever releases is told to raise both.
func TestPinnedAction(t *testing.T) {
	scannertest.Need(t, "git")
	uses := regexp.MustCompile(`stanch-dev/stanch(?:/cmd/stanch)?@(\S+)(?: # (.*))?|[ {]version: ([^\s,}]+)`)
	text := readPage(t, "docs/deploy/github-matrix.yml")
	for _, block := range documentedYAML(t, true) {
		text += block
	}
	var commit, version string
	for _, m := range uses.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			commit = cmp.Or(commit, m[1])
		}
		version = cmp.Or(version, m[2], m[3])
		if m[1] != "" && m[1] != commit || m[2]+m[3] != version {
			t.Errorf("%s: elsewhere it is %s, %s", m[0], commit, version)
		}
	}
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(version) {
		t.Errorf("the action has the version %q", version)
	}
	if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(commit) {
		t.Fatalf("the action is pinned to %q, which is no commit", commit)
	}
	if out, err := exec.Command("git", "rev-parse", "--is-shallow-repository").Output(); err != nil || strings.TrimSpace(string(out)) != "false" {
		t.Log("this is no whole clone: whether it has the commit is not known")
	} else if out, err := exec.Command("git", "merge-base", "--is-ancestor", commit, "HEAD").CombinedOutput(); err != nil {
		t.Errorf("%s is no commit that led to this one: %v\n%s", commit, err, out)
	}
	if !strings.Contains(readPage(t, "CONTRIBUTING.md"), "`stanch-dev/stanch@`") {
		t.Error("CONTRIBUTING.md does not say that a release raises the id after stanch-dev/stanch@")
	}
}

// gitlabBlock returns the pipeline of docs/ci.md.
func gitlabBlock(t *testing.T) string {
	t.Helper()
	for _, block := range documentedYAML(t, false) {
		if strings.Contains(block, "CI_PIPELINE_SOURCE") {
			return block
		}
	}
	t.Fatal("no page has a pipeline for GitLab")
	return ""
}

// TestGitLabPipeline: the pipeline of docs/ci.md fits GitLab's schema, and each push and each
// merge request has one pipeline. gitlab-ci-local evaluates rules of jobs only, so the rules
// of the pipeline are given to a job.
func TestGitLabPipeline(t *testing.T) {
	program := tool(t, "GITLAB_CI_LOCAL")
	scannertest.Need(t, "node")
	block := gitlabBlock(t)
	rules, rest, found := strings.Cut(block, "\n\n")
	if !found || !strings.HasPrefix(rules, "workflow:") {
		t.Fatalf("the pipeline does not begin with its rules:\n%s", block)
	}
	_, rules, _ = strings.Cut(rules, "\n")
	dir := scannertest.Repo(t, "git remote add origin https://gitlab.com/ada/app.git; commit first\n-- .gitlab-ci.yml --\n"+block)
	probe := scannertest.Repo(t, "git remote add origin https://gitlab.com/ada/app.git; commit first\n-- .gitlab-ci.yml --\n"+
		rest+"\npipeline:\n  script: [\"true\"]\n"+rules+"\n")
	list := func(dir string, variables ...string) string {
		args := []string{"--list", fmt.Sprintf("--json-schema-validation=%v", dir != probe)}
		for _, v := range variables {
			args = append(args, "--variable", v)
		}
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if out := list(dir); !strings.Contains(out, "\nstanch ") || !strings.Contains(out, "json schema validated") {
		t.Errorf("the pipeline has no job:\n%s", out)
	}
	for _, tt := range []struct {
		name, source, branch, tag, open string
		runs                            bool
	}{
		{"merge request", "merge_request_event", "", "", "ada/app!1", true},
		{"push to its branch", "push", "x", "", "ada/app!1", false},
		{"push to another branch", "push", "x", "", "", true},
		{"tag", "push", "", "v1", "", true},
		{"schedule on its branch", "schedule", "x", "", "ada/app!1", true},
	} {
		out := list(probe, "CI_PIPELINE_SOURCE="+tt.source, "CI_COMMIT_BRANCH="+tt.branch, "CI_COMMIT_TAG="+tt.tag, "CI_OPEN_MERGE_REQUESTS="+tt.open)
		if runs := strings.Contains(out, "\npipeline "); runs != tt.runs {
			t.Errorf("%s: a pipeline runs: %v, want %v\n%s", tt.name, runs, tt.runs, out)
		}
	}
}

// TestGitLabScript runs the script of the pipeline of docs/ci.md with a release that is here:
// one with another checksum, or without any, is not run.
func TestGitLabScript(t *testing.T) {
	scannertest.Need(t, "sh", "tar", "sha256sum")
	script := regexp.MustCompile(`(?ms)^  script:\n(.*?)^  artifacts:`).FindStringSubmatch(gitlabBlock(t))
	if script == nil {
		t.Fatal("the pipeline has no script")
	}
	lines := regexp.MustCompile(`(?m)^    - `).ReplaceAllString(script[1], "")
	for sums, want := range map[string]string{
		"sha256sum *.gz >checksums.txt":                                           "ci --junit stanch.xml in project",
		": >checksums.txt":                                                        "",
		"sha256sum *.gz | tr '[0-9]' '[1-9]0' >checksums.txt":                     "",
		"sha256sum *.gz | sed 's/linux/other/' >checksums.txt":                    "",
		"sha256sum *.gz >checksums.txt; echo x >>stanch_0.1.0_linux_amd64.tar.gz": "",
	} {
		dir := t.TempDir()
		made := `mkdir bin release project
printf '#!/bin/sh\necho "$* in ${PWD##*/}"\n' >stanch; chmod +x stanch
tar -czf release/stanch_0.1.0_linux_amd64.tar.gz stanch
printf '#!/bin/sh\n' >bin/apk
printf '#!/bin/sh\nshift; for url; do cp "$HERE/release/${url##*/}" . || exit 1; done\n' >bin/wget
chmod +x bin/*; cd release; ` + sums
		for _, text := range []string{made, lines} {
			cmd := exec.Command("sh", "-euc", text)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HERE="+dir, "PATH="+dir+"/bin:"+os.Getenv("PATH"), "CI_PROJECT_DIR="+dir+"/project", "TMPDIR="+dir,
				"RELEASE=https://github.com/stanch-dev/stanch/releases/download/v0.1.0", "ARCHIVE=stanch_0.1.0_linux_amd64.tar.gz")
			out, err := cmd.CombinedOutput()
			if text == made && err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if ran := strings.Contains(string(out), "ci --junit"); text == lines && (ran != (want != "") || !strings.Contains(string(out), want) || (err == nil) != ran) {
				t.Errorf("%s: %v\n%s", sums, err, out)
			}
		}
	}
}
