package scan

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
)

// NewAllow returns the command that ignores single findings.
func NewAllow(s *cli.Streams) *cobra.Command {
	f := &allowFlags{}
	cmd := &cobra.Command{
		Use:   "allow FINGERPRINT...",
		Short: "Ignore findings from now on, with a reason",
		Long: `Write an entry into ` + project.OwnConfig + ` in the root of the work tree, so that scans, hooks
and "stanch ci" ignore the findings with these fingerprints wherever they stand. A
report shows the fingerprint of each finding. Commit the file: it then counts for all.

A key that AWS calls live is reported all the same, unless a scan is told
--honor-ignores-for-live. All that the file has already stays as it is.

To ignore one line, write a comment on it instead: stanch:allow REASON. To ignore all
leaks that are known today, run "stanch baseline".`,
		Example: `  stanch allow 9f52c1d0a77e4b1f8c3e5d6a7b8c9d0e --reason "made up for the tests"
  stanch allow 9f52c1d0a77e4b1f8c3e5d6a7b8c9d0e --reason off --until 2027-05-31`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return f.run(s, args, time.Now()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.reason, "reason", "", "say why in `TEXT`, which the file and reports show (required)")
	flags.StringVar(&f.until, "until", "", "ignore them up to this `DAY`, such as 2027-01-31 (default: for ever)")
	flags.StringVar(&f.config, "config", "", "write to `FILE` instead, which scans read with --config")
	return cmd
}

type allowFlags struct{ reason, until, config string }

func (f *allowFlags) run(s *cli.Streams, args []string, now time.Time) error {
	a := project.Allowance{Reason: strings.Join(strings.Fields(f.reason), " "), Now: now} // reports show it in a row
	var err error
	if len(args) == 0 {
		return errors.New("name the findings to ignore by their fingerprints, as reports show them: stanch allow FINGERPRINT --reason TEXT")
	}
	if a.Fingerprints, err = rules.Fingerprints(args); err != nil {
		if slices.ContainsFunc(args, isPlace) {
			return fmt.Errorf("nothing was written: an argument is a path, and not a fingerprint. To ignore a line, write the comment "+
				"\"stanch:allow REASON\" on it; to ignore files, add an [[allow]] entry with \"paths\" to %s (\"stanch init\" writes a sample)", project.OwnConfig)
		}
		return fmt.Errorf("nothing was written: %w", err)
	}
	if a.Reason == "" {
		return errors.New("--reason is missing or empty: say why these findings may be ignored, as in --reason \"made up for the tests\"")
	}
	if !utf8.ValidString(a.Reason) {
		return errors.New("--reason is not UTF-8, as all of the file is: type it without special characters")
	}
	if len(catalog.NewSet().Detect(nil, []byte(a.Reason))) > 0 {
		return errors.New("--reason holds a key, and the file is committed: say why without it")
	}
	if a.Until, err = lastDay(f.until, now); err != nil {
		return err
	}
	file, err := findConfig(f.config)
	if err != nil {
		return err
	}
	a.File, a.Name, a.Root = file.path, file.name, file.root
	done, err := a.Allow()
	switch {
	case errors.Is(err, project.ErrUnwritable):
		return cli.Unfinished(fmt.Errorf("%s %w", file.name, err))
	case err != nil:
		return fmt.Errorf("nothing was written: %w", err)
	}
	f.report(s, &a, done, file)
	return nil
}

// isPlace reports whether arg is a path, or the place of a finding as reports show it: PATH:LINE.
func isPlace(arg string) bool {
	_, err := os.Stat(strings.TrimRight(arg, ":0123456789"))
	return err == nil || strings.Contains(arg, "/")
}

// lastDay reads the day of --until, zero for none.
func lastDay(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, now.Location())
	switch {
	case err != nil:
		return day, errors.New("--until is not a day such as 2027-01-31")
	case !now.Before(day.AddDate(0, 0, 1)):
		return day, fmt.Errorf("--until %s is over: name a day to come", text)
	}
	return day, nil
}

// report says how the file differs, and the next step.
func (f *allowFlags) report(s *cli.Streams, a *project.Allowance, done *project.Allowed, file *configFile) {
	say := func(format string, args ...any) {
		fmt.Fprintln(s.Stderr, "stanch:", printable.Text(fmt.Sprintf(format, args...)))
	}
	for _, old := range done.Old {
		say("%s: line %d: %s was allowed already, %s: %s. Nothing was added for it; to change that, edit the entry.",
			file.name, old.Line, old.Fingerprint, project.Term(old.Expires), old.Reason)
	}
	for _, over := range done.Over {
		say("%s: line %d: this entry for %s ended on %s: take it out, a new one is in line %d",
			file.name, over.Line, over.Fingerprint, over.Expires.Format(time.DateOnly), done.Line)
	}
	for _, fingerprint := range done.New {
		say("%s: line %d: %s is allowed, %s: %s", file.name, done.Line, fingerprint, project.Term(a.Until), a.Reason)
	}
	if len(done.New) == 0 {
		return
	}
	if f.config == "" { // a file of --config may be for several repositories: no scan names its entries
		say("no scan has looked for it: \"stanch git\" names the entry if it hides nothing")
	}
	say("a key that AWS calls live is reported all the same: shut it off")
	if f.config != "" {
		say("next: give scans --config %s", scanflags.Operand(file.name))
	} else {
		say("next: git add %s", scanflags.Operand(file.name))
	}
}

// A configFile is the configuration that a command writes.
type configFile struct {
	name       string // for people, and for commands of theirs
	path, root string // the root is "" if the user names the file
}

// findConfig returns the file that the user names or, without one, that of the project around
// the current folder.
func findConfig(named string) (*configFile, error) {
	if named != "" {
		return &configFile{name: named, path: named}, nil
	}
	root := gitsource.WorkTree(".")
	if root == "" {
		where := "this folder is in no git repository"
		if _, err := gitsource.Open("."); err == nil {
			where = "this folder is in a bare repository or a git directory, and not in a work tree"
		}
		return nil, fmt.Errorf("%s, so there is no %s that scans would read: change to a work tree, or name a file with --config", where, project.OwnConfig)
	}
	f := &configFile{path: filepath.Join(root, project.OwnConfig), root: root}
	f.name = f.path
	if here, err := os.Getwd(); err == nil {
		here, hereErr := filepath.EvalSymlinks(here)
		there, thereErr := filepath.EvalSymlinks(root)
		if rel, err := filepath.Rel(here, there); cmp.Or(hereErr, thereErr, err) == nil {
			f.name = filepath.Join(rel, project.OwnConfig)
		}
	}
	return f, nil
}
