package scan

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
)

// NewInit returns the command that writes the first configuration of a project.
func NewInit(s *cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a " + project.OwnConfig + " with samples in comments",
		Long: `Write a ` + project.OwnConfig + ` into the root of the work tree. It has a sample of all that can
stand there, in comments, and changes nothing until you take a comment sign away. stanch
needs no such file: write one for rules of your own, or to ignore more than one finding.

A file that is there already stays as it is.`,
		Example: "  stanch init",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			file, err := findConfig("")
			if err != nil {
				return err
			}
			err = project.CreateConfig(file.path, file.root, []byte(project.NewConfig))
			switch {
			case errors.Is(err, fs.ErrExist):
				return fmt.Errorf("%s is there already, and stays as it is: https://github.com/stanch-dev/stanch/blob/main/docs/configuration.md explains it, and \"stanch allow\" adds to it", file.name)
			case err != nil:
				return cli.Unfinished(fmt.Errorf("%s %w", file.name, err))
			}
			fmt.Fprintf(s.Stderr, `stanch: %s is written, with samples in comments
stanch: next: git add %s
stanch: next: "stanch hook install" refuses commits that bring a key
stanch: next: "stanch baseline" lists the leaks that are there already, so that only new ones are reported
`, printable.Text(file.name), scanflags.Operand(file.name))
			return nil
		},
	}
}
