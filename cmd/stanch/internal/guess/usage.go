package guess

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
)

// wrongArgs says which arguments a command takes, and which of args are too many. For a command
// that only has subcommands it names those.
func wrongArgs(cmd *cobra.Command, args []string) error {
	name := cmd.CommandPath()
	_, operands, _ := strings.Cut(cmd.Use, " ")
	right := strings.TrimSpace(name + " " + operands)
	say := func(format string, a ...any) error {
		return &cli.UsageError{Why: fmt.Sprintf(format, a...), Help: name}
	}
	switch {
	case cmd.HasSubCommands():
		return say("%s", noCommand(cmd, args))
	case name == "stanch stdin":
		return say(`"stanch stdin" reads standard input and takes no argument: "stanch dir PATH" scans files`)
	case operands == "":
		return say("%q takes no argument: leave %q out", name, args[0])
	case len(args) == 0:
		return say("something is missing after %q: type %q", name, right)
	}
	return say("%q takes one argument, and these are %d (%s): type %q", name, len(args), strings.Join(quoted(args), ", "), right)
}

func quoted(args []string) []string {
	var q []string
	for _, a := range args {
		q = append(q, fmt.Sprintf("%q", transport.Redact(a)))
	}
	return q
}

// noCommand says that cmd has no subcommand args[0], and names those that it has.
func noCommand(cmd *cobra.Command, args []string) string {
	say := fmt.Sprintf("%q has no command %q", cmd.CommandPath(), args[0])
	names := commandsOf(cmd)
	if like := similar(args[0], names); len(like) > 0 {
		return fmt.Sprintf(`%s: did you mean "%s %s"?`, say, cmd.CommandPath(), strings.Join(like, `" or "`+cmd.CommandPath()+" "))
	}
	if cmd.HasParent() {
		return fmt.Sprintf(`%s: it has "%s"`, say, strings.Join(names, `", "`))
	}
	var below []string // "instal" is "stanch hook install"
	for _, sub := range cmd.Commands() {
		for _, like := range similar(args[0], commandsOf(sub)) {
			below = append(below, sub.CommandPath()+" "+like)
		}
	}
	if len(below) > 0 {
		return fmt.Sprintf(`%s: did you mean "%s"?`, say, strings.Join(below, `" or "`))
	}
	return say + `, and there is no such file: "stanch git" scans a repository, "stanch dir PATH" files`
}

// commandsOf returns the names of the subcommands that the help of cmd lists.
func commandsOf(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// wrongFlag says what is wrong with a flag, and what to type. It is the FlagErrorFunc of root.
func wrongFlag(cmd *cobra.Command, err error) error {
	name := cmd.CommandPath()
	say := func(format string, a ...any) error {
		return &cli.UsageError{Why: fmt.Sprintf(format, a...), Help: name}
	}
	var unknown *pflag.NotExistError
	var lacks *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		return say("%s", noFlag(cmd, unknown))
	case errors.As(err, &lacks):
		return say("%s needs a value after it: %s", typed(lacks.GetSpecifiedName()), valueOf(lacks.GetFlag()))
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return say("--%s %q: %s", f.Name, invalid.GetValue(), wants(f, invalid))
	case errors.As(err, &syntax):
		return say("%q is no flag: a name with one dash (-f) or two (--format) is one", syntax.GetSpecifiedFlag())
	}
	return err
}

// typed returns a flag as it is typed.
func typed(name string) string {
	if utf8.RuneCountInString(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// valueOf shows a flag with its value.
func valueOf(f *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(f)
	switch f.Value.Type() {
	case "int", "int64":
		value = "NUMBER"
	case "duration":
		value = "TIME, such as 90s, 15m or 1h"
	default:
		value = strings.ToUpper(strings.TrimSuffix(strings.TrimSuffix(value, "Array"), "s"))
		if value == "" || value == "STRING" {
			value = "VALUE"
		}
	}
	return "--" + f.Name + " " + value
}

// wants says which values a flag takes.
func wants(f *pflag.Flag, err *pflag.InvalidValueError) string {
	switch f.Value.Type() {
	case "int", "int64":
		return "not a whole number"
	case "duration":
		return "not a time, such as 90s, 15m or 1h"
	case "bool":
		return fmt.Sprintf("neither true nor false; --%s alone is --%[1]s=true", f.Name)
	}
	return err.Unwrap().Error()
}

// noFlag says what to type instead of a flag that cmd does not have.
func noFlag(cmd *cobra.Command, err *pflag.NotExistError) string {
	name := err.GetSpecifiedName()
	say := fmt.Sprintf("%q has no flag %s", cmd.CommandPath(), typed(name))
	group := err.GetSpecifiedShortnames()
	if utf8.RuneCountInString(group) > 1 {
		if hint := flagInstead(cmd, group); hint != "" {
			return fmt.Sprintf("%q has no flag -%s: %s", cmd.CommandPath(), group, hint)
		}
	}
	// A letter stands for another flag in each tool.
	if group := cmd.Parent(); len(name) > 1 && group != nil && group.HasParent() {
		if with := commandsWith(group, name); len(with) > 0 {
			return say + butHave(with)
		}
	}
	if hint := flagInstead(cmd, name); hint != "" {
		return say + ": " + hint
	}
	if like := similar(name, flagsOf(cmd)); len(like) > 0 {
		return fmt.Sprintf("%s: did you mean --%s?", say, strings.Join(like, " or --"))
	}
	if with := commandsWith(cmd.Root(), name); len(with) > 0 {
		return say + butHave(with)
	}
	if hint := likeParts(cmd, name); hint != "" {
		return say + ": " + hint
	}
	return say
}

// butHave names commands that have the flag.
func butHave(commands []string) string {
	return fmt.Sprintf(`, but "%s" has`, strings.Join(commands[:min(len(commands), 3)], `" or "`))
}

// flagsOf returns the names of the flags that the help of cmd lists.
func flagsOf(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// commandsWith returns the commands below c that have a flag.
func commandsWith(c *cobra.Command, flag string) []string {
	var with []string
	for _, sub := range c.Commands() {
		f := sub.Flags().Lookup(flag)
		if utf8.RuneCountInString(flag) == 1 {
			f = sub.Flags().ShorthandLookup(flag)
		}
		if sub.IsAvailableCommand() && f != nil && !f.Hidden {
			with = append(with, sub.CommandPath())
		}
		with = append(with, commandsWith(sub, flag)...)
	}
	return with
}

// similar returns those of names that are spelled like name, the nearest alone.
func similar(name string, names []string) []string {
	name = strings.ToLower(name)
	most := 2 // letters that differ
	if utf8.RuneCountInString(name) < 5 {
		most = 1
	}
	if utf8.RuneCountInString(name) < 2 {
		return nil
	}
	var like []string
	for _, n := range names {
		d := distance(name, n)
		if d > most && strings.HasPrefix(n, name) { // "respo", "output-" is cut off
			d = most
		}
		switch {
		case d > most:
			continue
		case d < most:
			most, like = d, nil
		}
		like = append(like, n)
	}
	slices.Sort(like)
	return like[:min(len(like), 3)]
}

// distance counts the letters that have to be changed, added, dropped or swapped with their
// neighbour to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
