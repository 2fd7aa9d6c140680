package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// TestJournalOnFullDisk: on a disk that is full, or that gets full on the way, no
// step is taken without its record. Where there is room again, the same plan is
// ended.
func TestJournalOnFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=128k"); err != nil {
		t.Skip("a small file system cannot be mounted here:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	outOfSpace, ended := 0, 0
	for free := range 7 { // pages: the lock, the plan, the journal, its head, and one for the next head
		t.Run(strconv.Itoa(free), func(t *testing.T) {
			c := newLeakCase(t)
			room := filepath.Join(disk, "room")
			if err := os.WriteFile(room, make([]byte, free*4096), 0o600); err != nil {
				t.Fatal(err)
			}
			fillUp(t, filepath.Join(disk, "rest"))
			if err := os.Remove(room); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(disk, "journal.jsonl")
			args := c.respond("apply", "--journal", name, "--yes", "--plan", c.hash)
			code, stdout, stderr := c.run("", args...)
			full := strings.Contains(stderr, syscall.ENOSPC.Error())
			if full != (code == cli.ExitIncomplete) || !full && code != cli.ExitClean || full && strings.Contains(stdout, "CONTAINED") {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
			intents := 0
			records, err := journal.Read(name)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the journal is damaged: %v", err)
			}
			for _, r := range records {
				if r.Event == journal.EventIntent {
					intents++
				}
			}
			made := 0
			for _, list := range c.aws.Writes() {
				made += len(list)
			}
			if made > intents {
				t.Errorf("%d changes, and %d are in the journal", made, intents)
			}
			if full {
				outOfSpace++
			} else {
				ended++
			}
			if err := os.Remove(filepath.Join(disk, "rest")); err != nil {
				t.Fatal(err)
			}
			if full {
				if code, stdout, stderr := c.run("", args...); code != cli.ExitClean || !strings.Contains(stdout, "CONTAINED") {
					t.Errorf("with room again: exit code %d\n%s%s", code, stdout, stderr)
				}
			}
			left, err := os.ReadDir(disk)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range left {
				if strings.HasPrefix(f.Name(), ".head") {
					t.Errorf("%s is left behind", f.Name())
				}
				if err := os.Remove(filepath.Join(disk, f.Name())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if outOfSpace < 2 || ended < 1 {
		t.Errorf("%d times the disk was full, %d times it was not: the test fills nothing", outOfSpace, ended)
	}
}
