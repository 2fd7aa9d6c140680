package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestFullDisk: what cannot be written is an error that names the file. The old file
// stays as it was, nothing is left beside it, and a report on stdout is not lost.
func TestFullDisk(t *testing.T) {
	dir := scannertest.Repo(t, "")
	for i := range 200 { // a report of some pages
		text := detectorstest.Fill("aws_access_key_id={AKIA1}\naws_secret_access_key={secret1}\n") + strings.Repeat("x", i)
		if err := os.WriteFile(filepath.Join(dir, "a"+strings.Repeat("b", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	scannertest.Git(t, dir, "add", "-A")
	scannertest.Git(t, dir, "commit", "-qm", "first")
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("a small file system cannot be mounted here:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	tests := []struct {
		name   string
		args   []string
		old    string
		stdout string // in it
	}{
		{"output", []string{"--output", "FILE"}, "old report", ""},
		{"output_json", []string{"--output", "FILE", "-f", "json"}, "old report", ""},
		{"output_sarif", []string{"--output", "FILE", "-f", "sarif"}, "old report", ""},
		{"new_output", []string{"--output", "FILE"}, "", ""},
		{"state", []string{"--since-state", "FILE"}, `{"schema":"stanch-state/v1","version":"0","packs":[],"loose":[]}`, "aws-access-key"},
		{"new_state", []string{"--since-state", "FILE"}, "", "aws-access-key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(disk, "file")
			if tt.old != "" {
				if err := os.WriteFile(file, []byte(tt.old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			fillUp(t, filepath.Join(disk, "rest"))
			before, err := os.ReadDir(disk)
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"git", "--no-verify"}, tt.args...)
			args[3] = file
			var stdout, stderr bytes.Buffer
			err = run(t.Context(), append(args, dir), nil, &stdout, &stderr)
			if code := cli.ExitCode(&stderr, err); code != cli.ExitIncomplete || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(stderr.String(), file+": ") {
				t.Errorf("exit code %d, error %v", code, err)
			}
			if !strings.Contains(stdout.String(), tt.stdout) {
				t.Errorf("stdout is %q", stdout.String())
			}
			if got, err := os.ReadFile(file); string(got) != tt.old || err == nil != (tt.old != "") {
				t.Errorf("the file holds %q, error %v", got, err)
			}
			if after, err := os.ReadDir(disk); err != nil || len(after) != len(before) {
				t.Errorf("%d files before and %d after, error %v", len(before), len(after), err)
			}
			for _, f := range before {
				if err := os.Remove(filepath.Join(disk, f.Name())); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// fillUp writes to file until the disk is full, up to a page.
func fillUp(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for range 1000 {
		if _, err := f.Write(page); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the disk has no end")
}
