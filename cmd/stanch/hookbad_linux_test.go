package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

const foreignHook = "#!/bin/sh\necho foreign hook ran\n"

// TestHookInstallRefused: an install that fails says why and changes no file. The hook from
// before is there and runs. A git that takes hooks from its configuration is guarded by that.
func TestHookInstallRefused(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others and mount a disk")
	}
	const user = 12345
	tests := []struct {
		name    string
		prepare func(t *testing.T, repo, hooks string)
		says    string // {repo} is the repository
	}{
		{"read_only", func(t *testing.T, repo, hooks string) {
			t.Helper()
			give(t, repo, user)
			if err := os.Chmod(hooks, 0o555); err != nil {
				t.Fatal(err)
			}
		}, "installing the hook pre-commit .no file was changed.: .* {repo}/.git/hooks/.*: permission denied"},
		{"of_another_user", func(t *testing.T, repo, hooks string) {
			t.Helper()
			give(t, repo, user)
			give(t, hooks, 54321)
		}, "no file was changed.: .* {repo}/.git/hooks/.*: permission denied"},
		{"repository_of_another_user", func(t *testing.T, repo, _ string) {
			t.Helper()
			give(t, repo, 54321)
		}, "safe.directory {repo}"},
		{"a_file", func(t *testing.T, repo, hooks string) {
			t.Helper()
			give(t, repo, user)
			if err := os.RemoveAll(hooks); err != nil {
				t.Fatal(err)
			}
			writeFile(t, hooks, "")
		}, "making the folder of hooks: .*{repo}/.git/hooks: not a directory"},
		{"null_device", func(t *testing.T, repo, _ string) {
			t.Helper()
			scannertest.Git(t, repo, "config", "core.hooksPath", os.DevNull)
			give(t, repo, user)
		}, "making the folder of hooks: .*/dev/null: not a directory"},
		{"full_disk", func(t *testing.T, repo, hooks string) {
			t.Helper()
			give(t, repo, user)
			if err := syscall.Mount("none", hooks, "tmpfs", 0, "size=64k,mode=777"); err != nil {
				t.Skip("a small file system cannot be mounted here:", err)
			}
			t.Cleanup(func() {
				if err := syscall.Unmount(hooks, 0); err != nil {
					t.Error(err)
				}
			})
			writeFile(t, filepath.Join(hooks, "pre-commit"), foreignHook)
			fillUp(t, filepath.Join(hooks, "rest"))
		}, "no file was changed.: .*{repo}/.git/hooks/.*: no space left on device"},
	}
	for _, git := range bothGits(t) {
		for _, tt := range tests {
			t.Run(gitVersion(t, hookManager{git: git})+"/"+tt.name, func(t *testing.T) {
				repo := filepath.Join(scannertest.Repo(t, ""), "repo")
				scannertest.Git(t, filepath.Dir(repo), "init", "-q", repo)
				hooks := filepath.Join(repo, ".git", "hooks")
				if err := os.RemoveAll(hooks); err != nil {
					t.Fatal(err)
				}
				writeFile(t, filepath.Join(hooks, "pre-commit"), foreignHook)
				tt.prepare(t, repo, hooks)
				before, config := tree(t, hooks), readFile(t, filepath.Join(repo, ".git", "config"))
				out, status := runAs(t, user, repo, pathWith(git), "hook", "install")
				if git != "" && tt.name != "repository_of_another_user" {
					if guarded, code := runAs(t, user, repo, pathWith(git), "hook", "status"); code != cli.ExitClean || !strings.Contains(guarded, "A git before 2.54 on this machine") {
						t.Errorf("status: %d\n%s", code, guarded)
					}
					if status != cli.ExitClean || !strings.Contains(out, "A git before 2.54 on this machine") {
						t.Errorf("exit status %d\n%s", status, out)
					}
					status = cli.ExitIncomplete
					config = readFile(t, filepath.Join(repo, ".git", "config"))
					out = strings.ReplaceAll(out, ": installed as hook.", "")
				}
				if status != cli.ExitIncomplete || !regexp.MustCompile(strings.ReplaceAll(tt.says, "{repo}", repo)).MatchString(out) {
					t.Errorf("exit status %d, and it is to say %q:\n%s", status, tt.says, out)
				}
				if strings.Contains(out, ": installed as") {
					t.Errorf("it says that a hook is installed:\n%s", out)
				}
				if after := tree(t, hooks); after != before {
					t.Errorf("there was\n%s\nand now there is\n%s", before, after)
				}
				if after := readFile(t, filepath.Join(repo, ".git", "config")); after != config {
					t.Errorf("the configuration is now\n%s", after)
				}
			})
		}
	}
}

