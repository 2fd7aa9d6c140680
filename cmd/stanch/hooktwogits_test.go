package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// twoGits is the beginning of scripts with two gits, one that reads hooks from its
// configuration and one that does not. counted is a stanch that notes its runs as a hook:
// stages COMMAND prints those of a commit or push. The test binary is stanch only under that
// name.
const twoGits = `
mkdir -p counted/real home; HOME=$PWD/home; export HOME
cp "$(command -v stanch)" counted/real/stanch; cp counted/real/stanch counted/stanch; counted=$PWD/counted/stanch
old() { PATH="$OLD:$PATH" "$@"; }; new() { PATH="$NEW:$PATH" "$@"; }
count() {
	mv "$counted" "$counted.binary"
	printf '#!/bin/sh\n[ "$2" = run ] && echo "$4" >>"%s"\nexec "%s" "$@"\n' "$HOME/ran" "$PWD/../counted/real/stanch" >"$counted"; chmod +x "$counted"
}
uncount() { [ ! -e "$counted.binary" ] || mv "$counted.binary" "$counted"; }
stages() { rm -f "$HOME/ran"; count; "$@" >"$HOME/out" 2>&1 || { echo "exit $?"; cat "$HOME/out"; }; uncount; [ ! -e "$HOME/ran" ] || tr '\n' ' ' <"$HOME/ran"; }
commit() { git commit -q --allow-empty -m x; }
is() { [ "$2" = "$3" ] || { echo "$1: \"$2\" and not \"$3\""; failed=1; }; }
both() { is "$1, old git" "$(stages old commit)" "$2"; is "$1, new git" "$(stages new commit)" "$3"; }
mkdir repo; cd repo; git init -q -b main .; failed=
`

