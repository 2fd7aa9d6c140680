package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/hook"
)

// hookManagers returns the hook managers in the folder that STANCH_HOOK_TOOLS names,
// which .ci/run fills; none without it. One that is missing there is a failure.
func hookManagers(t *testing.T) []hookManager {
	t.Helper()
	tools := os.Getenv("STANCH_HOOK_TOOLS")
	if tools == "" {
		return nil
	}
	source, rev := cloneOfThis(t)
	// pre-commit before 3.2 knows the stages by other names.
	old := preCommitConfig(source, rev, "commit, merge-commit, commit-msg", "push")
	now := preCommitConfig(source, rev, "pre-commit, pre-merge-commit, commit-msg", "pre-push")
	husky := map[string]string{}
	for stage, args := range map[string]string{hook.PreCommit: "", hook.PreMerge: "", hook.CommitMsg: ` --stage commit-msg "$1"`, hook.PrePush: ` --stage pre-push "$@"`} {
		husky[".husky/"+stage] = "stanch hook run" + args + "\n"
	}
	notUTF8 := map[string]string{"name that is not UTF-8": "it decodes names of files as UTF-8, and crashes"}
	noCommits := map[string]string{"push of a tag": "it runs no hook if a push brings no commits"}
	lintStaged := maps.Clone(husky)
	// stanch looks at what lint-staged leaves in the index.
	lintStaged[".husky/"+hook.PreCommit] = "lint-staged --quiet\n" + husky[".husky/"+hook.PreCommit]
	lintStaged[".lintstagedrc.json"] = `{"*": "true"}`
	oldGit := map[string]string{reftable: "it runs the git that lies beside node, an older one"}
	npm := filepath.Join(tools, "npm/node_modules/.bin")
	const allFiles = "stanch hook run --all-files"
	list := []hookManager{
		{name: "pre-commit 3.0.4", path: filepath.Join(tools, "pre-commit-3.0.4/bin"), env: []string{"PRE_COMMIT_HOME=" + t.TempDir()},
			files: old, install: "pre-commit install", allFiles: "pre-commit run --all-files", cannot: notUTF8, blind: noCommits},
		{name: "pre-commit", path: filepath.Join(tools, "pre-commit/bin"), env: []string{"PRE_COMMIT_HOME=" + t.TempDir()},
			files: now, install: "pre-commit install", allFiles: "pre-commit run --all-files", cannot: notUTF8, blind: noCommits},
		{name: "prek", path: filepath.Join(tools, "prek/bin"), env: []string{"PREK_HOME=" + t.TempDir()},
			files: now, install: "prek install", allFiles: "prek run --all-files", blind: noCommits},
		{name: "lefthook", path: npm, files: map[string]string{"lefthook.yml": lefthookConfig}, install: "lefthook install", allFiles: allFiles},
		{name: "husky", path: npm, files: husky, install: "husky", allFiles: allFiles},
		{name: "lint-staged", path: npm, files: lintStaged, install: "husky", allFiles: allFiles, cannot: oldGit},
		{name: "Overcommit", install: overcommit + "stanch hook install", allFiles: allFiles},
	}
	for _, m := range list {
		prepareManager(t, m)
	}
	return list
}

// cloneOfThis returns a repository that holds this checkout as it is, and its commit:
// pre-commit installs from commits.
func cloneOfThis(t *testing.T) (dir, rev string) {
	t.Helper()
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "stanch")
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", `mkdir "$2"; cd "$1"
git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - | tar -x -C "$2"
cd "$2"; git init -q -b main .; git add -A; git commit -qm stanch; git rev-parse HEAD`, "sh", top, dir)
	cmd.Env, cmd.Stderr = hookEnv(t), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cloning this checkout: %v", err)
	}
	return dir, strings.TrimSpace(string(out))
}

func preCommitConfig(source, rev, stages, push string) map[string]string {
	return map[string]string{".pre-commit-config.yaml": fmt.Sprintf(`default_install_hook_types: [pre-commit, pre-merge-commit, commit-msg, pre-push]
repos:
- repo: %s
  rev: %s
  hooks:
  - id: stanch
    stages: [%s]
  - id: stanch-push
    stages: [%s]
`, source, rev, stages, push)}
}

const lefthookConfig = `pre-commit:
  commands:
    stanch:
      run: stanch hook run
pre-merge-commit:
  commands:
    stanch:
      run: stanch hook run
commit-msg:
  commands:
    stanch:
      run: stanch hook run --stage commit-msg {1}
pre-push:
  commands:
    stanch:
      use_stdin: true
      run: stanch hook run --stage pre-push {1} {2}
`

// overcommit installs hooks of the form of Overcommit, which is a Ruby gem that CI cannot get:
// each is a link to one program, which looks at its own name, and it refuses to take the
// place of another hook.
const overcommit = `h=$(git rev-parse --git-path hooks); mkdir -p "$h"
cat >"$h/overcommit-hook" <<'END'
#!/bin/sh
case $(basename "$0") in pre-commit|commit-msg|pre-push|prepare-commit-msg) ;; *) echo "Unable to load '$(basename "$0")' hook context"; exit 69 ;; esac
[ "$(cd "$(dirname "$0")" && ls overcommit-hook)" = overcommit-hook ]
END
chmod +x "$h/overcommit-hook"
for s in pre-commit commit-msg pre-push prepare-commit-msg; do [ -e "$h/$s" ] || ln -s overcommit-hook "$h/$s"; done
`

// prepareManager holds that the manager is there, and has it build what it builds
// once.
func prepareManager(t *testing.T, m hookManager) {
	t.Helper()
	if m.path == "" { // a stand-in
		return
	}
	repo := t.TempDir()
	for name, text := range m.files {
		writeFile(t, filepath.Join(repo, name), text)
	}
	program, _, _ := strings.Cut(m.install, " ")
	script := program + " --version; git init -q .; git add -A; " + m.install
	if m.files[".pre-commit-config.yaml"] != "" {
		script += " --install-hooks"
	}
	start := time.Now()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir, cmd.Env = repo, append(append(hookEnv(t), m.environment()...), "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s is to be in STANCH_HOOK_TOOLS: %v\n%s", m.name, err, out)
	}
	t.Logf("%s: %s, first install %.1f s", m.name, strings.SplitN(string(out), "\n", 2)[0], time.Since(start).Seconds())
}
