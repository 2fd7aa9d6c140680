package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// A terminalRun runs stanch at a terminal, in a folder of its own.
type terminalRun struct {
	t   *testing.T
	dir string
	sts *verifiertest.STS
}

// newTerminalRun makes a folder with so many keys, which take some seconds to be asked about.
func newTerminalRun(t *testing.T, keys int) *terminalRun {
	t.Helper()
	scannertest.Need(t, "script", "sh", "stty")
	r := &terminalRun{t: t, dir: t.TempDir(), sts: verifiertest.NewSTS(t)}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(r.dir, "stanch")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(r.dir, "src"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		text := fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", detectorstest.KeyID("AKIA", detectorstest.Account, uint64(i+100)), detectorstest.SecretKey(uint64(i+100)))
		if err := os.WriteFile(filepath.Join(r.dir, "src", fmt.Sprintf("%03d.env", i)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// run runs a command of the shell at a terminal of so many columns, and returns the bytes that
// the terminal got.
func (r *terminalRun) run(columns int, command string, env ...string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute) // whoever waits for a person waits for ever
	defer cancel()
	cmd := exec.CommandContext(ctx, "script", "-qec", fmt.Sprintf("stty cols %d; %s", columns, command), os.DevNull)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), append([]string{"CI=", "TERM=xterm", "NO_COLOR=1", "STS=" + r.sts.URL, "HOME=" + r.dir}, env...)...)
	out, _ := cmd.CombinedOutput() // leaks are an error
	return string(out)
}

// screenOf returns the rows that a terminal shows after it got these bytes. It knows what a
// Line writes: carriage returns, line ends, and the escape that erases the rest of a row.
func screenOf(t *testing.T, text string) (rows []string) {
	t.Helper()
	row, at := []rune{}, 0
	for i, chars := 0, []rune(text); i < len(chars); i++ {
		switch rest := string(chars[i:min(i+3, len(chars))]); {
		case rest == "\x1b[K":
			row = row[:min(at, len(row))]
			i += 2
		case chars[i] == '\x1b':
			t.Fatalf("the terminal got another escape: %q", rest)
		case chars[i] == '\r':
			at = 0
		case chars[i] == '\n':
			rows = append(rows, string(row))
			row, at = nil, 0
		default:
			row = append(row[:min(at, len(row))], append([]rune{chars[i]}, row[min(at+1, len(row)):]...)...)
			at++
		}
	}
	return append(rows, string(row))
}

// wordsOf returns the words of text without the time that the scan took, and without the dots
// at which a terminal breaks a line.
func wordsOf(text string) []string {
	text = regexp.MustCompile(` read in\s+[0-9.]+ (ms|s)`).ReplaceAllString(text, " read")
	return strings.Fields(strings.ReplaceAll(text, "·", ""))
}

var drawn = regexp.MustCompile("\r\x1b\\[K(asking[^\r\x1b]*)")

// TestProgressAtTerminal: while AWS is asked, a line says how far that is, cut to the width of
// the terminal. Nothing of it is left on the screen, which has the words of the same scan in a
// pipe.
func TestProgressAtTerminal(t *testing.T) {
	r := newTerminalRun(t, 60)
	const scan = "./stanch dir src --verify --no-cache --sts-endpoint $STS"
	plain := strings.ReplaceAll(r.run(80, scan+" > plain 2>&1; cat plain"), "\r", "")
	if strings.Contains(plain, "asking") || strings.Contains(plain, "\x1b") || !strings.Contains(plain, "60 leaked credentials") {
		t.Fatalf("in a pipe:\n%s", plain)
	}
	for _, columns := range []int{40, 100} {
		out := r.run(columns, scan)
		var lines []string
		for _, m := range drawn.FindAllStringSubmatch(out, -1) {
			if n := len([]rune(m[1])); n >= columns {
				t.Errorf("%d columns: a line of %d: %q", columns, n, m[1])
			}
			lines = append(lines, m[1])
		}
		want := map[int]*regexp.Regexp{40: regexp.MustCompile(`^asking AWS: \d+ of 60 keys( · \d s left)?$`),
			100: regexp.MustCompile(`^asking AWS: \d+ of 60 keys · \d s left \(Ctrl-C keeps the report\)$`)}[columns]
		if all := strings.Join(lines, "\n"); len(lines) < 5 || !regexp.MustCompile("(?m)"+want.String()).MatchString(all) {
			t.Errorf("%d columns: lines\n%s", columns, all)
		}
		if diff := cmp.Diff(wordsOf(plain), wordsOf(strings.Join(screenOf(t, out), "\n"))); diff != "" {
			t.Errorf("%d columns: left on the screen (-in a pipe +at the terminal):\n%s", columns, diff)
		}
	}
	for _, env := range []string{"TERM=dumb", "CI=true"} {
		if out := r.run(80, scan, env); strings.Contains(out, "asking") || strings.Contains(out, "\x1b") {
			t.Errorf("%s: %q", env, out)
		}
	}
}

// TestWaitsForInput: a command that reads a terminal says that it does, and how to end that.
func TestWaitsForInput(t *testing.T) {
	r := newTerminalRun(t, 0)
	const says = "stanch: reading standard input; end it with Ctrl-D"
	for _, args := range []string{"stdin", "report", "verify", "assess"} {
		out := r.run(80, "printf '\\004' | script -qec './stanch "+args+"' /dev/null")
		if strings.Count(out, says) != 1 {
			t.Errorf("%s at a terminal: %q", args, out)
		}
		if out = r.run(80, "./stanch "+args+" < /dev/null"); strings.Contains(out, says) {
			t.Errorf("%s in a pipe: %q", args, out)
		}
	}
}
