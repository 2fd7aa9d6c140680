// Package guess understands commands as people type them who know other tools: "stanch .",
// "stanch detect", "--report-path". A command that means the same here is run, and named on
// stderr. For every other one there is an error that says what to type.
package guess

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// Teach makes all commands below root explain wrong flags and wrong arguments.
func Teach(root *cobra.Command) {
	root.SetFlagErrorFunc(wrongFlag)
	root.InitDefaultHelpCmd() // cobra would add these later, with their own errors
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		for _, shell := range completion.Commands() {
			write := shell.RunE
			shell.RunE = func(cmd *cobra.Command, args []string) error { return cli.Failed(write(cmd, args)) }
		}
	}
	explainArgs(root)
}

func explainArgs(c *cobra.Command) {
	check := c.Args
	c.Args = func(cmd *cobra.Command, args []string) error {
		if check != nil && check(cmd, args) != nil {
			return wrongArgs(cmd, args)
		}
		// "stanch ci" takes flags from variables too, and reads those later.
		if flag, others := cli.Lacking(cmd); flag != "" && cmd.Name() != "ci" {
			return &cli.UsageError{Why: fmt.Sprintf("--%s does nothing without --%s", flag, strings.Join(others, " or --")), Help: cmd.CommandPath()}
		}
		return nil
	}
	for _, sub := range c.Commands() {
		explainArgs(sub)
	}
}

// Command returns the arguments to run instead of args, and names their command on stderr. If
// stanch has the command that args name, they are returned as they are.
func Command(root *cobra.Command, args []string, stderr io.Writer) ([]string, error) {
	switch {
	case len(args) > 0 && args[0] == "help":
		return args, noCommandIn(root, args[1:])
	case len(args) > 0 && strings.HasPrefix(args[0], "__complete"):
		cli.PlainUsages(root)
		return args, nil
	case len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "-":
		return args, oneDash(root, args)
	case has(root, args[0]):
		return args, cmp.Or(noCommandIn(root, args), oneDash(root, args))
	}
	guessed := meant(root, args)
	if guessed == nil {
		if why := elsewhere(args); why != "" {
			return nil, &cli.UsageError{Why: why, Help: root.Name()}
		}
		return nil, wrongArgs(root, args)
	}
	if slices.Contains(args, "-q") || slices.Contains(args, "--quiet") {
		return guessed, nil
	}
	words := []string{root.Name()}
	for _, a := range guessed {
		words = append(words, printable.ShellWord(transport.Redact(a)))
	}
	fmt.Fprintf(stderr, "stanch: running: %s\n", strings.Join(words, " "))
	return guessed, nil
}

// oneDash returns an error if a long flag is written with one dash, as gitleaks and trufflehog
// take it: "-output x.json" would write to a file "utput".
func oneDash(root *cobra.Command, args []string) error {
	cmd, rest, _ := root.Find(args) // as in noCommandIn
	if cmd.DisableFlagParsing {
		return nil
	}
	for _, arg := range rest {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		switch {
		case arg == "--":
			return nil
		case len(name) > 1 && strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && cmd.Flags().Lookup(name) != nil:
			return &cli.UsageError{Why: fmt.Sprintf("-%s has one dash: type --%[1]s", name), Help: cmd.CommandPath()}
		}
	}
	return nil
}

// noCommandIn returns an error if words name a command that there is not, for example "hook nosuch".
// With "help" before the words or --help behind them, cobra would print the help of another.
func noCommandIn(root *cobra.Command, words []string) error {
	found, rest, _ := root.Find(words) // it cannot fail: all commands with others below them have Args
	if len(rest) == 0 || !found.HasSubCommands() || strings.HasPrefix(rest[0], "-") {
		return nil
	}
	if why := elsewhere(words); why != "" && found == root {
		return &cli.UsageError{Why: why, Help: root.Name()}
	}
	return wrongArgs(found, rest)
}

// has reports whether stanch has the command.
func has(root *cobra.Command, name string) bool {
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name || c.HasAlias(name) })
}