// TestHookInstallConfigRefused: if git's configuration cannot be written, no file is either.
func TestHookInstallConfigRefused(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	newest := newestGit(t)
	if newest == "" {
		t.Skip("STANCH_GIT_NEWEST names no git 2.54 or later")
	}
	repo := scannertest.Repo(t, "")
	hooks := filepath.Join(repo, ".git", "hooks")
	writeFile(t, filepath.Join(hooks, "pre-commit"), foreignHook)
	// As of a git that was killed.
	writeFile(t, filepath.Join(repo, ".git", "config.lock"), "")
	before := tree(t, hooks)
	out, status := runAs(t, 0, repo, pathWith(newest), "hook", "install")
	if status != cli.ExitIncomplete || !strings.Contains(out, "installing hook.stanch-pre-commit in the configuration of git") || !strings.Contains(out, "could not lock config file") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if after := tree(t, hooks); after != before {
		t.Errorf("there was\n%s\nand now there is\n%s", before, after)
	}
}

// TestHookInstallsAtOnce: installs that run at the same time all succeed, and the hook from
// before runs once.
func TestHookInstallsAtOnce(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	for _, git := range bothGits(t) {
		repo := scannertest.Repo(t, "")
		hook := filepath.Join(repo, ".git", "hooks", "pre-commit")
		writeFile(t, filepath.Join(repo, ".git", "ours"), foreignHook)
		if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../ours", hook); err != nil {
			t.Fatal(err)
		}
		env := append(hookEnv(t), (&hookManager{git: git}).environment()...)
		var wait sync.WaitGroup
		for range 6 {
			wait.Go(func() {
				cmd := exec.CommandContext(t.Context(), "stanch", "hook", "install")
				cmd.Dir, cmd.Env = repo, env
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
		wait.Wait()
		if kept := readFile(t, filepath.Join(repo, ".git", "hooks.before-stanch", "pre-commit")); kept != foreignHook {
			t.Errorf("the hook from before is\n%s", kept)
		}
		cmd := exec.CommandContext(t.Context(), "git", "commit", "-q", "--allow-empty", "-m", "x")
		cmd.Dir, cmd.Env = repo, env
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Count(string(out), "foreign hook ran") != 1 {
			t.Errorf("%v\n%s", err, out)
		}
		cmd = exec.CommandContext(t.Context(), "sh", "-c", "stanch hook status && stanch hook uninstall && ! git config --get-regexp 'hook[.]'")
		cmd.Dir, cmd.Env = repo, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if back := readFile(t, hook); back != foreignHook {
			t.Errorf("after uninstall, the hook is\n%s", back)
		}
		if left, _ := filepath.Glob(filepath.Join(repo, ".git", "*stanch*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// bothGits returns the folders of the system's git, "", and of the newest, if it is there.
func bothGits(t *testing.T) []string {
	t.Helper()
	if newest := newestGit(t); newest != "" {
		return []string{"", newest}
	}
	return []string{""}
}

// pathWith returns PATH with a folder of git first, "" for the system's.
func pathWith(git string) string {
	if git == "" {
		return "PATH=" + os.Getenv("PATH")
	}
	return "PATH=" + git + string(os.PathListSeparator) + os.Getenv("PATH")
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tree lists the files below dir, with modes and texts of the small ones.
func tree(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `find "$1" -printf '%P %M %l\n' -type f -size -20k -exec cat {} \; | sort`, "sh", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
