package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// streams are where a command reads and writes, and the version that it says it is.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	version        string // "0.1.0"
}

// newRoot returns the command stanch itself, to which the others are added.
func newRoot(s *streams, manual string) *cobra.Command {
	printVersion := false
	root := &cobra.Command{
		Use:           "stanch",
		Short:         "Find leaked AWS keys, prove which are live",
		Long:          manual,
		SilenceErrors: true, // exitCode prints them, once
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printVersion {
				_, err := fmt.Fprintln(s.stdout, "stanch", buildInfo(s.version))
				return err
			}
			return cmd.Help()
		},
	}
	// cobra's Version would print "stanch version 0.1.0"; to change that takes
	// SetVersionTemplate, which links text/template and adds a third to the binary.
	root.Flags().BoolVarP(&printVersion, "version", "v", false, "print the version")
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	return root
}
