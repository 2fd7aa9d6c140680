package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// hookRows are the ways in which a key gets into a commit, or out in a push. setup
// runs before the hooks are installed, act afterwards; the status of act is that of
// its last command. put FILE appends the text, with a key or without. What setup
// commits with a key was there before, and blocks nobody.
var hookRows = []struct{ name, setup, act string }{
	{"add and commit", "base", "put a.ini; git add a.ini; git commit -qm x"},
	{"commit -a", "base", "put f.txt; git commit -qam x"},
	{"commit path", "base", "put f.txt; git commit -qm x f.txt"},
	{"first commit", "", "put a.ini; git add -A; git commit -qm x"},
	{"amend", "base", "put f.txt; git add f.txt; git commit -q --amend --no-edit"},
	{"edit of a line beside an old key", "old f.txt; base", "put f.txt; git add f.txt; git commit -qm x"},
	{"merge without conflict", "base; branch other 'old g.txt'; branch main 'echo m >m.txt'",
		"git merge -q --no-commit --no-ff other; put f.txt; git add f.txt; git commit -qm x"},
	{"merge by git itself", "base; branch other 'old g.txt'; branch main 'echo m >m.txt'",
		"git merge -q --no-ff -m \"$(cat \"$TEXT\")\" other"},
	{"merge with conflict", "base; branch other 'echo theirs >f.txt; old g.txt'; branch main 'echo ours >f.txt'",
		"git merge -q other >/dev/null; echo both >f.txt; put f.txt; git add f.txt; git commit -qm x"},
	{"merge with conflict, ours", "base; branch other 'echo theirs >f.txt; old g.txt'; branch main 'old f.txt'",
		"git merge -q other >/dev/null; git checkout -q --ours f.txt; put n.txt; git add f.txt n.txt; git commit -qm x"},
	{"rebase", "base; branch other 'echo theirs >f.txt'; branch main 'echo ours >f.txt'",
		"git rebase -q other >/dev/null 2>&1; echo both >f.txt; put f.txt; git add f.txt; git commit -qm x"},
	{"cherry-pick", "base; branch other 'echo theirs >f.txt'; branch main 'echo ours >f.txt'",
		"git cherry-pick other >/dev/null 2>&1; echo both >f.txt; put f.txt; git add f.txt; git commit -qm x"},
	{"linked worktree", "base; git worktree add -q ../linked -b linked", "cd ../linked; reinstall; put f.txt; git add f.txt; git commit -qm x"},
	{"subfolder", "mkdir -p sub/dir; echo s >sub/dir/s.txt; base", "cd sub/dir; put s.txt; git add s.txt; git commit -qm x"},
	{"submodule", "base; git init -q ../m; (cd ../m; echo m >m.txt; git add -A; git commit -qm m); git submodule -q add ../m mod; git commit -qam mod",
		"cd mod; reinstall; put m.txt; git add -A; git commit -qm x"},
	{"UTF-16", "base", "cat \"$TEXT16\" >w.txt; git add w.txt; git commit -qm x"},
	{"binary attribute", "echo '*.ini binary' >.gitattributes; base", "put a.ini; git add a.ini; git commit -qm x"},
	{"renamed and edited", "old f.txt; base", "git mv f.txt g.txt; put g.txt; git add g.txt; git commit -qm x"},
	{"symbolic link", "base", "ln -s \"$(cat \"$TEXT\")\" link; git add link; git commit -qm x"},
	{"CRLF", "echo '*.txt text eol=crlf' >.gitattributes; printf 'a\\r\\nb\\r\\n' >f.txt; base", "put f.txt; git add f.txt; git commit -qm x"},
	{"all line ends changed", "old f.txt; base", "sed 's/$/\\r/' <f.txt >crlf; mv crlf f.txt; put n.txt; git add -A; git commit -qm x"},
	{"name with spaces", "base", "put 'a b  c.ini'; git add .; git commit -qm x"},
	{"name with a newline", "base", "put \"a\nb.ini\"; git add .; git commit -qm x"},
	{"name that is not UTF-8", "base", "put \"$(printf 'a\\377b.ini')\"; git add .; git commit -qm x"},
	{"staged and changed since", "base", "put f.txt; git add f.txt; git show HEAD:f.txt >f.txt; git commit -qm x"},
	{"all files", "base; put k.ini; git add -A; git commit -qm k", "allfiles"},
	{"multi-ref push", "base; remote; branch b1 'echo 1 >1.txt'; branch b2 'put 2.txt'", "git push -q origin b1 b2"},
	{"push of what was taken out again", "base; remote; put k.ini; git add -A; git commit -qm k; git rm -q k.ini; git commit -qm k", "git push -q origin main"},
	{"first push", "base; git init -q --bare ../origin; git remote add origin ../origin; put k.ini; git add -A; git commit -qm k", "git push -q origin main"},
	{"push of a tag", "base; remote; git tag -a -m \"$(cat \"$TEXT\")\" v1", "git push -q origin v1"},
	{"commit message", "base", "echo 1 >1.txt; git add 1.txt; git commit -qm \"$(cat \"$TEXT\")\""},
}

