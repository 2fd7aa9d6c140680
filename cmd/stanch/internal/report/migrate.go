package report

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/migrate"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
)

// NewMigrate returns the command that writes files of other tools in the format of stanch.
func NewMigrate(s *cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate [FILE...]",
		Short: "Print the rules and ignore files of other tools in the format of " + project.OwnConfig,
		Long: `Print FILE in the format of ` + project.OwnConfig + `: a configuration of gitleaks, a
.gitleaksignore, a .secrets.baseline of detect-secrets, a .gitallowed of git-secrets.
Without FILE, those in the root of the project, and the patterns of git-secrets in
git's configuration. Files that name positions or hashes are bound to the fingerprints of
the findings that they hide: the project is scanned for that, and nothing is verified. If a part
of it cannot be read, standard error names it, and the exit code is 3.`,
		Example: `  stanch migrate >> .stanch.toml     # all files of the project
  stanch migrate old/.gitleaks.toml  # one file`,
		RunE: func(cmd *cobra.Command, args []string) error {
			m := migrate.Migration{Root: project.FindRoot("."), Out: s.Stdout}
			var err error
			if len(args) > 0 {
				err = m.Files(cmd.Context(), args)
			} else {
				err = m.Project(cmd.Context())
			}
			printUnread(s.Stderr, m.Unread)
			var scan *migrate.ScanError
			switch {
			case errors.As(err, &scan):
				return cli.Incomplete(err)
			case err == nil && len(m.Unread) > 0:
				return cli.Incomplete(errors.New("a finding that is hidden in what was not read has no entry"))
			}
			return err
		},
	}
}

// printUnread names the parts of the project that could not be read, some of them if there
// are many.
func printUnread(stderr io.Writer, parts []finding.Unread) {
	const most = 20
	for _, u := range parts[:min(len(parts), most)] {
		fmt.Fprintf(stderr, "stanch: not read: %s: %s\n", printable.Text(u.What), printable.Text(u.Why))
	}
	if more := len(parts) - most; more > 0 {
		fmt.Fprintf(stderr, "stanch: not read: %d more\n", more)
	}
}
