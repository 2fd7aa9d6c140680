package respond

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/planner"
)

// planFlags are the flags of commands that make a plan.
type planFlags struct {
	respondFlags
	keys              []string
	force, quarantine bool
}

func (f *planFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.keys, "key", nil, "plan only for this key `ID` of the report, which is known to have leaked")
	flags.BoolVar(&f.force, "force-in-use", false, "also plan for keys that were used in the last day")
	flags.BoolVar(&f.quarantine, "quarantine", false, "also attach AWS's quarantine policy to the user")
}

func newPlan(s *cli.Streams, swept SweepReport) *cobra.Command {
	f, from := &planFlags{}, sweepFlags{}
	var out cli.OutputFlags
	cmd := &cobra.Command{
		Use:   "plan [REPORT | KEY-ID... | --sweep TARGET]",
		Short: "Plan how to shut off leaked keys",
		Long: `Plan how to shut off the live keys of a report, or keys that you name. Nothing is
changed.

` + startHelp + `
--sweep starts from the findings of a sweep, in the database of STANCH_DATABASE_URL or
your own.

IAM is asked with your own identity whether a key works. If the report has the secrets
(--show-secrets), AWS STS is asked as well. IAM does not know whether a session is live:
without its secret, the answer in the report counts for an hour.`,
		Example: `  stanch git -o scan.jsonl                                             # find the keys
  stanch respond plan scan.jsonl --accounts 111122223333 -o plan.json  # plan
  stanch respond plan KEY-ID --accounts 111122223333 -o plan.json      # or for one key
  stanch respond plan --sweep acme --new --accounts 111122223333       # new in the last sweep`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(cmd.Context()); err != nil {
				return err
			}
			if out.Format != "text" && out.Format != "json" {
				return fmt.Errorf("--format %s: text, or json", out.Format)
			}
			if out.File != "" && out.ToStdout() { // the plan itself, and not both
				out.File, out.Format = "", "json"
			}
			if f.self && f.quarantine {
				return errors.New("--self and --quarantine do not go together: a leaked key does nothing but switch itself off")
			}
			if err := from.check(cmd, args); err != nil {
				return err
			}
			st, err := from.start(cmd, s, swept, args)
			if err != nil {
				return cli.Failed(err)
			}
			leaks, err := st.leaks(f.keys)
			if err != nil {
				return err
			}
			rules, err := f.rules(accountsIn(leaks)...)
			if err != nil {
				return err
			}
			rules.ForceInUse = f.force
			f.startsFrom(st, leaks)
			op, _, err := f.identity(cmd.Context(), s)
			if err != nil {
				return err
			}
			p := planner.Planner{
				Operator: op, Verifier: f.sts(s.Version), Rules: rules, Quarantine: f.quarantine, Named: st.named, Activity: f.trail(),
				Commands: f.typed.Commands(st.report.Header.Source, st.report.Header.Target),
			}
			plan, err := planShown(cmd.Context(), s, &p, leaks)
			if err != nil {
				return err
			}
			return st.missing(cli.UnfinishedIf(writePlan(&out, s, &f.respondFlags, plan)))
		},
	}
	f.respondFlags.add(cmd)
	f.add(cmd)
	from.add(cmd)
	cmd.Flags().StringVarP(&out.File, "output", "o", "", "write the plan to `FILE`, for apply; \"-\" is standard output, in place of the text")
	cmd.Flags().StringVarP(&out.Format, "format", "f", "text", "write this `FORMAT` to standard output: text, or json (the plan)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// planShown makes a plan, and says meanwhile how far that is.
func planShown(ctx context.Context, s *cli.Streams, p *planner.Planner, leaks []finding.Finding) (plan response.Plan, err error) {
	asking := &cli.Asking{}
	p.Progress = asking.Step
	err = s.Line.During(asking.Text, func() error {
		plan, err = p.Plan(ctx, leaks)
		return err
	})
	return plan, err
}

// writePlan writes a plan to the file that f names and to stdout.
func writePlan(f *cli.OutputFlags, s *cli.Streams, by *respondFlags, plan response.Plan) (err error) {
	if f.File != "" {
		if err := f.Save(s.Stdout, plan.Encode()); err != nil {
			return err
		}
	}
	if f.Format == "json" {
		_, err = s.Stdout.Write(plan.Encode())
	} else {
		err = page(s.Stdout).WritePlan(plan, f.File, by.typed)
	}
	if err != nil {
		return err
	}
	return notPlanned(plan)
}