const hookPrelude = `put() { cat "$TEXT" >>"$1"; }
old() { cat "$OLD" >"$1"; }
base() { echo base >>f.txt; echo more >more.txt; git add -A; git commit -qm base; }
branch() { git checkout -q main; [ "$1" = main ] || git checkout -qb "$1"; eval "$2"; git add -A; git commit -qm "$1"; git checkout -q main; }
remote() { git init -q --bare ../origin; git remote add origin ../origin; git push -q origin main; git fetch -q origin; }
`

// A hookManager installs hooks in the repository of the current folder.
type hookManager struct {
	name string
	// files are put at the top of the repository before setup; install and allFiles are
	// lines of sh.
	files             map[string]string
	env               []string
	install, allFiles string
	// cannot are rows that the manager itself cannot do, with the reason: it blocks
	// without a key too. In those of blind it runs no hook.
	cannot, blind map[string]string
}

var nativeHooks = hookManager{name: "native", install: "stanch hook install", allFiles: "stanch hook run --all-files"}

// TestHookMatrix: each way of a key into a commit is blocked, and the same without
// the key is not, by each hook manager, with real git. The managers are those in
// STANCH_HOOK_TOOLS, which .ci/run makes; without it, only stanch's own hooks are
// tested.
func TestHookMatrix(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	for _, m := range append([]hookManager{nativeHooks}, hookManagers(t)...) {
		t.Run(m.name, func(t *testing.T) {
			for _, row := range hookRows {
				t.Run(row.name, func(t *testing.T) {
					t.Parallel()
					if out, err := runHookRow(t, m, row.setup, row.act, "nothing of note\n"); err != nil && m.cannot[row.name] == "" {
						t.Errorf("without a key it is blocked: %v\n%s", err, out)
					}
					key := detectorstest.Fill("key = {AKIA1} {secret1}\n")
					out, err := runHookRow(t, m, row.setup, row.act, key)
					id := detectorstest.KeyID("AKIA", detectorstest.Account, 1)
					if m.blind[row.name] != "" {
						if err != nil {
							t.Errorf("it is no longer true that %s:\n%s", m.blind[row.name], out)
						}
						return
					}
					if err == nil || !strings.Contains(out, id) && m.cannot[row.name] == "" {
						t.Errorf("with a key it is not blocked for that: %v\n%s", err, out)
					}
				})
			}
		})
	}
}

// runHookRow runs a row with text as what is new, and returns what act prints.
func runHookRow(t *testing.T, m hookManager, setup, act, text string) (string, error) {
	t.Helper()
	work := filepath.Join(t.TempDir(), "work")
	repo := filepath.Join(work, "repo")
	writeFile(t, filepath.Join(work, "text"), text)
	writeFile(t, filepath.Join(work, "old"), detectorstest.Fill("id = {AKIA2}\nkey = {secret2}\nlast = line\n"))
	wide := []byte{0xff, 0xfe}
	for _, c := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(c), byte(c>>8))
	}
	writeFile(t, filepath.Join(work, "text16"), string(wide))
	writeFile(t, filepath.Join(work, "files", ".keep"), "")
	for name, content := range m.files {
		writeFile(t, filepath.Join(work, "files", name), content)
	}
	writeFile(t, filepath.Join(repo, "README"), "readme\n")
	env := append(hookEnv(t), "TEXT="+filepath.Join(work, "text"), "TEXT16="+filepath.Join(work, "text16"), "OLD="+filepath.Join(work, "old"), "FILES="+filepath.Join(work, "files"), "HOME="+work,
		"GIT_CONFIG_COUNT=3", "GIT_CONFIG_KEY_1=maintenance.auto", "GIT_CONFIG_VALUE_1=false", // one process less after each commit
		"GIT_CONFIG_KEY_2=core.fsync", "GIT_CONFIG_VALUE_2=none")
	env = append(env, m.env...)
	sh := func(script string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", hookPrelude+"reinstall() { cp -R \"$FILES/.\" .; "+m.install+" >/dev/null; }\nallfiles() { "+m.allFiles+"; }\n"+script)
		cmd.Dir, cmd.Env = repo, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := sh("git init -q -b main . && cp -R \"$FILES/.\" . || exit; " + setup); err != nil {
		t.Fatalf("setup: %v\n%s", err, out)
	}
	if out, err := sh(m.install); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	return sh(act)
}

// hookEnv is the environment of rows: git without the user's configuration, and
// this program as stanch.
func hookEnv(t *testing.T) []string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bin")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	// Not a symbolic link: hooks name the program that installs them.
	if err := os.Link(self, filepath.Join(bin, "stanch")); err != nil {
		data, err := os.ReadFile(self)
		if err == nil {
			err = os.WriteFile(filepath.Join(bin, "stanch"), data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") && !strings.HasPrefix(v, "CI=") {
			env = append(env, v)
		}
	}
	return append(env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada",
		"GIT_COMMITTER_EMAIL=ada@example.com", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always",
		"GIT_EDITOR=true", "GIT_TERMINAL_PROMPT=0")
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
