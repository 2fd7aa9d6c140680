//go:build sweep

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// small mounts a file system of a size, as for mount(8).
func small(t *testing.T, size string) string {
	t.Helper()
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("a small file system cannot be mounted here:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return disk
}

// TestSweepFullDisk: where there is no room for a repository, the others are read; where
// there is none for the database, the sweep says so and goes on with the next one.
func TestSweepFullDisk(t *testing.T) {
	all := []string{"1: a", "2: large"}
	fill := func(o *sweptOrg) {
		o.repo(t, "a", "", `leak 1 f; commit 1`)
		o.repo(t, "large", "", `leak 2 f; head -c 6000000 /dev/urandom >random; commit 1`)
		o.add(t)
	}
	t.Run("fetch", func(t *testing.T) {
		disk := small(t, "4m")
		o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
		tmp := os.Getenv("TMPDIR")
		fill(o)
		t.Setenv("TMPDIR", disk)
		if got := o.sweep(t, cli.ExitIncomplete); !slices.Equal(got, all[:1]) {
			t.Errorf("found %q", got)
		}
		if st := o.status(t); len(st.Troubled) != 1 || !strings.Contains(st.Troubled[0].Why, "no space left") {
			t.Errorf("status says %+v", st.Troubled)
		}
		if left, _ := os.ReadDir(disk); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
		t.Setenv("TMPDIR", tmp)
		if got := o.sweep(t, cli.ExitLeaks); !slices.Equal(got, all) {
			t.Errorf("with room: found %q", got)
		}
	})
	for name, room := range map[string]int64{"database": 0, "database_later": 100 << 10} {
		t.Run(name, func(t *testing.T) {
			disk := small(t, "3m")
			o := newSweptOrg(t, filepath.Join(disk, "sweep.db"))
			fill(o)
			rest := filepath.Join(disk, "rest")
			fillUp(t, rest)
			info, err := os.Stat(rest)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(rest, info.Size()-room); err != nil {
				t.Fatal(err)
			}
			code, out, errs := o.stanch(t, "run", "--no-verify", "--retry-after", "10ms", "--dead-after", "2s")
			if code != cli.ExitIncomplete || !strings.Contains(errs, "disk") && !strings.Contains(errs, "could not be") {
				t.Errorf("exit status %d: %s%s", code, out, errs)
			}
			if err := os.Remove(rest); err != nil {
				t.Fatal(err)
			}
			if got := o.sweep(t, cli.ExitLeaks); !slices.Equal(got, all) {
				t.Errorf("with room: found %q", got)
			}
		})
	}
}
