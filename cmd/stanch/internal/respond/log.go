package respond

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

func newLog(s *cli.Streams) *cobra.Command {
	f := &respondFlags{}
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Print the journal, and check that nobody edited it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.complete(cmd.Context()); err != nil {
				return err
			}
			name, err := f.journalName()
			if err != nil {
				return err
			}
			records, err := journal.Read(name)
			for _, r := range records {
				advice.WriteRecord(s.Stdout, r)
			}
			if err != nil {
				return cli.Unfinished(err)
			}
			last := ""
			if len(records) > 0 {
				last = ", the last is " + records[len(records)-1].Hash
			}
			fmt.Fprintf(s.Stdout, "%d records, the chain is whole%s\n", len(records), last)
			return nil
		},
	}
	f.addJournal(cmd)
	return cmd
}
