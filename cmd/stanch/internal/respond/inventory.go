package respond

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/inventory"
)

// NewInventory returns the command "stanch inventory".
func NewInventory(s *cli.Streams) *cobra.Command {
	var profiles []string
	var endpoint string
	out := &cli.OutputFlags{}
	cmd := &cobra.Command{
		Use:   "inventory",
		Short: "List your own access keys, hashed, for scans to recognise",
		Long: `Ask IAM for the access keys of all users of your account, and write the hashes of
their ids, with account, user and status. Scans with --inventory FILE recognise
these keys offline, with or without their secrets.

It signs as you do: with the credentials that the AWS CLI would use. It needs
iam:ListUsers and iam:ListAccessKeys and changes nothing. --profile names the
profile of another account; it may be given more than once.

The keys of the root user are not listed: IAM shows them to nobody.`,
		Example: `  stanch inventory -o keys.jsonl                               # your account
  stanch inventory --profile dev --profile prod -o keys.jsonl  # two accounts
  stanch git --inventory keys.jsonl                            # use the list`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := out.Open(s)
			if err != nil {
				return err
			}
			defer o.Discard()
			now := time.Now()
			w, err := inventory.NewWriter(o, now)
			if err != nil {
				return cli.Failed(err)
			}
			if len(profiles) == 0 {
				profiles = []string{""}
			}
			for _, profile := range profiles {
				list, err := fetchInventory(cmd.Context(), s, cli.OperatorFlags{Profile: profile, Endpoint: endpoint}, now)
				if err != nil {
					return cli.Failed(fmt.Errorf("profile %s: %w", cmp.Or(profile, "(default)"), err))
				}
				for _, id := range slices.Sorted(maps.Keys(list.Keys)) {
					if err := w.Write(id, list.Keys[id]); err != nil {
						return cli.Failed(err)
					}
				}
				fmt.Fprintf(s.Stderr, "stanch: %d access keys of account %s\n", len(list.Keys), printable.Text(list.Account))
			}
			if err := o.Commit(); err != nil {
				return cli.Failed(err)
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&profiles, "profile", nil, "use your `PROFILE` of ~/.aws (default: as the AWS CLI chooses)")
	cmd.Flags().StringVarP(&out.File, "output", "o", "", "write to `FILE`, which only you can read; \"-\" is standard output")
	cli.AddEndpoint(cmd, &endpoint)
	return cmd
}

func fetchInventory(ctx context.Context, s *cli.Streams, f cli.OperatorFlags, now time.Time) (list inventory.List, err error) {
	op, err := f.Open(ctx, s)
	if err != nil {
		return inventory.List{}, err
	}
	err = s.Line.During(func() string { return "asking IAM for the access keys of the account" }, func() error {
		list, err = inventory.Fetch(ctx, op, now)
		return err
	})
	return list, err
}
