package respond

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
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
			if !cmd.Flags().Changed("journal") && missing(name) && missing(name+".head") {
				_, err := fmt.Fprintf(s.Stdout, "nothing was ever changed: there is no journal %s\n", printable.Text(name))
				return cli.Failed(err)
			}
			records, err := journal.Read(name)
			for _, r := range records {
				advice.WriteRecord(s.Stdout, r)
			}
			if err != nil {
				return cli.Failed(err)
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

// missing reports whether there certainly is no file of this name.
func missing(name string) bool {
	_, err := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}
