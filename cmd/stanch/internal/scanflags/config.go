package scanflags

import (
	"cmp"
	"fmt"
	"io"
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
	flags.BoolVar(&f.NoIgnores, "no-ignores", false, "heed no configuration, no ignore file and no allow comment of the project")
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

// printUnused names the entries of baselines that hid nothing in the scans so far, a few of
// each. It is for a scan that has read everything of the repository that path is in.
func printUnused(stderr io.Writer, c *project.Config, path string) {
	const most = 3
	for _, u := range c.Unused() {
		count, places := "1 entry hides", []string{}
		if n := len(u.Entries); n > 1 {
			count = fmt.Sprintf("%d entries hide", n)
		}
		for _, e := range u.Entries[:min(len(u.Entries), most)] {
			places = append(places, cmp.Or(e.Note, e.Fingerprint))
		}
		if len(u.Entries) > most {
			places = append(places, "…")
		}
		fmt.Fprintf(stderr, "stanch: %s: %s nothing any more; %s: %s\n", printable.Text(u.Name), count, remedy(c, &u, path), printable.Text(strings.Join(places, "; ")))
	}
}

// remedy says how to drop the entries of u. Its command drops those that hide nothing in the
// repository that path is in, and no others, wherever it is called.
func remedy(c *project.Config, u *project.Unused, path string) string {
	if u.Line > 0 {
		return fmt.Sprintf("take it out of fingerprints, line %d", u.Line)
	}
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
