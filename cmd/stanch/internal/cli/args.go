package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/scanner/textfile"
)

// NoCommand is for a command that only has subcommands: an argument is a command that it does
// not have. Package guess says which one may be meant.
func NoCommand(cmd *cobra.Command, args []string) error { return cobra.NoArgs(cmd, args) }

// Operand returns the first of args, or otherwise if there is none.
func Operand(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}

// OpenOperand opens the file that name says, or standard input if it is "-".
func (s *Streams) OpenOperand(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(s.Input(ctx)), nil
	}
	return os.Open(name)
}

// OperandName returns the name of an operand for people.
func OperandName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// OnServer returns what to type, behind an error about a path that does not exist, if the path may
// be a repository on a server; else "".
func OnServer(path string) string {
	host, _, _ := strings.Cut(path, "/")
	switch {
	case strings.HasPrefix(path, ".") || !strings.Contains(strings.Trim(path, "/"), "/") || strings.HasPrefix(path, "/"):
	case strings.Contains(host, "."):
		return fmt.Sprintf(`; if it is a repository on a server: "stanch git https://%s"`, path)
	case strings.Count(path, "/") == 1:
		return fmt.Sprintf(`; if it is a repository on GitHub: "stanch github %s"`, path)
	}
	return ""
}

// ReadList reads a file that a flag names, "" for none: a list of names, one a line,
// where "#" begins a comment.
func ReadList(flag, file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err == nil {
		b, err = textfile.UTF8(b)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, line)
		}
	}
	return slices.Compact(names), nil
}

const needs = "stanch.needs" // an annotation of flags

// Needs notes that flags do something only if one of the other flags is given as well. A person
// who types --notify alone believes that they will be told.
func Needs(cmd *cobra.Command, flags []string, others ...string) {
	for _, name := range flags {
		_ = cmd.Flags().SetAnnotation(name, needs, others) // it fails for a flag that there is not
	}
}

// Lacking returns a flag of the command line that does nothing, since none of the others that it
// needs is given.
func Lacking(cmd *cobra.Command) (flag string, others []string) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		given := func(name string) bool {
			other := cmd.Flags().Lookup(name)
			return other != nil && other.Changed && other.Value.String() != "false"
		}
		if list := f.Annotations[needs]; flag == "" && len(list) > 0 && !slices.ContainsFunc(list, given) {
			flag, others = f.Name, list
		}
	})
	return flag, slices.DeleteFunc(slices.Clone(others), func(name string) bool { return cmd.Flags().Lookup(name) == nil })
}
