package report

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/migrate"
	"github.com/stanch-dev/stanch/scanner/project"
)

// NewMigrate returns the command that writes files of other tools in the format of stanch.
func NewMigrate(s *cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate [FILE...]",
		Short: "Print the rules and ignore files of other tools in the format of " + project.OwnConfig,
		Long: `Print what FILE says in the format of ` + project.OwnConfig + `: a configuration of gitleaks, a
.gitleaksignore, a .secrets.baseline of detect-secrets, a .gitallowed of git-secrets.
Without FILE, those in the root of the project, and what git-secrets has in git's
configuration. Files that name positions or hashes are bound to the fingerprints of
what they hide: the project is scanned for that, and nothing is verified.`,
		Example: "  stanch migrate >> .stanch.toml\n  stanch migrate old/.gitleaks.toml",
		RunE: func(cmd *cobra.Command, args []string) error {
			m := migrate.Migration{Root: project.FindRoot("."), Out: s.Stdout}
			var err error
			if len(args) > 0 {
				err = m.Files(cmd.Context(), args)
			} else {
				err = m.Project(cmd.Context())
			}
			var scan *migrate.ScanError
			if errors.As(err, &scan) {
				return cli.Incomplete(err)
			}
			return err
		},
	}
}