// meant returns the arguments that say in stanch's words what args say; nil if nothing here
// means the same.
func meant(root *cobra.Command, args []string) []string {
	word, rest := args[0], args[1:]
	switch word {
	case "scan", "detect": // of stanch's kin; of gitleaks
		place, rest := takeValue(rest, "--source", "-s")
		if i := operand(root, rest); place == "" && i >= 0 {
			place, rest = rest[i], slices.Delete(slices.Clone(rest), i, i+1)
		}
		place = cmp.Or(place, ".")
		guessed := scanOf(place)
		if guessed == nil {
			return nil
		}
		if _, err := os.Stat(place); err == nil && slices.Contains(rest, "--no-git") {
			guessed = []string{"dir", place}
			rest = slices.DeleteFunc(rest, func(arg string) bool { return arg == "--no-git" })
		}
		if word == "detect" && guessed[0] != "dir" && !slices.Contains(rest, "--verify") {
			guessed = slices.Insert(guessed, 1, "--no-verify") // gitleaks asks nobody
		}
		return append(guessed, rest...)
	case "filesystem": // trufflehog
		place, rest := takeValue(rest, "--directory")
		if place != "" {
			rest = slices.Insert(rest, 0, place)
		}
		return append([]string{"dir"}, rest...)
	case "protect": // gitleaks
		rest = slices.DeleteFunc(slices.Clone(rest), func(arg string) bool { return arg == "--staged" })
		return append([]string{"hook", "run"}, rest...)
	case "-":
		return append([]string{"stdin"}, rest...)
	}
	guessed := scanOf(word)
	if guessed == nil {
		return nil
	}
	return append(guessed, rest...)
}

// takeValue returns the value that args give to a flag, which has one of names, and the other args.
// The value is "" if the flag is not there.
func takeValue(args []string, names ...string) (value string, others []string) {
	for i, arg := range args {
		name, value, joined := strings.Cut(arg, "=")
		switch {
		case !slices.Contains(names, name):
			continue
		case joined:
			return value, slices.Delete(slices.Clone(args), i, i+1)
		case i+1 < len(args):
			return args[i+1], slices.Delete(slices.Clone(args), i, i+2)
		}
	}
	return "", slices.Clone(args)
}

// operand returns which of args is the place to scan, -1 if none is. It may stand after flags
// and their values.
func operand(root *cobra.Command, args []string) int {
	git, _, _ := root.Find([]string{"git"}) // all commands that scan have its flags
	for i := 0; i < len(args); i++ {
		name := strings.TrimLeft(args[i], "-")
		if name == args[i] && (i == 0 || scanOf(name) != nil) { // else the value of a flag that git lacks
			return i
		}
		f := git.Flags().Lookup(name)
		if len(args[i]) == 2 {
			f = git.Flags().ShorthandLookup(name)
		}
		if f != nil && f.NoOptDefVal == "" {
			i++
		}
	}
	return -1
}

// scanOf returns the command that scans a place, a path or a URL; nil if it is neither. An ARN
// has colons as a URL of git's short form has.
func scanOf(place string) []string {
	info, err := os.Stat(place)
	if bare := strings.TrimPrefix(place, "www."); err != nil && strings.HasPrefix(bare, "github.com/") {
		place = "https://" + bare // as some browsers show it
	}
	if transport.IsURL(place) && !strings.HasPrefix(place, "arn:") {
		if owner := ownerOnGitHub(place); owner != "" {
			return []string{"github", owner}
		}
		return []string{"git", place}
	}
	switch {
	case err != nil:
		return nil
	case info.IsDir() && isRepository(place):
		return []string{"git", place}
	}
	return []string{"dir", place}
}

// isRepository reports whether a folder is a repository itself, or is the current one and in a
// repository. Somebody who names another folder of a work tree means that folder.
func isRepository(dir string) bool {
	if filepath.Clean(dir) != "." {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		if gitsource.WorkTree(dir) != "" {
			return false
		}
	}
	repo, err := gitsource.Open(dir)
	if err != nil {
		return false
	}
	_ = repo.Close() // it was only looked at
	return true
}

// ownerOnGitHub returns the organization or user that a URL is the page of, "" if it is another.
func ownerOnGitHub(place string) string {
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host != "github.com" && u.Host != "www.github.com" {
		return ""
	}
	owner := strings.TrimPrefix(strings.Trim(u.Path, "/"), "orgs/")
	if strings.Contains(owner, "/") {
		return ""
	}
	return owner
}
