// Package cli holds all that the commands of stanch have in common: the root command, the
// streams, exit codes, the file of --output, the terminal, and groups of flags. A command
// is thin: it turns flags into options, calls a library, and returns how that ended.
package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Streams are the input and the outputs of a command, and the version that it reports.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Version        string // as "0.1.0"
	// Line says on stderr how far the work is; nil where nothing may move.
	Line *Line

	loud io.Writer // the stderr that Hush put away, or nil
}

// Hush drops everything that is written to Stderr from now on: progress and notes.
func (s *Streams) Hush() {
	if s.loud == nil {
		s.loud, s.Stderr, s.Line = s.Stderr, io.Discard, nil
	}
}

// Loud returns the streams as they were before Hush: for questions, and for limits of the claim
// that nothing was found.
func (s *Streams) Loud() *Streams {
	loud := *s
	if s.loud != nil {
		loud.Stderr = s.loud
	}
	return &loud
}

// NewStreams returns the streams of a command, with a Line if stderr is a terminal.
func NewStreams(stdin io.Reader, stdout, stderr io.Writer, version string) *Streams {
	line := NewLine(stderr)
	return &Streams{Stdin: stdin, Stdout: line.Screen(stdout), Stderr: line.Screen(stderr), Version: version, Line: line}
}

// AddQuiet adds --quiet to a command, which calls Hush for it.
func AddQuiet(cmd *cobra.Command, quiet *bool) {
	cmd.Flags().BoolVarP(quiet, "quiet", "q", false, "leave out progress and notes on standard error, but not errors and what may hide a leak")
}

// NewRoot returns the command stanch itself, to which the others are added.
func NewRoot(s *Streams, manual string) *cobra.Command {
	printVersion := false
	root := &cobra.Command{
		Use:           "stanch COMMAND [ARGUMENT...]",
		Short:         "Find leaked AWS keys, prove which are live",
		Long:          manual,
		SilenceErrors: true, // ExitCode prints them, once
		SilenceUsage:  true,
		// "stanch COMMAND [flags]" would say that flags come last.
		DisableFlagsInUseLine: true,
		Args:                  NoCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printVersion {
				return version(s)
			}
			return cmd.Help()
		},
	}
	root.SetHelpFunc(printHelp)
	root.SetUsageFunc(func(cmd *cobra.Command) error { printHelp(cmd, nil); return nil })
	root.AddCommand(&cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs, Hidden: true, // as --version, which the help names
		RunE: func(*cobra.Command, []string) error { return version(s) },
	})
	// cobra's Version would print "stanch version 0.1.0"; to change that takes
	// SetVersionTemplate, which links text/template and adds a third to the binary.
	root.Flags().BoolVarP(&printVersion, "version", "v", false, "print the version")
	root.SetIn(s.Stdin)
	root.SetOut(s.Stdout)
	root.SetErr(s.Stderr)
	return root
}

func version(s *Streams) error {
	if _, err := fmt.Fprintln(s.Stdout, "stanch", BuildInfo(s.Version)); err != nil {
		return Failed(err)
	}
	return nil
}
