package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// configFlags say what rules there are beside stanch's own, and what they allow.
type configFlags struct {
	options
}

func (f *configFlags) add(cmd *cobra.Command) {
	f.within = "."
	f.addFiles(cmd)
	cmd.Flags().BoolVar(&f.honorLive, "honor-ignores-for-live", false, "hide what is ignored even if it is live, and do not verify it")
}

// addFiles adds the flags of commands that verify nothing.
func (f *configFlags) addFiles(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.files, "config", nil, "read rules and allowlists from this file, in the format of stanch or gitleaks, and not those of the project")
	flags.StringArrayVar(&f.baselines, "baseline", nil, "ignore what this report lists: JSON of stanch or gitleaks, or a baseline of detect-secrets")
	flags.BoolVar(&f.noIgnores, "no-ignores", false, "read no configuration and no ignore file of the project, and honour no allow comment")
}

// read reads what f names and what is found in the project, and says on stderr what cannot
// be used.
func (f *configFlags) read(stderr io.Writer) (*config, error) {
	c, err := readConfig(f.options)
	if err != nil {
		return nil, err
	}
	printNotes(stderr, c)
	return c, nil
}

// printNotes writes the notes that were not written yet.
func printNotes(stderr io.Writer, c *config) {
	for _, note := range c.newNotes() {
		fmt.Fprintln(stderr, "stanch:", printable.Text(note))
	}
}
