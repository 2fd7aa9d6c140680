package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// besideScript makes COUNT clean commits while $1 runs in a loop, here and on the server
// of each tenth commit. It prints what stanch said whenever it did not pass.
//
// git itself fails now and then when git prune-packed removes a folder that it is about
// to write to: a file in each keeps them.
const besideScript = `
keep() {
	(cd $1; all=; for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do for j in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do all="$all $i$j"; done; done
	mkdir $all; for d in $all; do : >$d/tmp_obj_keep; done)
}
pass() { "$@" >../log 2>&1 || { echo "$n: $*: exit $?"; cat ../log; }; }
git init -q -b main .; git config gc.auto 200; keep .git/objects
git init -q --bare -b main ../server; git -C ../server config gc.auto 0; keep ../server/objects
for i in $(seq 30); do head -c 20000 /dev/urandom >b$i; done; git add -A; git commit -qm many
git push -q ../server main; git remote add origin ../server; git fetch -q
(cd ../server; stanch hook install --stage pre-receive) >/dev/null; stanch hook install >/dev/null
(while ! [ -e ../stop ]; do git $1; git -C ../server $1; done >/dev/null 2>&1) & loop=$!
n=0; while [ $n -lt $COUNT ]; do
	n=$((n + 1)); echo $n >f; git add f; pass git commit -qm $n
	[ $((n % 10)) = 0 ] || continue
	pass stanch ci --base HEAD~ --head HEAD
	pass stanch git --no-verify .
	pass git push -q origin main
done
cat "$TEXT" >key.ini; git add key.ini; git commit -qm key >../log 2>&1 && echo "a key is committed"
pass git commit -qnm key; git push -q --no-verify origin main >../log 2>&1 && echo "a key is received"
: >../stop; wait $loop
`

// TestBesideRepack: clean commits and pushes pass, and scans are complete, while git
// moves the objects that are read: go-git/go-git#2242, jelmer/dulwich#2159. STANCH_BESIDE
// is how many commits, 10 if it is not set.
func TestBesideRepack(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	count, err := strconv.Atoi(os.Getenv("STANCH_BESIDE"))
	if err != nil {
		count = 10
		t.Log("only STANCH_BESIDE=400 makes so many commits that a rare race is met; here are 10")
	}
	for name, command := range map[string]string{"repack": "repack -adq", "gc": "gc -q", "prune": "repack -dq"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			work := filepath.Join(t.TempDir(), "work")
			repo := filepath.Join(work, "repo")
			writeFile(t, filepath.Join(work, "text"), detectorstest.Fill("key = {AKIA1} {secret1}\n"))
			if err := os.Mkdir(repo, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", besideScript, "sh", command)
			cmd.Dir, cmd.Env = repo, append(hookEnv(t), "TEXT="+filepath.Join(work, "text"), "HOME="+work, fmt.Sprint("COUNT=", count))
			out, err := cmd.CombinedOutput()
			if said := strings.TrimSpace(string(out)); err != nil || said != "" {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}
