//go:build sweep

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestScreensForPictures runs stanch in tmux, as people run it, and writes what the terminal
// shows to STANCH_SCREENS, a folder, with the codes of colours. docs/pictures/make draws it.
//
// STS, IAM and GitHub are servers of this test, and one call of STS takes 50 ms. A script that
// is called stanch adds the hidden flags that lead there.
func TestScreensForPictures(t *testing.T) {
	folder := os.Getenv("STANCH_SCREENS")
	if folder == "" {
		t.Skip("STANCH_SCREENS names no folder for the screens; docs/pictures/make sets it")
	}
	scannertest.Need(t, "tmux", "git", "sh")
	for name, steps := range map[string]func(*testing.T, *desk) string{
		"scan": firstScan, "asking": manyKeys, "sweep": firstSweep, "commit": refusedCommit, "plan": plannedResponse,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(folder, name+".screen"), []byte(steps(t, newDesk(t))), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func firstScan(t *testing.T, d *desk) string {
	t.Helper()
	d.repository(t, "app", `mkdir config
printf 'STAGE=prod\nAWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n' >config/prod.env
at 2026-03-02T09:00:00Z 'Configure production'
echo STAGE=prod >config/prod.env
at 2026-03-09T09:00:00Z 'Remove the key'`)
	term := d.open(t, 128, 24)
	term.runs("stanch git app")
	term.shows(`1 live`)
	return term.screen()
}

func manyKeys(t *testing.T, d *desk) string {
	t.Helper()
	var lines []string
	for i := range 500 {
		c := verifiertest.LongTerm(detectorstest.Account, uint64(1000+i))
		lines = append(lines, fmt.Sprintf("backup-%d:\n  aws_access_key_id: %s\n  aws_secret_access_key: %s", i, c.ID, c.Secret.Reveal()))
	}
	d.repository(t, "backups", "cat >keys.yaml <<'END'\n"+strings.Join(lines, "\n")+"\nEND\nat 2026-03-02T09:00:00Z 'Save all accounts'")
	term := d.open(t, 128, 3)
	term.types("stanch git backups")
	term.shows(`\b[1-4]\d\d of 500 `)
	screen := term.screen()
	term.runs("C-c")
	return screen
}

func firstSweep(t *testing.T, d *desk) string {
	t.Helper()
	for i, name := range []string{"billing", "checkout", "terraform", "website"} {
		script := "echo hello >README; at 2026-03-02T09:00:00Z 'Begin'"
		if i%2 == 0 {
			n := i + 1
			script += fmt.Sprintf("\nprintf 'aws_access_key_id = {AKIA%d}\\naws_secret_access_key = {secret%d}\\n' >deploy.ini; at 2026-03-0%dT09:00:00Z 'Deploy'", n, n, i+3)
		}
		d.hub.repo(t, name, "", d.shell(script))
	}
	term := d.open(t, 128, 44)
	term.runs("stanch sweep add acme --every 1h")
	term.runs("stanch sweep run")
	term.shows(`1 live, 1 invalid`)
	return term.screen()
}

func refusedCommit(t *testing.T, d *desk) string {
	t.Helper()
	d.repository(t, "app", "echo hello >README; at 2026-03-02T09:00:00Z 'Begin'")
	d.in(t, "app", "mkdir config; printf 'STAGE=prod\nAWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n' >config/prod.env")
	term := d.open(t, 128, 34)
	term.runs("cd app")
	term.runs("stanch hook install")
	term.runs("git add config")
	term.clear()
	term.runs("git commit -m 'Configure production'")
	term.shows("the commit is refused")
	return term.screen()
}

func plannedResponse(t *testing.T, d *desk) string {
	t.Helper()
	d.repository(t, "app", "printf 'AWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n' >prod.env; at 2026-03-02T09:00:00Z 'Configure production'")
	term := d.open(t, 128, 40)
	term.runs("stanch git app -f json -o scan.jsonl")
	term.clear()
	term.runs("stanch respond plan scan.jsonl -o plan.json")
	term.shows(`stanch respond apply plan\.json`)
	return term.screen()
}

// A desk is the home of somebody who works with stanch, and the servers around it.
type desk struct {
	home, bin string
	hub       *sweptOrg
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{home: t.TempDir(), bin: t.TempDir()}
	d.hub = newSweptOrg(t, filepath.Join(d.home, "sweep.db"))
	aws := verifiertest.NewAWS(t)
	aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		a.User("deploy", 1).Path = "/ci/"
		a.Role("stanch-respond", "example")
	})
	var operator []string
	aws.Change(ops, func(a *verifiertest.Account) {
		for name, value := range verifiertest.Environment(a.User("olga", 11).Keys[0].Credential) {
			operator = append(operator, name+"="+value)
		}
	})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		aws.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "stanch") // a link would be followed, and "stanch hook install" would install this test
	if out, err := exec.Command("cp", self, program).CombinedOutput(); err != nil {
		t.Fatalf("copying %s: %v: %s", self, err, out)
	}
	script := fmt.Sprintf(`#!/bin/sh
case "$1 $2" in
"sweep add") set -- "$@" --api-url '%[1]s' ;;
"sweep run") set -- "$@" --sts-endpoint '%[2]s' ;;
git\ *) set -- "$@" --no-cache --sts-endpoint '%[2]s' ;;
"respond plan") set -- "$@" --aws-endpoint '%[3]s' ;;
esac
exec env %[5]s '%[4]s' "$@"
`, d.hub.url, slow.URL, aws.URL, program, strings.Join(operator, " "))
	d.write(t, filepath.Join(d.bin, "stanch"), script, 0o700)
	d.write(t, filepath.Join(d.home, ".config", "stanch", ".stanch.toml"), fmt.Sprintf(
		"[respond]\nrole = \"stanch-respond\"\nexternal_id = \"example\"\naccounts = [%q]\n", detectorstest.Account), 0o600)
	return d
}