// TestTwoGits: on a machine with two gits, stanch runs once in each, however it was
// installed: GitGuardian/ggshield#1527, desktop/desktop#21319.
func TestTwoGits(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	newest := newestGit(t)
	if newest == "" {
		t.Skip("STANCH_GIT_NEWEST names no git 2.54 or later")
	}
	system, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(gitVersion(t, hookManager{}), "2.3") {
		t.Skip("the git of the system is not an old one")
	}
	const once = `"pre-commit commit-msg "`
	tests := []struct{ name, script string }{
		{"new", `new "$counted" hook install >/dev/null; both "" ` + once + " " + once},
		{"old_then_new", `old "$counted" hook install >/dev/null; new "$counted" hook install >/dev/null; both "" ` + once + " " + once},
		{"new_then_old", `new "$counted" hook install >/dev/null; old "$counted" hook install >/dev/null; both "" ` + once + " " + once},
		{"again_and_again", `for i in 1 2 3; do new "$counted" hook install >/dev/null; new git config --local --add hook.stanch-pre-commit.event pre-commit; done; both "" ` + once + " " + once},
		{"global", `new "$counted" hook install --global >/dev/null; both "" "" ` + once + `
old "$counted" hook status >out 2>&1 && echo "status of the old git says guarded"; grep -q 'run "stanch hook install" with it as well' out || cat out`},
		{"global_and_local", `new "$counted" hook install --global >/dev/null; new "$counted" hook install >/dev/null; both "" ` + once + " " + once},
		{"global_and_old", `new "$counted" hook install --global >/dev/null; old "$counted" hook install >/dev/null; both "" ` + once + " " + once},
		{"switched_off", `new "$counted" hook install --global >/dev/null; new "$counted" hook install >/dev/null
git config hook.stanch-pre-commit.enabled false; both "" ` + once + ` "commit-msg "
new "$counted" hook status >out 2>&1 && echo "status says guarded"; grep -q 'switched off' out || cat out`},
		{"event_switched_off", `new "$counted" hook install >/dev/null
git config hook.pre-commit.enabled false; both "" ` + once + ` "commit-msg "`},
		{"event_taken_back", `new "$counted" hook install >/dev/null; git config --add hook.stanch-pre-commit.event ""; both "" ` + once + " " + once},
		{"hook_from_before", `printf '#!/bin/sh\necho before >>"$HOME/ran"\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
new "$counted" hook install >/dev/null; both "" "before pre-commit commit-msg " "pre-commit before commit-msg "`},
		// It may stage more, after git's configuration has run stanch.
		{"hook_from_before_stages_key", `printf '#!/bin/sh\ncp ../key generated; git add generated\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
new "$counted" hook install >/dev/null; printf %s "$KEY" >../key; for git in old new; do git rm -q --cached --ignore-unmatch generated; $git git commit -q --allow-empty -m x >../out 2>&1 && echo "$git: a key is committed"; done
git rev-parse -q --verify HEAD`},
		{"hook_from_before_pushes", `printf '#!/bin/sh\necho before >>"$HOME/ran"\n' >.git/hooks/pre-push; chmod +x .git/hooks/pre-push; git init -q --bare ../remote
new "$counted" hook install >/dev/null; git commit -qn --allow-empty -m x; is new "$(stages new git push -q ../remote main:other)" "pre-push before "`},
		// The old git has inherited the GIT_EXEC_PATH of the new one.
		{"old_in_new", `new "$counted" hook install >/dev/null; is "" "$(stages new git -c alias.x="!$OLD/git commit -q --allow-empty -m x" x)" ` + once},
		// A program that is no git, such as JGit, runs the file, and knows nothing of a
		// configuration of hooks that the git on PATH would read.
		{"no_git_runs_it", `new "$counted" hook install >/dev/null; is "" "$(stages new env -u GIT_EXEC_PATH .git/hooks/pre-commit)" "pre-commit "`},
		{"push", `git init -q --bare ../remote; new "$counted" hook install >/dev/null; git commit -qn --allow-empty -m x
is old "$(stages old git push -q ../remote main)" "pre-push "; is new "$(stages new git push -q ../remote main:other)" "pre-push "`},
		{"server", `git init -q --bare ../remote; (cd ../remote; new "$counted" hook install --stage pre-receive >/dev/null); git commit -qn --allow-empty -m x
is old "$(stages old git push -q ../remote main)" "pre-receive "; is new "$(stages new git push -q ../remote main:other)" "pre-receive "`},
		{"uninstalled", `new "$counted" hook install >/dev/null; new "$counted" hook uninstall >/dev/null; both "" "" ""; [ -z "$(ls .git/hooks | grep -v sample)" ] || ls .git/hooks`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "sh", "-c", twoGits+tt.script+"\n[ -z \"$failed\" ]")
			cmd.Dir, cmd.Env = t.TempDir(), append(hookEnv(t), "OLD="+filepath.Dir(system), "NEW="+newest, "KEY="+detectorstest.Fill("key = {AKIA1} {secret1}\n"))
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestInstallersBeside: programs that install hooks of their own do so after "stanch hook
// install" as before, both run, and status is right: aovestdipaperino/tokensave#506,
// git-lfs/git-lfs#3706, pre-commit/pre-commit#2994, j178/prek#2426. Those that refuse to install
// beside another hook do so if stanch is installed after them.
func TestInstallersBeside(t *testing.T) {
	tools := os.Getenv("STANCH_HOOK_TOOLS")
	if tools == "" {
		t.Skip("STANCH_HOOK_TOOLS names no hook managers")
	}
	scannertest.Need(t, "git", "sh")
	newest := newestGit(t)
	// Each says on standard error that it ran.
	preCommit := "cat >.pre-commit-config.yaml <<'END'\nrepos: [{repo: local, hooks: [{id: it, name: it ran, language: system, entry: 'true', always_run: true, verbose: true}]}]\nEND\n"
	installers := []struct{ name, path, script, ran string }{
		{"git-lfs", "", "echo '*.bin filter=lfs diff=lfs merge=lfs -text' >.gitattributes; git lfs install --local", ""},
		{"pre-commit", "pre-commit/bin", preCommit + "pre-commit install", "it ran"},
		{"pre-commit-3.0.4", "pre-commit-3.0.4/bin", preCommit + "pre-commit install", "it ran"},
		{"prek", "prek/bin", preCommit + "prek install", "it ran"},
		{"lefthook", "npm/node_modules/.bin", "printf 'pre-commit:\\n  commands:\\n    it: {run: echo it ran}\\n' >lefthook.yml; lefthook install", "it ran"},
		{"husky", "npm/node_modules/.bin", "mkdir .husky; echo 'echo it ran' >.husky/pre-commit; husky", "it ran"},
		{"overcommit", "", strings.ReplaceAll(overcommit, "[ \"$(cd", "echo it ran; [ \"$(cd"), "it ran"},
	}
	for _, install := range []struct {
		name, git, command string
		refuse, lose       string // the installers that do, beside a file of stanch
	}{
		{"global_new_git", newest, "stanch hook install --global", "", ""},
		{"local_new_git", newest, "stanch hook install", "git-lfs overcommit", ""},
		{"local_old_git", "", "stanch hook install", "git-lfs overcommit", "lefthook husky"},
	} {
		if install.git == "" && install.name != "local_old_git" {
			continue
		}
		for _, other := range installers {
			t.Run(install.name+"/"+other.name, func(t *testing.T) {
				t.Parallel()
				work := t.TempDir()
				m := hookManager{git: install.git}
				if other.path != "" {
					m.path = filepath.Join(tools, other.path)
				}
				sh := func(script string) (string, bool) {
					cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
					cmd.Dir, cmd.Env = work, append(append(hookEnv(t), m.environment()...), "HOME="+work, "PRE_COMMIT_HOME="+work+"/cache", "PREK_HOME="+work+"/cache")
					out, err := cmd.CombinedOutput()
					return string(out), err == nil
				}
				writeFile(t, filepath.Join(work, "key"), detectorstest.Fill("key = {AKIA1} {secret1}\n"))
				if out, ok := sh("git init -q -b main repo; cd repo; git commit -q --allow-empty -m base && " + install.command); !ok {
					t.Fatal(out)
				}
				lost := strings.Contains(install.lose, other.name)
				script := "cd repo; " + other.script
				if strings.Contains(install.refuse, other.name) {
					out, ok := sh(script)
					status, _ := sh("cd repo; stanch hook status")
					if other.name == "git-lfs" && (ok || !strings.Contains(status, `run "stanch hook uninstall", "git lfs install" and "stanch hook install"`)) {
						t.Errorf("git lfs install: %v\n%s\nstatus:\n%s", ok, out, status)
					}
					script = "cd repo; stanch hook uninstall && { " + other.script + "\n} && stanch hook install"
				}
				out, ok := sh(script)
				if !ok {
					t.Fatalf("%s does not install:\n%s", other.name, out)
				}
				out, ok = sh("cd repo; : >clean; git add -A; git commit -qm clean")
				if !ok || !strings.Contains(out, other.ran) {
					t.Errorf("a clean commit: %v\n%s", ok, out)
				}
				out, ok = sh("cd repo; cp ../key key.ini; git add -A; git commit -qm key")
				if ok != lost {
					t.Errorf("a key is committed: %v\n%s", ok, out)
				}
				if status, ok := sh("cd repo; stanch hook status"); ok == lost || strings.Contains(status, "git-lfs is used") {
					t.Errorf("status: %v\n%s", ok, status)
				}
				if other.name == "git-lfs" {
					out, ok = sh("cd repo; git reset -q --hard; git init -q --bare ../origin; git remote add origin ../origin; git config lfs.url file://$HOME/origin; " +
						"echo content >a.bin; git add -A; git commit -qm bin; git push origin main && find ../origin/lfs -type f | grep -q .")
					if !ok {
						t.Errorf("the push brings no content:\n%s", out)
					}
				}
				if lost {
					return
				}
				// Once more, as a setup script does it; then without stanch.
				if out, ok := sh("cd repo; " + install.command + " && stanch hook status"); !ok {
					t.Errorf("again:\n%s", out)
				}
				if out, ok := sh("cd repo; cp ../key key.ini; git add -A; git commit -qm key"); ok {
					t.Errorf("a key is committed after a second install:\n%s", out)
				}
				out, ok = sh("cd repo; stanch hook uninstall; stanch hook uninstall --global; git commit -qm key")
				if !ok || !strings.Contains(out, other.ran) || strings.Contains(out, "stanch:") && strings.Contains(out, "leaked") {
					t.Errorf("after uninstall: %v\n%s", ok, out)
				}
			})
		}
	}
}
