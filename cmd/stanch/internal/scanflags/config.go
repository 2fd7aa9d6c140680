package scanflags

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
)

// ConfigFlags name files with rules beside stanch's own, and with findings to ignore.
type ConfigFlags struct {
	project.Options
}

func (f *ConfigFlags) add(cmd *cobra.Command) {
	f.Within = "."
	f.AddFiles(cmd)
	cmd.Flags().BoolVar(&f.HonorLive, "honor-ignores-for-live", false, "hide ignored findings even if they are live, and do not verify them")
}

// AddFiles adds the flags of commands that verify nothing.
func (f *ConfigFlags) AddFiles(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.Files, "config", nil, "read rules and allowlists from this file, in the format of stanch or gitleaks, instead of the project's")
	flags.StringArrayVar(&f.Baselines, "baseline", nil, "ignore the findings that this report lists: JSON of stanch or gitleaks, or a baseline of detect-secrets")
	flags.BoolVar(&f.NoIgnores, "no-ignores", false, "read no configuration and no ignore file of the project, and honour no allow comment")
}

// Read reads the files that f names and the files of the project. It notes on stderr parts
// that cannot be used.
func (f *ConfigFlags) Read(stderr io.Writer) (*project.Config, error) {
	c, err := project.Read(f.Options)
	if err != nil {
		return nil, err
	}
	PrintNotes(stderr, c)
	return c, nil
}

// PrintNotes writes the notes of c that it has not written before.
func PrintNotes(stderr io.Writer, c *project.Config) {
	for _, note := range c.NewNotes() {
		fmt.Fprintln(stderr, "stanch:", printable.Text(note))
	}
}
