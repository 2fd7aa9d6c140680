package respond

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// NewAssess returns the command "stanch assess".
func NewAssess(s *cli.Streams) *cobra.Command {
	f := &cli.OperatorFlags{}
	var format string
	cmd := &cobra.Command{
		Use:   "assess [REPORT | KEY-ID...]",
		Short: "Say how dangerous leaked keys are: their owner, rights and use",
		Long: `Ask AWS with your own identity about the keys of a report, or about key ids: their
owner, age and rights, their use since they leaked, and whether their account notices
such things. The leaked key is not used, and nothing is changed.

` + startHelp + `

If you may not ask a question, the answer is the permission that is missing. With
--format json the report is written again, with the facts added.`,
		Example: `  stanch git -f json | stanch assess           # after a scan
  stanch assess scan.jsonl --role stanch-read  # in another account
  stanch assess KEY-ID                         # a key that you were told of`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %s: must be text or json", format)
			}
			st, err := readStart(cmd.Context(), s, args, false)
			if err != nil {
				return cli.Failed(err)
			}
			saved := st.report
			op, err := openOperator(cmd.Context(), s, *f)
			if err != nil {
				return err
			}
			var text strings.Builder
			width := cli.Width(s.Stdout)
			asking, done, of := &cli.Asking{}, 0, 0
			for _, x := range saved.Findings {
				if x.Ignored == "" && operator.IsAccessKeyID(x.Match.Credential.ID) {
					of++
				}
			}
			asking.Step(0, of)
			a := assessment.Assessor{Operator: op}
			err = s.Line.During(asking.Text, func() error {
				return a.Report(cmd.Context(), saved, func(f *finding.Finding, facts []verifier.Fact) {
					assessment.WriteFacts(&text, width, f, facts)
					done++
					asking.Step(done, of)
				})
			})
			switch {
			case err != nil:
				return err
			case format == "json":
				err = saved.Replay(finding.JSON(s.Stdout))
			default:
				_, err = io.WriteString(s.Stdout, text.String())
			}
			return cli.Failed(err)
		},
	}
	f.Add(cmd)
	cmd.Flags().StringVarP(&format, "format", "f", "text", "write this `FORMAT`: text, or json (the report again, with the facts added)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
