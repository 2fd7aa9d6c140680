//go:build !sweep

package sweep

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// New tells the user where to get the command. With its engine and databases, the
// machine of a developer would take 1.6 times the CPU to build the hook, at the first
// commit (bench/2026-11-22-sweep/build.md).
func New(*cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:                "sweep",
		Short:              "Sweep organizations again and again (in builds with the tag \"sweep\")",
		Long:               "This build has no engine for sweeps: with it, hooks would take 1.6 times the time to\nbuild. The releases have it, and so has:\n\n  go install -tags sweep github.com/stanch-dev/stanch/cmd/stanch@latest\n\n\"stanch github\" sweeps once, without a database.",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return cmd.Help()
			}
			return fmt.Errorf("%w, or use \"stanch github\"", errNoSweeps)
		},
	}
}

var errNoSweeps = errors.New("this build has no engine for sweeps: install one with \"go install -tags sweep github.com/stanch-dev/stanch/cmd/stanch@latest\"")

// Report tells the user where to get a build that can read a database.
func Report(context.Context, string, string, finding.Handler) error { return errNoSweeps }
