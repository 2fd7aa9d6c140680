package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// hookRows are the ways in which a key gets into a commit, or out in a push. setup
// runs before the hooks are installed, act afterwards; the status of act is that of
// its last command. put FILE appends the text, with a key or without. A key
// that setup commits was there before, and blocks nobody.
var hookRows = []hookRow{
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

// moreHookRows are rows that docs/hooks.md does not compare with other scanners.
var moreHookRows = []hookRow{
	// git runs no hook in these two commits: the push is refused.
	{"revert, then push", "base; put k.ini; git add -A; git commit -qm k; git rm -q k.ini; git commit -qm gone; remote", "git revert --no-edit HEAD >/dev/null; git push -q origin main"},
	{"am, then push", "base; remote; branch other 'put k.ini'; git format-patch -q -o ../patches main..other", "git am -q ../patches/*; git push -q origin main"},
	{"stash, pop and commit", "base", "put f.txt; git stash -q; git stash pop -q; git add f.txt; git commit -qm x"},
	{"commit -p with the hunk", "base", "put f.txt; echo y | git commit -qpm x >/dev/null"},
	{"commit -p without the hunk, then with it", "base", "put f.txt; echo new >>more.txt; printf 'n\\ny\\n' | git commit -qpm x >/dev/null || { echo refused without the hunk; exit 0; }; git commit -qam y"},
	{"from a GUI: env -i with PATH and HOME", "base", "put f.txt; git add f.txt; bare HOME=\"$HOME\" git commit -qm x"},
	{"from a GUI: env -i with PATH alone", "base", "put f.txt; git add f.txt; bare git commit -qm x"},
	{"SHA-256 repository", "anew --object-format=sha256; base", "put f.txt; git add f.txt; git commit -qm x"},
	{"SHA-256 repository, push", "anew --object-format=sha256; base; sha256remote", "put f.txt; git commit -nqam x; git push -q origin main"},
	{reftable, "anew --ref-format=reftable; base", "put f.txt; git add f.txt; git commit -qm x"},
	{reftable + ", push", "anew --ref-format=reftable; base; remote", "put f.txt; git commit -nqam x; git push -q origin main"},
}

// A hookRow is a line of hookRows or moreHookRows.
type hookRow struct{ name, setup, act string }

// reftable begins the rows that need git 2.45.
const reftable = "reftable repository"

const hookPrelude = `put() { cat "$TEXT" >>"$1"; }
old() { cat "$OLD" >"$1"; }
base() { echo base >>f.txt; echo more >more.txt; git add -A; git commit -qm base; }
branch() { git checkout -q main; [ "$1" = main ] || git checkout -qb "$1"; eval "$2"; git add -A; git commit -qm "$1"; git checkout -q main; }
anew() { rm -rf .git; git init -q -b main "$@" .; }
sha256remote() { git init -q --bare --object-format=sha256 ../origin; git remote add origin ../origin; git push -q origin main; git fetch -q origin; }
bare() { env -i PATH="$BARE_PATH" PRE_COMMIT_HOME="$PRE_COMMIT_HOME" PREK_HOME="$PREK_HOME" GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com "$@"; }
remote() { git init -q --bare ../origin; git remote add origin ../origin; git push -q origin main; git fetch -q origin; }
`

// A hookManager installs hooks in the repository of the current folder.
type hookManager struct {
	name string
	// files are put at the top of the repository before setup; install and allFiles are
	// lines of sh.
	files             map[string]string
	path              string // folder of the manager, to go before PATH
	env               []string
	install, allFiles string
	// cannot are rows that the manager itself cannot do, with the reason: it blocks
	// without a key too. In those of blind it runs no hook.
	cannot, blind map[string]string
	git           string // folder of git, "" for the system's
}

var nativeHooks = hookManager{name: "native", install: "stanch hook install", allFiles: "stanch hook run --all-files"}

// newestGit returns the folder of the newest git, which .ci/run installs; "" if a laptop has
// none.
func newestGit(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("STANCH_GIT_NEWEST")
	if dir == "" {
		if os.Getenv("STANCH_HOOK_TOOLS") != "" {
			t.Error("STANCH_GIT_NEWEST is to name a folder with the newest git")
		}
		return ""
	}
	if _, err := exec.LookPath(filepath.Join(dir, "git")); err != nil {
		t.Fatalf("STANCH_GIT_NEWEST: %v", err)
	}
	return dir
}

// TestHookMatrix: each way of a key into a commit is blocked, and the same without
// the key is not, by each hook manager, with the git of the system and the newest. The
// managers are those in STANCH_HOOK_TOOLS, which .ci/run makes; without it, only stanch's own
// hooks are tested. With all of them, the table in docs/hooks.md is compared with the result.
func TestHookMatrix(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	managers := append([]hookManager{nativeHooks}, hookManagers(t)...)
	gits := []string{""}
	if dir := newestGit(t); dir != "" {
		gits = append(gits, dir)
	}
	table := &matrixTable{cells: map[string]map[string][]string{}}
	t.Run("git", func(t *testing.T) { // it ends after the rows, which run in parallel
		for _, git := range gits {
			for _, m := range managers {
				m.git = git
				version := gitVersion(t, m)
				t.Run(version+"/"+m.name, func(t *testing.T) {
					for _, row := range slices.Concat(hookRows, moreHookRows) {
						if strings.HasPrefix(row.name, reftable) && !hasReftable(version) {
							continue
						}
						t.Run(row.name, func(t *testing.T) {
							t.Parallel()
							table.add(row.name, m.name, matrixCell(t, m, row))
						})
					}
				})
			}
		}
	})
	if len(managers) > 1 && len(gits) > 1 && !t.Failed() {
		table.compare(t, managers)
	}
}

// matrixCell runs a row with a key and without, and returns the cell of docs/hooks.md.
func matrixCell(t *testing.T, m hookManager, row hookRow) string {
	t.Helper()
	cell := "blocked"
	if out, err := runHookRow(t, m, row.setup, row.act, "nothing of note\n"); err != nil {
		if cell = "fails"; m.cannot[row.name] == "" {
			t.Errorf("without a key it is blocked: %v\n%s", err, out)
		}
	}
	out, err := runHookRow(t, m, row.setup, row.act, detectorstest.Fill("key = {AKIA1} {secret1}\n"))
	id := detectorstest.KeyID("AKIA", detectorstest.Account, 1)
	if m.blind[row.name] != "" {
		if err != nil {
			t.Errorf("it is no longer true that %s:\n%s", m.blind[row.name], out)
		}
		return "**no hook runs**"
	}
	if err == nil || !strings.Contains(out, id) && m.cannot[row.name] == "" {
		t.Errorf("with a key it is not blocked for that: %v\n%s", err, out)
	}
	return cell
}

// gitVersion returns the version of the git that m runs with.
func gitVersion(t *testing.T, m hookManager) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(m.git, "git"), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "git version ")
}

