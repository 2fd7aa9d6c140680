//go:build unix

package gitsource

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// BenchmarkLocate locates 100 blobs at random, beside git rev-list --all
// --objects, which is what a walk over all commits and trees costs. "alone" reads
// them for it, "after_scan" is what is left to do when a scan has read them.
func BenchmarkLocate(b *testing.B) {
	r := benchRepo(b)
	ids := randomBlobs(b, os.Getenv("STANCH_REPO"), 100)
	locate := func() {
		if err := r.Locate(context.Background(), ids, func(finding.BlobID, finding.Location) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("alone", func(b *testing.B) {
		besideRevList(b, func() {
			r.keepGraph(nil)
			locate()
		})
	})
	b.Run("after_scan", func(b *testing.B) {
		if err := r.BlobsMatching(context.Background(), scanner.Prefilter{Whole: func([]byte) bool { return true }}, func(scanner.Blob) error { return nil }); err != nil {
			b.Fatal(err)
		}
		besideRevList(b, locate)
	})
}

// besideRevList runs fn and git in turn, and reports the ratios of their times.
func besideRevList(b *testing.B, fn func()) {
	b.Helper()
	var wall, cpu, gitWall, gitCPU time.Duration
	for b.Loop() {
		begin, used := time.Now(), ownCPU()
		fn()
		wall, cpu = wall+time.Since(begin), cpu+ownCPU()-used
		git := exec.Command("git", "-C", os.Getenv("STANCH_REPO"), "rev-list", "--all", "--objects", "--missing=allow-any")
		begin = time.Now()
		if err := git.Run(); err != nil {
			b.Fatal(err)
		}
		gitWall += time.Since(begin)
		gitCPU += git.ProcessState.UserTime() + git.ProcessState.SystemTime()
	}
	b.ReportMetric(wall.Seconds()/gitWall.Seconds(), "×wall")
	b.ReportMetric(cpu.Seconds()/gitCPU.Seconds(), "×CPU")
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
