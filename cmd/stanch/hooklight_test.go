package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestHookIsLight: what is linked into stanch costs a hook next to nothing before
// main begins. GODEBUG=inittrace=1 (package runtime) tells of each package how long it
// took to initialise and how much it allocated; time is noise on a busy machine,
// allocation is not.
func TestHookIsLight(t *testing.T) {
	scannertest.Need(t, "git", "go")
	dir := scannertest.Repo(t, "echo a >a; git add a")
	// Not this binary: what tests import would count too.
	bin := filepath.Join(t.TempDir(), "stanch")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), bin, "hook", "run")
	cmd.Dir, cmd.Env = dir, append(hookEnv(t), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	trace := regexp.MustCompile(`(?m)^init (\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes`)
	total, clock := 0, 0.0
	packages := trace.FindAllStringSubmatch(string(out), -1)
	for _, m := range packages {
		n, _ := strconv.Atoi(m[3])
		ms, _ := strconv.ParseFloat(m[2], 64)
		total, clock = total+n, clock+ms
		if n > 100_000 {
			t.Errorf("%s allocates %d bytes to initialise", m[1], n)
		}
		if regexp.MustCompile(`riverqueue|database/sql|sqlite|pgx`).MatchString(m[1]) {
			t.Errorf("%s is initialised for a hook", m[1])
		}
		// All that is linked is initialised: for go-github a table, 19 kB and 0.1 ms, and no
		// client.
		if strings.Contains(m[1], "go-github") && n > 32_000 {
			t.Errorf("%s allocates %d bytes to initialise", m[1], n)
		}
	}
	if len(packages) < 10 || total > 1_000_000 {
		t.Errorf("%d packages allocate %d bytes to initialise", len(packages), total)
	}
	t.Logf("%d packages, %d bytes, %.1f ms", len(packages), total, clock)
}
