package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// oldLeaks is how many keys the repository of TestAdopt has leaked before stanch came.
const oldLeaks = 500

// oldRepository has oldLeaks keys: one in three in main and at HEAD, one gone from there
// again, one in a branch alone. There is a server beside it, which has all of them.
const oldRepository = `
git init -q --bare ../server.git
git config -f ../server.git/config uploadpack.allowAnySHA1InWant true
git remote add origin ../server.git
mkdir app gone
mv key*0.env key*3.env key*6.env key*9.env app
mv key*1.env key*4.env key*7.env gone
mkdir ../legacy
mv key*.env ../legacy
commit old
git rm -rq gone
commit 'half of them are gone'
git checkout -qb legacy
mv ../legacy legacy
commit legacy
git checkout -q main
git push -q origin main legacy
`

var oldRepositoryOnce = scannertest.Once(func() string {
	var files strings.Builder
	for i := range oldLeaks {
		fmt.Fprintf(&files, "-- key%03d.env --\n%s", i, oldKey(i))
	}
	return oldRepository + files.String()
})

// oldKey is the text of a file with an old key.
func oldKey(i int) string {
	seed := uint64(1000 + i)
	return fmt.Sprintf("AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", detectorstest.KeyID("AKIA", detectorstest.Account, seed), detectorstest.SecretKey(seed))
}

// adopted returns the old repository after the commands of the README, with hooks.
func adopted(t *testing.T) (dir string) {
	t.Helper()
	dir = oldRepositoryOnce(t)
	inShell(t, dir, "stanch hook install")
	_, text, _ := strings.Cut(readPage(t, "README.md"), "\n### Adopt it in a repository with old findings\n")
	block := regexp.MustCompile("(?s)```\n(.*?)```").FindStringSubmatch(text)
	if block == nil {
		t.Fatal("the README has no commands to adopt stanch")
	}
	inShell(t, dir, block[1])
	if n := len(regexp.MustCompile(`(?m)^[0-9a-f]{32} `).FindAllString(scannertest.Git(t, dir, "show", "HEAD:"+project.OwnBaseline), -1)); n != oldLeaks {
		t.Fatalf("the baseline has %d entries, want %d", n, oldLeaks)
	}
	if changed := scannertest.Git(t, dir, "show", "--format=", "--name-only", "HEAD"); changed != project.OwnBaseline {
		t.Errorf("the commit changes %s", changed)
	}
	inShell(t, dir, "git push -q origin main")
	return dir
}

