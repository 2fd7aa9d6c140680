// Package report holds the commands that scan nothing: "stanch report", "stanch rules" and
// "stanch migrate".
package report

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// NewReport returns the command that converts a saved report.
func NewReport(s *cli.Streams) *cobra.Command {
	f, showSecrets := &cli.OutputFlags{RefreshWith: "stanch verify"}, false
	cmd := &cobra.Command{
		Use:   "report [FILE]",
		Short: "Turn a saved scan (--format json) into any format",
		Long: `Read a scan that was saved with "--format json", from a file or standard input, and
write it in another format. Nothing is scanned or verified again: text says how old the
answers of AWS are.`,
		Example: `  stanch git -o scan.jsonl                # save a scan
  stanch report scan.jsonl                # read it again
  stanch report -o leaks.html scan.jsonl  # as a page for a browser
  stanch report -f sarif < scan.jsonl     # for code scanning`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if showSecrets {
				if err := f.CheckPrivate(s.Stdout); err != nil {
					return err
				}
			}
			var in io.Reader
			if name := cli.Operand(args, "-"); name == "-" {
				in = s.Input(cmd.Context())
			} else {
				file, err := os.Open(name)
				if err != nil {
					return cli.Failed(err)
				}
				defer file.Close()
				in = file
			}
			out, err := f.Open(s.Stdout)
			if err != nil {
				return err
			}
			defer out.Discard()
			h, err := f.Handler(out)
			if err != nil {
				return err
			}
			replayErr := finding.Replay(in, h, showSecrets)
			if errors.Is(replayErr, context.Canceled) {
				return replayErr
			}
			if replayErr != nil && !errors.Is(replayErr, finding.ErrTruncated) {
				return cli.Failed(replayErr)
			}
			// If the stream was cut off, the report holds everything before the cut.
			if err := errors.Join(replayErr, out.Commit()); err != nil {
				return cli.Failed(err)
			}
			return nil
		},
	}
	f.Add(cmd)
	cmd.Flags().BoolVar(&showSecrets, "show-secrets", false, "print secrets that were saved: only to a terminal, or to a file that only you can read")
	return cmd
}
