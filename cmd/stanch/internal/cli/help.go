package cli

import (
	"cmp"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// Widths of help. Lines that are longer than widestHelp are hard to read.
const (
	narrowestHelp = 20
	usualHelp     = 80
	widestHelp    = 100
)

// printHelp prints the help of cmd to its output.
func printHelp(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	// Nobody is left to tell if this fails.
	_, _ = io.WriteString(out, helpText(cmd, helpWidth(out, os.Getenv), WantsColour(out)))
}

// helpWidth returns how long lines may be: as COLUMNS says, or the terminal that w is.
func helpWidth(w io.Writer, getenv func(string) string) int {
	width, err := strconv.Atoi(getenv("COLUMNS"))
	if err != nil || width <= 0 {
		width = cmp.Or(Width(w), usualHelp)
	}
	return min(max(width, narrowestHelp), widestHelp)
}

// helpText returns the help of cmd. cobra's own is a template in one column, which neither
// wraps nor groups.
func helpText(cmd *cobra.Command, width int, bold bool) string {
	w := &textWriter{width: width, bold: bold}
	if cmd.Long != "" {
		w.text(cmd.Long)
	} else {
		w.text(cmd.Short + ".")
	}
	if cmd.HasParent() { // the text of stanch itself says it
		w.heading("Usage")
		w.flow("  ", "      ", UsageLine(cmd))
	}
	if cmd.Example != "" {
		w.heading("Examples")
		w.examples(cmd.Example)
	}
	if list := unnamedCommands(cmd); len(list) > 0 {
		w.heading("Commands")
		var rows []row
		for _, sub := range list {
			rows = append(rows, row{sub.Name(), sub.Short})
		}
		w.rows(rows)
	}
	for _, group := range FlagGroups(cmd) {
		w.heading(group.Heading)
		var rows []row
		for _, f := range group.Flags {
			typed, usage := FlagText(f)
			if f.Shorthand == "" {
				typed = "    " + typed
			}
			rows = append(rows, row{typed, usage})
		}
		w.rows(rows)
	}
	if cmd.HasAvailableSubCommands() && cmd.HasParent() {
		w.WriteString("\n")
		w.flow("", "", `"`+cmd.CommandPath()+` COMMAND --help" prints the help of a command.`)
	}
	return w.String()
}

// UsageLine returns how a command is typed, as "stanch git [PATH|URL] [flags]".
func UsageLine(cmd *cobra.Command) string {
	switch line := cmd.UseLine(); {
	case cmd.HasParent() && cmd.HasAvailableSubCommands():
		return cmd.CommandPath() + " COMMAND"
	case len(FlagGroups(cmd)) == 0: // but --help
		return strings.TrimSuffix(line, " [flags]")
	default:
		return line
	}
}

// unnamedCommands returns the subcommands that the long text of cmd does not name: that of
// stanch itself is a table of jobs.
func unnamedCommands(cmd *cobra.Command) (list []*cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && !strings.Contains(cmd.Long, "\n  "+sub.CommandPath()+" ") && sub.Name() != "help" {
			list = append(list, sub)
		}
	}
	return list
}
