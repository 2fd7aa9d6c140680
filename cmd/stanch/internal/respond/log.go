package respond

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
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

func newPolicy(s *cli.Streams) *cobra.Command {
	var principal, externalID, partition, role string
	var trust, assess, own bool
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Print the least that a role needs to respond",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := permissions.Responder(partition)
			switch {
			case trust:
				text = permissions.Trust(principal, externalID)
			case own:
				text = permissions.Operator(partition, role)
			case assess:
				text = assessment.Permissions()
			}
			_, err := fmt.Fprintln(s.Stdout, text)
			return err
		},
	}
	cmd.Flags().BoolVar(&assess, "assess", false, "print the policy that \"stanch assess\" needs")
	cmd.Flags().BoolVar(&own, "own", false, "print the policy that your own identity needs, to assume --role and for --notify")
	cmd.Flags().StringVar(&role, "role", "stanch-respond", "name of the role, for --own")
	cmd.Flags().BoolVar(&trust, "trust", false, "print the trust policy of the role, in place of its permissions")
	cmd.Flags().StringVar(&partition, "partition", "aws", "aws, aws-cn, aws-us-gov or aws-eusc")
	cmd.Flags().StringVar(&principal, "principal", "arn:aws:iam::ACCOUNT:role/ROLE", "who may assume the role")
	cmd.Flags().StringVar(&externalID, "external-id", "", "external id that they have to know")
	cmd.MarkFlagsMutuallyExclusive("own", "assess", "trust")
	return cmd
}
