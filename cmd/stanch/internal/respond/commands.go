package respond

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// A SweepReport passes the report of a target that is swept to h: its name or URL. The database is that of the environment, or the user's own. It holds no secret.
type SweepReport func(ctx context.Context, version, target string, h finding.Handler) error

// NewRespond returns the command "stanch respond". Plans may start from the report of a sweep.
func NewRespond(s *cli.Streams, swept SweepReport) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "respond",
		Short: "Shut leaked keys off: plan, apply, confirm, undo",
		Long: `Shut leaked keys off with your own AWS identity, reversibly. Nothing is changed
without a plan that you have seen: "plan" only reads, "apply" takes the steps of the
plan once you have typed the answer that it asks for, and "undo" takes them back. Every
change is in a journal before it is made. Keys are deactivated, never deleted.

--role, --external-id, --accounts, --break-glass, --profile and --journal may stand in a
file of your own: https://github.com/stanch-dev/stanch/blob/main/docs/configuration.md`,
		Example: `  stanch respond plan scan.jsonl --accounts 111122223333 -o plan.json  # look
  stanch respond apply plan.json --accounts 111122223333               # act
  stanch respond confirm plan.json --accounts 111122223333             # check
  stanch respond undo plan.json --accounts 111122223333                # undo`,
		Args: cli.NoCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPlan(s, swept), newNow(s), newApply(s), newConfirm(s), newUndo(s), newLog(s), newPolicy(s))
	return cmd
}
