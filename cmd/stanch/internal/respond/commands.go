package respond

import (
	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// NewRespond returns the command "stanch respond".
func NewRespond(s *cli.Streams) *cobra.Command {
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
	cmd.AddCommand(newPlan(s), newNow(s), newApply(s), newConfirm(s), newUndo(s), newLog(s), newPolicy(s))
	return cmd
}
