//go:build sweep

package sweep

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/alert"
)

func newSweepStatus(s *cli.Streams, db *databaseFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how far sweeps are, and why they wait",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return db.read(cmd.Context(), func(store *sweep.Store) error {
				st, err := store.Status(cmd.Context())
				if err == nil {
					st.Receivers, err = alert.Receivers(cmd.Context(), store)
				}
				if err != nil {
					return cli.Failed(err)
				}
				if asJSON {
					e := json.NewEncoder(s.Stdout)
					e.SetIndent("", "  ")
					return e.Encode(st)
				}
				return st.WriteText(s.Stdout)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}