// hasReftable reports whether a git of this version makes repositories with reftable.
func hasReftable(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return err == nil && (major > 2 || minor >= 45)
}

// A matrixTable collects cells by row and manager, one for each git.
type matrixTable struct {
	mu    sync.Mutex
	cells map[string]map[string][]string
}

func (m *matrixTable) add(row, manager, cell string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells[row] == nil {
		m.cells[row] = map[string][]string{}
	}
	if !slices.Contains(m.cells[row][manager], cell) {
		m.cells[row][manager] = append(m.cells[row][manager], cell)
	}
}

// compare holds the table of docs/hooks.md against the result, and logs how it is to be.
func (m *matrixTable) compare(t *testing.T, managers []hookManager) {
	t.Helper()
	var b strings.Builder
	b.WriteString("| Commit or push |")
	for _, manager := range managers {
		b.WriteString(" " + manager.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(managers)+1) + "\n")
	for _, row := range slices.Concat(hookRows, moreHookRows) {
		b.WriteString("| " + row.name + " |")
		for _, manager := range managers {
			cells := m.cells[row.name][manager.name]
			if len(cells) == 0 {
				t.Log("not all rows were run: the table of docs/hooks.md is not compared")
				return
			}
			slices.Sort(cells) // in parallel, either git may be first
			b.WriteString(" " + strings.Join(cells, ", ") + " |")
		}
		b.WriteString("\n")
	}
	text, err := os.ReadFile("../../docs/hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), b.String()) {
		t.Errorf("docs/hooks.md is to have this table:\n%s", b.String())
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
	env = append(env, m.environment()...)
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

// environment returns the variables of m. PATH has m's git, and then m; BARE_PATH is that of a
// program that no shell has started. There, stanch's own hooks have to find stanch by its
// name, and those of other managers the manager.
func (m *hookManager) environment() []string {
	path := os.Getenv("PATH")
	bare := "/usr/bin" + string(os.PathListSeparator) + "/bin"
	for _, dir := range []string{m.path, m.git} {
		if dir != "" {
			path = dir + string(os.PathListSeparator) + path
			bare = dir + string(os.PathListSeparator) + bare
		}
	}
	if m.path != "" {
		bare = path
	}
	return append(m.env, "PATH="+path, "BARE_PATH="+bare)
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
