package scanflags

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

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
	cmd.Flags().BoolVar(&f.HonorLive, "honor-ignores-for-live", false, "let ignore rules hide live keys too; AWS is then not asked about ignored keys")
}

// AddFiles adds the flags of commands that verify nothing.
func (f *ConfigFlags) AddFiles(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.Files, "config", nil, "read rules and allowlists from `FILE`, as of stanch or gitleaks, not from the project")
	flags.StringArrayVar(&f.Baselines, "baseline", nil, "ignore the findings in `FILE`: a baseline (stanch, detect-secrets) or JSON report (stanch, gitleaks)")
	flags.BoolVar(&f.NoIgnores, "no-ignores", false, "ignore the configuration, the ignore files and the allow comments of the project")
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

// mostUnused bounds how many entries of a kind are named.
const mostUnused = 3

// printUnused names the entries of baselines and allowlists that hid nothing in the scans so far,
// a few of each. It is for a scan that has read everything of the repository that path is in.
func printUnused(stderr io.Writer, c *project.Config, path string) {
	say := func(format string, args ...any) {
		fmt.Fprintln(stderr, "stanch:", printable.Text(fmt.Sprintf(format, args...)))
	}
	for _, u := range c.Unused() {
		places := []string{}
		for _, e := range u.Entries[:min(len(u.Entries), mostUnused)] {
			places = append(places, cmp.Or(e.Note, e.Fingerprint))
		}
		if len(u.Entries) > mostUnused {
			places = append(places, "…")
		}
		list, n := strings.Join(places, "; "), len(u.Entries)
		switch {
		case u.Line > 0 && n == 1:
			say("%s: line %d: a fingerprint hides nothing in this repository: take it out: %s", u.Name, u.Line, list)
		case u.Line > 0:
			say("%s: line %d: %d fingerprints hide nothing in this repository: take them out: %s", u.Name, u.Line, n, list)
		case n == 1:
			say("%s: 1 entry hides nothing any more; %s: %s", u.Name, remedy(c, &u, path), list)
		default:
			say("%s: %d entries hide nothing any more; %s: %s", u.Name, n, remedy(c, &u, path), list)
		}
	}
}

// printUnusedTables names tables of the configuration whose conditions nothing has met, as
// printUnused does for entries that are about one leak. A part that was accepted may hold a leak
// that a table hides.
func printUnusedTables(stderr io.Writer, c *project.Config, accepted int) {
	tables := c.UnusedTables()
	if accepted > 0 {
		tables = slices.DeleteFunc(tables, func(t project.UnusedTable) bool { return t.Header == "[[allow]]" })
	}
	for _, t := range tables[:min(len(tables), mostUnused)] {
		does := "hides"
		if t.Header == "[[unread]]" {
			does = "accepts"
		}
		fmt.Fprintln(stderr, "stanch:", printable.Text(fmt.Sprintf("%s: line %d: %s %s nothing in this repository: check its conditions, or take it out: %s",
			t.Name, t.Line, t.Header, does, t.Reason)))
	}
	switch more := len(tables) - mostUnused; {
	case more == 1:
		fmt.Fprintln(stderr, "stanch: and one more such table")
	case more > 1:
		fmt.Fprintf(stderr, "stanch: and %d more such tables\n", more)
	}
}

// remedy says how to drop the entries of u, a baseline. Its command drops those that hide nothing
// in the repository that path is in, and no others, wherever it is called.
func remedy(c *project.Config, u *project.Unused, path string) string {
	command := "stanch baseline"
	if !project.IsHere(c.Root()) {
		command += " " + Operand(path)
	}
	if !u.IsOwn {
		command += " -o " + Operand(u.Name)
	}
	return `"` + command + `" drops such entries`
}

// Operand returns path as a word of a command, and never as an option.
func Operand(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	return printable.ShellWord(path)
}
