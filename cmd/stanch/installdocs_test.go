package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// writtenFiles returns the names in the table of docs/install.md, for path.Match.
func writtenFiles(t *testing.T) (names []string) {
	t.Helper()
	_, section, _ := strings.Cut(readPage(t, "docs/install.md"), "\n## Files that stanch writes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(section, -1) {
		names = append(names, strings.NewReplacer("…", "*", "ID", "*").Replace(m[1]))
	}
	return names
}

// isListed reports whether one of names is a file, or a folder that it lies in.
func isListed(names []string, file string) bool {
	for _, name := range names {
		same, _ := path.Match(name, path.Base(file))
		if same || name == file || strings.HasSuffix(name, "/") && (strings.HasPrefix(file, name) || strings.Contains(file, "/"+name)) {
			return true
		}
	}
	return false
}

// TestWrittenFiles: docs/install.md lists each file that stanch leaves in the home folder or in
// a repository, so that a user can remove it.
func TestWrittenFiles(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	if runtime.GOOS != "linux" {
		t.Skip("the names are those of Linux")
	}
	names := writtenFiles(t)
	home := t.TempDir()
	repo := filepath.Join(home, "app")
	environment := []string{"HOME=" + home, "PATH=" + pathOf(hookEnv(t)), "GIT_CONFIG_NOSYSTEM=1", "TMPDIR=" + filepath.Join(home, "tmp")}
	sh := func(script string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
		cmd.Dir, cmd.Env = repo, environment
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	if err := errors.Join(os.Mkdir(repo, 0o755), os.Mkdir(filepath.Join(home, "tmp"), 0o755), os.WriteFile(filepath.Join(repo, "a.env"), []byte(detectorstest.Fill(env)), 0o600)); err != nil {
		t.Fatal(err)
	}
	sh("git init -q; git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m a; git add .; mkdir -p .git/hooks; echo '#!/bin/sh' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit")
	before := files(t, home)
	for _, command := range []string{
		"hook install", "hook status", "hook run", "git --no-verify", "git --no-verify file://$PWD", "dir .", "baseline", "ci --base HEAD", "respond log", "init", "allow 9f52c1d0a77e4b1f8c3e5d6a7b8c9d0e --reason off",
		"rules", "man", "completion bash", "sweep add acme", "sweep list", "hook install --global",
	} {
		sh("stanch " + command + " >/dev/null 2>&1 || true")
	}
	seen := 0
	for file := range files(t, home) {
		if before[file] {
			continue
		}
		seen++
		if at := strings.Replace(file, home, "~", 1); !isListed(names, at) {
			t.Errorf("docs/install.md does not list %s", at)
		}
	}
	if seen < 4 {
		t.Errorf("%d files were written", seen)
	}
	if isListed(names, "~/.stanch/x") || isListed(names, "~/.config/other") {
		t.Error("everything is listed")
	}
}

// TestUninstallMakesNothing: where no hook is, uninstall leaves the home folder as it was.
func TestUninstallMakesNothing(t *testing.T) {
	scannertest.Need(t, "git")
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "stanch", "hook", "uninstall", "--global")
	cmd.Dir, cmd.Env = home, []string{"HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, "c"), "AppData=" + home, "PATH=" + pathOf(hookEnv(t)), "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for file := range files(t, home) {
		t.Errorf("uninstall made %s", file)
	}
}

func pathOf(environment []string) string {
	for _, v := range environment {
		if p, ok := strings.CutPrefix(v, "PATH="); ok {
			return p
		}
	}
	return ""
}

func files(t *testing.T, root string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(name, "/objects/") {
			found[filepath.ToSlash(name)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestOwnFolders: docs/install.md lists what the code keeps in folders of its own.
func TestOwnFolders(t *testing.T) {
	names := writtenFiles(t)
	own := regexp.MustCompile(`filepath\.Join\(dir, "stanch", "([\w.]+)"\)`)
	seen := 0
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range own.FindAllStringSubmatch(string(text), -1) {
			seen++
			isIt := func(name string) bool { return path.Base(name) == m[1] }
			if m[1] != "hooks" && !slices.ContainsFunc(names, isIt) { // hooks: an older stanch had them there
				t.Errorf("%s makes %s in a folder of the user, and docs/install.md does not list it", name, m[1])
			}
		}
		return err
	})
	if err != nil || seen < 4 {
		t.Errorf("%d places, %v", seen, err)
	}
}

// TestCompletionsInShells: the lines of docs/install.md switch completions on.
func TestCompletionsInShells(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folders of zsh and bash-completion are those of Linux")
	}
	for _, tt := range []struct {
		shell, language, check, needs string
	}{
		{"bash", "sh", `. /usr/share/bash-completion/bash_completion; _completion_loader stanch
COMP_WORDS=(stanch git --format ""); COMP_CWORD=3; COMP_TYPE=9; COMP_LINE="stanch git --format "; COMP_POINT=${#COMP_LINE}; __start_stanch; echo "${COMPREPLY[@]}"`, "/usr/share/bash-completion/bash_completion"},
		{"zsh", "zsh", `. ~/.zshrc; [ "$_comps[stanch]" = _stanch ] && autoload +X _stanch && stanch __complete git --format ""`, ""},
		{"fish", "fish", `complete -C "stanch git --format "`, ""},
	} {
		t.Run(tt.shell, func(t *testing.T) {
			program, err := exec.LookPath(tt.shell)
			if err == nil && tt.needs != "" {
				_, err = os.Stat(tt.needs)
			}
			if err != nil {
				t.Skip(err)
			}
			block := regexp.MustCompile("(?ms)^```" + tt.language + "\n([^`]*completion " + tt.shell + "[^`]*)^```$").FindStringSubmatch(readPage(t, "docs/install.md"))
			if block == nil {
				t.Fatal("docs/install.md has no lines for it")
			}
			environment := []string{"HOME=" + t.TempDir(), "PATH=" + pathOf(hookEnv(t)), "TERM=dumb"}
			run := func(script string) string {
				cmd := exec.CommandContext(t.Context(), program, "-c", script)
				cmd.Env = environment
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", script, err, out)
				}
				return string(out)
			}
			run(block[1])
			if out := run(tt.check); !strings.Contains(out, "sarif") || !strings.Contains(out, "junit") {
				t.Errorf("%s completes %q", tt.shell, out)
			}
		})
	}
}
