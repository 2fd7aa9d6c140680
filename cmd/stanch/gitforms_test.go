package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// formScript runs each command in a repository of the form that git's variables say, and
// prints what is not as it should be. The keys are in files, $KEYS/1 to $KEYS/9. want CODE
// TEXT COMMAND… holds that a command exits with CODE and prints TEXT.
const formScript = `
want() { code=$1 text=$2; shift 2; got=0; "$@" >../out 2>&1 || got=$?
	if [ $got != $code ] || [ "$text" ] && ! grep -q -- "$text" ../out; then echo "$*: exit $got, not $code, or no \"$text\":"; cat ../out; fi; }
pushed() { echo "$1 $(git rev-parse $1) $1 $zero"; }
git init -q -b main .; git config uploadpack.allowFilter true
echo a >a; git add a; git commit -qm one; git tag base; zero=$(git rev-parse HEAD | sed s/./0/g)
want 0 '' stanch git --no-verify .
want 0 '' stanch git --no-verify --since-state ../state .
cp $KEYS/1 k; git add k; want 1 'k:1' stanch hook run; git commit -qnm leak
want 1 'k:1' stanch git --no-verify --since-state ../state .
want 0 '' stanch git --no-verify --since-state ../state .
want 1 'still at HEAD' stanch git --no-verify .
want 1 'k:1' stanch ci --base base --head HEAD
want 1 'k:1' stanch ci --scan history
pushed refs/heads/main >../push; want 1 'k:1' sh -c 'stanch hook run --stage pre-push origin x <../push'
cp $KEYS/1 .git/MSG; want 1 'MSG:1' stanch hook run --stage commit-msg .git/MSG
git rm -q k; git commit -qm gone; want 1 'only in history, on main' stanch git --no-verify .
git checkout -q -b side base; cp $KEYS/2 s; git add s; git commit -qm side; git checkout -q main; git branch -q -D side
want 1 's:1.*reflog HEAD@' stanch git --no-verify .
want 1 'k:1' stanch git --no-verify --reachable-only .; ! grep -q ' s:1' ../out || echo "--reachable-only reads a dangling commit"
git reflog expire --expire=all --all; want 1 's:1.*dangling commit' stanch git --no-verify .
git hash-object -w $KEYS/3 >../none; want 1 'staged once, in no commit' stanch git --no-verify .
git tag -aF $KEYS/4 tagged base; want 1 'message of tag' stanch git --no-verify .
git notes add -F $KEYS/5 base; want 1 'note' stanch git --no-verify .
git update-ref -m "$(tr '\n' ' ' <$KEYS/9)" --create-reflog refs/heads/logged base; want 1 'logs/refs/heads/logged' stanch git --no-verify .
cp $KEYS/6 st; git add st; git stash -q; echo b >>a; git stash -q; want 1 'st:1' stanch git --no-verify .
git clone -q --depth 1 file://$PWD ../shallow; want 3 'git fetch --unshallow' stanch git --no-verify ../shallow
git clone -q --shared . ../shared; want 1 'k:1' stanch git --no-verify ../shared
git clone -q --bare --filter=blob:none file://$PWD ../partial; want 3 'partial clone' stanch git --no-verify ../partial
want 1 'k:1' stanch git --no-verify file://$PWD
git init -q -b main ../super; (cd ../super; git submodule --quiet add ../repo sub; git commit -qm sub); want 1 'sub/k:1' stanch git --no-verify ../super
git worktree add -q -b wt ../wt; (cd ../wt; cp $KEYS/7 w; git add w; want 1 'w:1' stanch hook run; git commit -qnm w; want 1 'w:1' stanch git --no-verify .
	pushed refs/heads/wt >../push; want 1 'w:1' sh -c 'stanch hook run --stage pre-push origin x <../push')
git init -q --bare ../server; (cd ../server; stanch hook install --stage pre-receive) >../none
want 0 '' git push -q ../server base:refs/heads/main; want 1 'k:1' git push -q ../server main; want 1 'w:1' git push -q ../server wt
git checkout -q -b other base; cp $KEYS/8 o; git add o; git commit -qm other
want 1 'o:1' env PRE_COMMIT_FROM_REF=base PRE_COMMIT_TO_REF=other stanch hook run; want 1 'o:1' stanch hook run --all-files
git repack -qad; want 1 'k:1' stanch git --no-verify .; git bundle create -q ../b.bundle main; want 1 'k:1' stanch dir ../b.bundle
git checkout -q --detach; git checkout -q base; want 0 'no leaked' stanch hook run -v; stanch hook install >../none
cp $KEYS/9 z; git add z; want 1 'z:1' git commit -qm z
`

// TestGitForms: every command that reads a repository works with SHA-256 and with reftables.
func TestGitForms(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	for _, tt := range []struct {
		name, hash string
		tables     bool
	}{{"sha256", "sha256", false}, {"reftable", "sha1", true}, {"sha256_reftable", "sha256", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := ""
			if tt.tables {
				start = scannertest.Reftable(t)
			}
			work := t.TempDir()
			for n := range 9 {
				n := strconv.Itoa(n + 1)
				writeFile(t, filepath.Join(work, "keys", n), detectorstest.Fill("key = {AKIA"+n+"}\nsecret = {secret"+n+"}\n"))
			}
			repo := filepath.Join(work, "repo")
			if err := os.Mkdir(repo, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", start+"set -u\n"+formScript)
			cmd.Dir, cmd.Env = repo, append(hookEnv(t), "KEYS="+filepath.Join(work, "keys"), "HOME="+work, "GIT_DEFAULT_HASH="+tt.hash)
			out, err := cmd.CombinedOutput()
			if said := strings.TrimSpace(string(out)); err != nil || said != "" {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}
