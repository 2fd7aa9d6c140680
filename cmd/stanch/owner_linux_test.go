package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestOtherOwner: whose a repository is does not matter to what stanch reads by itself:
// it runs nothing that the repository names. If git has to read it, git refuses
// (git-config(1), safe.directory), and stanch says so with what to do; only "stanch ci" takes
// the checkout that CI made for safe. A file that this user may not read is never taken for
// clean, nor is the repository around it read instead.
func TestOtherOwner(t *testing.T) {
	scannertest.Need(t, "git")
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	const other = 12345
	run := []string{"hook", "run"}
	tests := []struct {
		name   string
		owner  int      // of the repository
		user   int      // who runs stanch
		closed string   // what only the owner may read
		args   []string // of stanch
		env    string
		status int
		says   string
	}{
		{"root_in_that_of_another", other, 0, "", run, "", cli.ExitLeaks, "staged file key.ini"},
		{"user_in_that_of_root", 0, other, "", run, "", cli.ExitLeaks, "staged file key.ini"},
		{"history", other, 0, "", []string{"git", "--no-verify", "."}, "", cli.ExitLeaks, "key.ini"},
		{"ci", other, 0, "", []string{"ci", "--base", "HEAD", "--head", "HEAD"}, "", cli.ExitClean, "no leaked credentials found"},
		{"ci_of_a_user", 0, other, "", []string{"ci", "--base", "HEAD", "--head", "HEAD"}, "", cli.ExitClean, "no leaked credentials found"},
		{"revisions_of_a_manager", other, 0, "", run, "PRE_COMMIT_TO_REF=HEAD", cli.ExitIncomplete, "safe.directory {repo}"},
		{"status", other, 0, "", []string{"hook", "status"}, "", cli.ExitIncomplete, "safe.directory {repo}"},
		{"install", other, 0, "", []string{"hook", "install"}, "", cli.ExitIncomplete, "safe.directory {repo}"},
		{"closed_repository", 0, other, ".git", run, "", cli.ExitIncomplete, "closed to this user"},
		{"closed_index", 0, other, ".git/index", run, "", cli.ExitIncomplete, "index: permission denied"},
		{"closed_objects", 0, other, ".git/objects", run, "", cli.ExitIncomplete, "objects/pack: permission denied"},
		{"closed_HEAD", 0, other, ".git/HEAD", run, "", cli.ExitIncomplete, "HEAD: permission denied"},
		{"closed_refs", 0, other, ".git/refs", run, "", cli.ExitIncomplete, "permission denied"},
		{"closed_configuration", 0, other, ".stanch.toml", run, "", cli.ExitUsage, ".stanch.toml: permission denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// In a repository that is open to all, and has nothing staged.
			around := scannertest.Repo(t, "echo a >a; git add a; git commit -qm a")
			repo := filepath.Join(around, "repo")
			scannertest.Git(t, around, "init", "-q", repo)
			writeFile(t, filepath.Join(repo, ".stanch.toml"), "")
			scannertest.Git(t, repo, "add", ".")
			scannertest.Git(t, repo, "commit", "-qm", "first")
			writeFile(t, filepath.Join(repo, "key.ini"), detectorstest.Fill("{AKIA1} {secret1}\n"))
			scannertest.Git(t, repo, "add", "key.ini")
			give(t, repo, tt.owner)
			if tt.closed != "" {
				if err := os.Chmod(filepath.Join(repo, tt.closed), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			out, status := runAs(t, tt.user, repo, tt.env, tt.args...)
			if says := strings.ReplaceAll(tt.says, "{repo}", repo); status != tt.status || !strings.Contains(out, says) {
				t.Errorf("exit status %d, want %d and %q\n%s", status, tt.status, says, out)
			}
		})
	}
}

// give makes all below dir that of a user, and lets all others read it and come to it.
func give(t *testing.T, dir string, owner int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return errors.Join(os.Lchown(path, owner, owner), os.Chmod(path, 0o755))
	})
	if err != nil {
		t.Fatal(err)
	}
	openTo(t, dir)
}

// openTo lets all users come to path, which is in a folder of the test.
func openTo(t *testing.T, path string) {
	t.Helper()
	for dir := path; dir != os.TempDir() && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// runAs runs stanch as a user.
func runAs(t *testing.T, user int, dir, env string, args ...string) (string, int) {
	t.Helper()
	home := t.TempDir()
	bin := filepath.Join(home, "stanch")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, bin, string(data))
	openTo(t, bin)
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Dir = dir
	cmd.Env = append(hookEnv(t), "HOME="+home, env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}
