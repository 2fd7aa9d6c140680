package respond

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier/response/planner"
)

func newNow(s *cli.Streams) *cobra.Command {
	f := &planFlags{}
	cmd := &cobra.Command{
		Use:   "now [REPORT | KEY-ID...]",
		Short: "Plan, ask, and shut leaked keys off in one go",
		Long: `Plan how to shut off the live keys of a report, or keys that you name, show the plan,
ask, and apply it: "plan" and "apply" in one command, under the same gates.

` + startHelp + `

With --yes nobody is asked, for --max-keys keys at most: so EventBridge can start it
for an event of AWS Health (https://github.com/stanch-dev/stanch/blob/main/docs/deploy/README.md). The plan is written beside the journal,
since "confirm" and "undo" need it. If stanch has shut all keys off already, as when
AWS sends an event twice, the exit code is 0.`,
		Example: `  stanch respond now scan.jsonl --accounts 111122223333              # one live key of a report
  stanch respond now KEY-ID --accounts 111122223333                  # a key that you were told of
  stanch respond now env:STANCH_EVENT --accounts 111122223333 --yes  # by EventBridge`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if !f.yes && cli.Operand(args, "-") == "-" {
				return errors.New("standard input is where you type: name a file, or key ids, or --yes")
			}
			if err := f.complete(ctx); err != nil {
				return err
			}
			st, err := readStart(ctx, s, args, true)
			if err != nil {
				return cli.Failed(err)
			}
			leaks, err := st.leaks(f.keys)
			if err != nil {
				return err
			}
			if _, err := f.rules(accountsIn(leaks)...); err != nil {
				return err
			}
			f.startsFrom(st, leaks)
			op, err := f.Open(ctx, s)
			if err != nil {
				return err
			}
			p := &planner.Planner{
				Operator: op, Verifier: f.sts(s.Version), Quarantine: f.quarantine, Named: st.named,
				Commands: f.typed.Commands(st.report.Header.Source, st.report.Header.Target),
			}
			p.Rules.ForceInUse = f.force
			err = (&Deactivation{respond: f.respondFlags, leaks: leaks}).shutOff(ctx, s, s.Stdout, p)
			return st.missing(err)
		},
	}
	f.addLimits(cmd)
	f.add(cmd)
	f.addJournal(cmd)
	f.addNotify(cmd)
	f.cache.AddDir(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.IntVar(&f.maxKeys, "max-keys", 1, "refuse to shut off more than `N` keys")
	return cmd
}