// inShell runs a script that has to end well.
func inShell(t *testing.T, dir, script string) {
	t.Helper()
	if out, err := tryInShell(dir, script); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func tryInShell(dir, script string) (string, error) {
	cmd := exec.Command("sh", "-euc", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// moveOld brings old keys to new places: renamed, reformatted, in a README, from a branch.
func moveOld(t *testing.T, dir string) {
	t.Helper()
	id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, 1006), detectorstest.SecretKey(1006)
	writeFile(t, filepath.Join(dir, "app", "key006.yaml"), fmt.Sprintf("aws:\n  accessKeyId: %q\n  secretAccessKey: %q\n", id, secret))
	writeFile(t, filepath.Join(dir, "README.md"), "Rotate "+detectorstest.KeyID("AKIA", detectorstest.Account, 1009)+" and "+detectorstest.KeyID("AKIA", detectorstest.Account, 1004)+".\n")
	writeFile(t, filepath.Join(dir, "back.env"), oldKey(1)) // it was gone
	inShell(t, dir, "git mv app/key000.env renamed.env; git rm -q app/key006.env; git add -A")
}

// TestAdopt: after the commands of the README, a new key is blocked at each stage, and the
// old ones are at none, wherever they move.
func TestAdopt(t *testing.T) {
	for name, text := range map[string]string{"old_keys": "", "a_new_key": detectorstest.Fill("AWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n")} {
		t.Run(name, func(t *testing.T) {
			status := 0
			dir := adopted(t)
			inShell(t, dir, "git checkout -qb topic; git merge -q --no-edit --no-ff legacy")
			moveOld(t, dir)
			if text != "" {
				status = 1
				writeFile(t, filepath.Join(dir, "app", "key003.env"), oldKey(3)+text) // beside an old one
				inShell(t, dir, "git add -A")
			}
			blocked := func(stage, command string) {
				out, err := tryInShell(dir, command)
				if (err != nil) != (text != "") || text != "" && !strings.Contains(out, "1 leaked credential:") {
					t.Errorf("%s: %v\n%s", stage, err, out)
				}
				if text != "" {
					inShell(t, dir, command+" --no-verify")
				}
			}
			blocked("commit", "git commit -qm topic")
			blocked("push", "git push -q origin topic")
			inShell(t, dir, `git push -q --no-verify origin topic:refs/pull/1/head; { echo base=$(git rev-parse main); echo head=$(git rev-parse topic); } >../ids`)

			c := ciTestIn(t, filepath.Dir(dir))
			payload := c.fill(`{"number":1,"pull_request":{"number":1,"commits":3,"head":{"sha":"{head}","repo":{"full_name":"ada/app"}},"base":{"sha":"{base}","repo":{"full_name":"ada/app"}}},` + repository + `}`)
			for event, ref := range map[string]string{"pull_request": "refs/pull/1/head", "schedule": "main"} {
				r := runCI(t, c.checkout(t, ref), event, payload)
				if r.status != status || strings.Contains(r.log, "1 leaked credential:") != (text != "") {
					t.Errorf("%s: exit status %d, want %d\n%s", event, r.status, status, r.log)
				}
			}
		})
	}
}

// adoptWorkflow uses the action as a user does, but for the binary.
const adoptWorkflow = `on: [push, pull_request, schedule]
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./stanch-action
        with:
          install: path
          bin: %s
          upload-sarif: "false"
`

// TestAdoptInAction is TestAdopt in GitHub Actions, which act runs on this machine.
func TestAdoptInAction(t *testing.T) {
	if testing.Short() {
		t.Skip("builds stanch")
	}
	act := tool(t, "ACT")
	bin := filepath.Join(t.TempDir(), "stanch")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := adopted(t)
	writeFile(t, filepath.Join(dir, ".github", "workflows", "w.yml"), fmt.Sprintf(adoptWorkflow, bin))
	if err := os.CopyFS(filepath.Join(dir, "stanch-action", ".github"), os.DirFS("../../.github")); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "../../action.yml", filepath.Join(dir, "stanch-action", "action.yml"))
	// act knows a repository by its URL, and a schedule asks the server for all branches.
	inShell(t, dir, `git config "url.$(dirname "$PWD")/server.git.insteadOf" https://github.com/ada/app
git remote set-url origin https://github.com/ada/app; git add -A; git commit -qm 'use the action'`)
	base := scannertest.Git(t, dir, "rev-parse", "HEAD")
	moveOld(t, dir)
	inShell(t, dir, "git commit -qm moved")
	for _, tt := range []struct{ commit, want string }{
		{"", "Job succeeded"},
		{"git add new.env; git commit -qm new --no-verify", "Job failed"},
	} {
		if tt.commit != "" {
			writeFile(t, filepath.Join(dir, "new.env"), detectorstest.Fill("id {AKIA1}\nsecret {secret1}\n"))
			inShell(t, dir, tt.commit)
		}
		head := scannertest.Git(t, dir, "rev-parse", "HEAD")
		for _, event := range []string{"push", "pull_request", "schedule"} {
			log := runAct(t, act, dir, event, base, head)
			if found := strings.Contains(log, "1 leaked credential:"); !strings.Contains(log, tt.want) || found != (tt.commit != "") || !found && !strings.Contains(log, "no leaked credentials found") {
				t.Errorf("%s: no %q\n%s", event, tt.want, log)
			}
		}
	}
}
