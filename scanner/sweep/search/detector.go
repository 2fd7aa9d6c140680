package search

import (
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
)

// A Detector holds all that changes findings or how they are verified. Repositories that
// another Detector has read are read again.
type Detector struct {
	Build         string // of this program
	Project       *project.Config
	MinConfidence string
	MaxSize       int64 // MiB
	// Inventory says whether there is an inventory, and not which one: some users make
	// theirs each day, and reading all repositories each day costs too much.
	Inventory          bool
	Verifies, Assesses bool
	// Accounts, Partitions and Canaries are sets: neither order nor copies count.
	Accounts, Partitions, Canaries []string
}

// Name returns the name of d, for engine.Engine: another Detector has another name.
func (d *Detector) Name() string {
	asks := sha256.New()
	for _, list := range [][]string{d.Accounts, d.Partitions, d.Canaries} {
		_, _ = fmt.Fprintf(asks, "%q", slices.Compact(slices.Sorted(slices.Values(list))))
	}
	return fmt.Sprintf("%s verify=%v asks=%x assess=%v rules=%x ignores=%x inventory=%v confidence=%s max=%d",
		d.Build, d.Verifies, asks.Sum(nil)[:8], d.Assesses, d.Project.RulesDigest(), d.Project.IgnoresDigest()[:8], d.Inventory, d.MinConfidence, d.MaxSize)
}

// Build tells this build from others, the same on all machines of a fleet: the version or
// commit if nothing was changed, else a hash of the program.
func Build(version string) (string, error) {
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" && !strings.Contains(v, "dirty") {
			return v, nil
		}
	}
	return run.Build(version)
}
