// Package scannertest helps to test sources and their callers: git repositories from a few
// lines of text, a Sink that records, and the suite that each scanner.Source has to pass.
package scannertest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// prelude makes the runs alike: each git command is a minute later than the one
// before. commit is the step that nearly each script needs.
const prelude = `set -eu
now=1600000060
git() {
	now=$((now + 60))
	GIT_AUTHOR_DATE="@$now +0000" GIT_COMMITTER_DATE="@$now +0000" command git "$@"
}
commit() { git add -A && git commit -q --allow-empty --allow-empty-message -m "$1"; }
`

// Repo builds a git repository from a txtar archive and returns its work tree. The files of
// the archive are written first, then its comment is run as a shell script in the work
// tree, after git init. "commit MESSAGE" commits all there is. Files that the script makes
// beside the work tree, such as "../bare", are removed with it at the end of the test. The
// author and the times of commits are always the same, and the user's configuration has no
// influence.
//
// The test is skipped if git or sh is missing, except where CI is "true": there
// it fails.
func Repo(t testing.TB, script string) string {
	t.Helper()
	Need(t, "git", "sh")
	dir := filepath.Join(t.TempDir(), "repo")
	archive := txtar.Parse([]byte(script))
	write(t, filepath.Join(dir, ".keep"), nil) // makes dir
	if err := os.Remove(filepath.Join(dir, ".keep")); err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
	}
	if err := os.CopyFS(dir, emptyRepository(t)); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "sh", "-c", prelude+string(archive.Comment))
	return dir
}

// initialised has the files that git init makes. It runs once, not for each of some
// hundred repositories.
var initialised struct {
	once  sync.Once
	files fstest.MapFS
}

func emptyRepository(t testing.TB) fs.FS {
	t.Helper()
	initialised.once.Do(func() {
		dir, files := t.TempDir(), fstest.MapFS{}
		run(t, dir, "git", "init", "-q", "-b", "main", ".")
		readAll(t, dir, files)
		initialised.files = files
	})
	if initialised.files == nil {
		t.Fatal("git init failed: see the first test that did")
	}
	return initialised.files
}

// Copy copies a repository that Repo has made, with all that stands beside it, and returns
// the work tree of the copy: a test with many cases makes their common history once.
func Copy(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(filepath.Dir(dir))); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, filepath.Base(dir))
}

// Once returns a function that gives each test a copy of the repository of script, as
// Repo and Copy do. The script runs once, for the first test that asks.
func Once(script func() string) func(testing.TB) string {
	var once sync.Once
	files := fstest.MapFS{}
	return func(t testing.TB) string {
		t.Helper()
		Need(t, "git", "sh")
		once.Do(func() { readAll(t, filepath.Dir(Repo(t, script())), files) })
		if len(files) == 0 {
			t.Fatal("the repository could not be made: see the first test that failed")
		}
		to := t.TempDir()
		if err := os.CopyFS(to, files); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(to, "repo")
	}
}

// readAll reads all files and folders of dir.
func readAll(t testing.TB, dir string, files fstest.MapFS) {
	t.Helper()
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		file := &fstest.MapFile{Mode: info.Mode()}
		if !d.IsDir() {
			file.Data, err = fs.ReadFile(root, name)
		}
		files[name] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Git runs git in dir, as isolated as Repo, and returns its standard output, without the
// newline at its end.
func Git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	Need(t, "git")
	return strings.TrimSuffix(run(t, dir, "git", args...), "\n")
}

// Script runs a shell script in dir, as isolated as Repo.
func Script(t testing.TB, dir, script string) {
	t.Helper()
	Need(t, "git", "sh")
	run(t, dir, "sh", "-c", prelude+script)
}

// Need skips the test if one of programs is missing, except where CI is "true":
// there it fails.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("this test needs %s, which CI must have: %v", p, err)
			}
			t.Skipf("this test needs %s: %v", p, err)
		}
	}
}

// Reftable returns the beginning of a script for Repo, which turns the repository into one
// with reftables. Repositories that the script makes or clones have them as well.
//
// Debian 12 has a git that is too old. The git in the folder STANCH_GIT_NEWEST is taken, or
// else the one on PATH. Without a git that knows reftables the test is skipped, except where
// CI is "true": there it fails.
func Reftable(t testing.TB) string {
	t.Helper()
	Need(t, "git", "sh")
	start := "PATH='" + os.Getenv("STANCH_GIT_NEWEST") + "':$PATH GIT_DEFAULT_REF_FORMAT=reftable\nexport PATH GIT_DEFAULT_REF_FORMAT\n"
	cmd := exec.Command("sh", "-c", start+"exec git init -q --bare .")
	cmd.Dir, cmd.Env = t.TempDir(), env()
	out, err := cmd.CombinedOutput()
	if _, none := os.Stat(filepath.Join(cmd.Dir, "reftable")); err != nil || none != nil {
		const need = "this test needs a git that knows reftables, in the folder STANCH_GIT_NEWEST: %v %s"
		if os.Getenv("CI") == "true" {
			t.Fatalf(need, err, out)
		}
		t.Skipf(need, err, out)
	}
	return start + "[ ! -d .git ] || git refs migrate --ref-format=reftable\n"
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, env(), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", program, args, err, out, stderr.String())
	}
	return string(out)
}

// env drops the variables that the user, or a hook that the test runs in, has set for git.
func env() []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") {
			kept = append(kept, v)
		}
	}
	return append(kept,
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Carl", "GIT_COMMITTER_EMAIL=carl@example.com",
		"GIT_AUTHOR_DATE=@1600000000 +0000", "GIT_COMMITTER_DATE=@1600000000 +0000",
		// Submodules from the file system; no surprise packs, and no process after each
		// commit that looks whether there is something to pack; no sample hooks to copy;
		// no wait for the disk.
		"GIT_CONFIG_COUNT=5",
		"GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always",
		"GIT_CONFIG_KEY_1=gc.auto", "GIT_CONFIG_VALUE_1=0",
		"GIT_CONFIG_KEY_2=maintenance.auto", "GIT_CONFIG_VALUE_2=false",
		"GIT_CONFIG_KEY_3=init.templateDir", "GIT_CONFIG_VALUE_3=",
		"GIT_CONFIG_KEY_4=core.fsync", "GIT_CONFIG_VALUE_4=none",
		"LC_ALL=C", "TZ=UTC",
	)
}
