//go:build sweep

package sweep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/project"
)

// TestDetector holds that each flag which changes findings or how they are verified makes
// another detector, and that other flags do not.
func TestDetector(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of := func(build string, flags ...string) string {
		t.Helper()
		f, s := &engineFlags{}, &cli.Streams{Stdout: t.Output(), Stderr: t.Output()}
		cmd := newSweepRun(s, &databaseFlags{})
		cmd.ResetFlags()
		f.addReport(cmd)
		if err := cmd.ParseFlags(flags); err != nil {
			t.Fatal(err)
		}
		c, err := f.Config.Read(s.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		name, err := f.detector(build, c)
		if err != nil {
			t.Fatal(err)
		}
		c.Notes.Add("%s", "an entry that hid something ended today")
		if ended, err := f.detector(build, c); err != nil || ended == name {
			t.Errorf("%q: that an entry has ended makes no other detector: %v", flags, err)
		}
		return name
	}
	write("canaries", "111122223333\n")
	write("more", "111122223333\n444455556666 # new\n")
	write("same", "# the same\n111122223333\n")
	write("baseline", "[]")
	write("other-baseline", "[ ]")
	write("rules.toml", "[[allow]]\nreason = 'not ours'\npaths = ['old']\n")
	write("ended.toml", "[[allow]]\nreason = 'not ours'\npaths = ['old']\nexpires = 2020-01-01\n")
	seen := map[string][]string{}
	for _, flags := range [][]string{
		{}, {"--no-verify"}, {"--accounts", "111122223333"}, {"--accounts", "111122223333,444455556666"}, {"--partitions", "aws-cn"},
		{"--canary-accounts", "canaries"}, {"--canary-accounts", "more"}, {"--assess"}, {"--honor-ignores-for-live"}, {"--no-ignores"},
		{"--min-confidence", "high"}, {"--max-size", "1"}, {"--baseline", "baseline"}, {"--baseline", "other-baseline"},
		{"--config", "rules.toml"}, {"--config", "ended.toml"}, {"--inventory", "x"},
	} {
		seen[of("v1", flags...)] = flags
	}
	if len(seen) != 17 {
		t.Errorf("17 rows of flags make %d detectors: %q", len(seen), seen)
	}
	same := of("v1")
	for _, flags := range [][]string{{"--scans", "4"}, {"--fail-on", "live"}, {"-f", "json"}, {"--debug"}, {"--no-cache"}} {
		if of("v1", flags...) != same {
			t.Errorf("%q make another detector", flags)
		}
	}
	if of("v1", "--canary-accounts", "canaries") != of("v1", "--canary-accounts", "same") {
		t.Error("a comment makes another detector")
	}
	write(project.GitleaksIgnore, strings.Repeat("0", 40)+":f:aws-access-key:1\n")
	if of("v1") == same || of("v2", "--no-ignores") == of("v1", "--no-ignores") {
		t.Error("an ignore file or a build makes no other detector")
	}
	if got := of("v1", "--no-ignores"); seen[got] == nil {
		t.Error("an ignore file counts though none is read")
	}
}