func (d *desk) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// shell returns a script with its keys filled in, and "at TIME MESSAGE" as a command that commits.
func (d *desk) shell(script string) string {
	return `at() {
	git add -A
	GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git -c user.name=Ada -c user.email=ada@example.com commit -qm "$2"
}
` + detectorstest.Fill(script)
}

// repository makes a repository with a script.
func (d *desk) repository(t *testing.T, name, script string) {
	t.Helper()
	scannertest.Git(t, d.home, "init", "-q", "-b", "main", name)
	d.in(t, name, script)
}

// in runs a script in a folder of the home.
func (d *desk) in(t *testing.T, name, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", d.shell(script))
	cmd.Dir, cmd.Env = filepath.Join(d.home, name), d.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func (d *desk) environment() []string {
	return []string{
		"HOME=" + d.home, "PATH=" + d.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TERM=xterm-256color",
		"GITHUB_TOKEN=" + gitHubToken, "GIT_CONFIG_NOSYSTEM=1", "HISTFILE=",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
}

// A terminal is one of tmux, with a shell.
type terminal struct {
	t      *testing.T
	socket string
}

// open opens a terminal in the home.
func (d *desk) open(t *testing.T, columns, lines int) *terminal {
	t.Helper()
	term := &terminal{t, filepath.Join(t.TempDir(), "tmux")}
	cmd := exec.Command("tmux", "-S", term.socket, "-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(lines),
		"env", `PS1=\[\e[2m\]$\[\e[0m\] `, "bash", "--norc", "--noprofile")
	cmd.Dir, cmd.Env = d.home, d.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	term.tmux("set", "-g", "status", "off")
	term.tmux("resize-window", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(lines))
	term.shows(`(?m)^\$ ?\n*\z`)
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// types types a line.
func (term *terminal) types(line string) {
	term.t.Helper()
	term.tmux("send-keys", "-l", line)
	term.tmux("send-keys", "Enter")
}

// runs types a command, or presses C-c, and waits for the next prompt.
func (term *terminal) runs(command string) {
	term.t.Helper()
	if command == "C-c" {
		term.tmux("send-keys", command)
	} else {
		term.types(command)
	}
	time.Sleep(300 * time.Millisecond) // the prompt before it is gone
	term.shows(`(?m)^\$ ?\n*\z`)
}

// clear presses C-l, which keeps the prompt.
func (term *terminal) clear() {
	term.t.Helper()
	term.tmux("send-keys", "C-l")
	term.shows(`(?m)\A\$ ?\n*\z`)
}

// shows waits until the screen matches a pattern.
func (term *terminal) shows(pattern string) {
	term.t.Helper()
	wanted := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		text := term.tmux("capture-pane", "-p")
		if wanted.MatchString(text) {
			return
		}
		if time.Now().After(deadline) {
			term.t.Fatalf("the terminal does not show %s:\n%s", pattern, text)
		}
	}
}

// screen returns the screen with its colours, without the last prompt.
func (term *terminal) screen() string {
	lines := strings.Split(strings.TrimRight(term.tmux("capture-pane", "-p", "-e"), "\n"), "\n")
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m")
	if last := len(lines) - 1; strings.TrimSpace(plain.ReplaceAllString(lines[last], "")) == "$" {
		lines = slices.Delete(lines, last, last+1)
	}
	return strings.Join(lines, "\n") + "\n"
}
