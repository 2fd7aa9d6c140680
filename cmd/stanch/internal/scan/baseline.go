package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// NewBaseline returns the command that writes the baseline of a repository.
func NewBaseline(s *cli.Streams) *cobra.Command {
	f := &baselineFlags{}
	cmd := &cobra.Command{
		Use:   "baseline [PATH]",
		Short: "List the leaks that are known, so that scans and hooks report new ones only",
		Long: `Scan all that the branches, tags and other refs of the repository of PATH lead to, and
list its leaks in ` + project.OwnBaseline + ` in the root of the work tree. Commit that file: hooks,
"stanch ci", "git", "dir" and "stdin" read it there, and report new leaks only. A leak
that AWS calls live is reported all the same.

The file holds hashes, and for people the first place of each leak. No key and no key
id is in it. Run the command again to add new leaks, which it names, and to drop
entries that hide nothing any more. If a part of the repository cannot be read,
nothing is dropped, and the exit code is 3.

A key that is staged or changed and in no commit is not known, nor is one that only
this clone has, in a stash, a reflog, a dangling commit, git's configuration or the
detached HEAD of another work tree: "stanch git" reports those. Nothing is sent to AWS.`,
		Example: `  stanch baseline                          # write .stanch.baseline; commit it
  stanch baseline -o app.baseline app.git  # for a bare repository`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			operand := "."
			if len(args) > 0 {
				operand = args[0]
			}
			return f.run(cmd.Context(), s, operand)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.out.File, "output", "o", "", "write the list to `FILE`, and go on from the entries that it has (default: "+project.OwnBaseline+" of PATH)")
	flags.StringArrayVar(&f.config, "config", nil, "read rules and allowlists from `FILE`, as of stanch or gitleaks, not from the project")
	flags.Int64Var(&f.maxSize, "max-size", 256, "use at most `N` MiB of memory for an archive or a git object, as the scans do (0: no limit)")
	return cmd
}

type baselineFlags struct {
	out     cli.OutputFlags
	config  []string
	maxSize int64 // MiB
}

func (f *baselineFlags) run(ctx context.Context, s *cli.Streams, operand string) error {
	if transport.IsURL(operand) {
		return fmt.Errorf("%s: a baseline is for a repository on disk: clone it first", transport.Redact(operand))
	}
	if err := scanflags.CheckMaxSize(f.maxSize); err != nil {
		return err
	}
	repo, err := gitsource.Open(operand)
	if err != nil {
		return cli.Failed(fmt.Errorf("nothing was scanned: %w", err))
	}
	defer func() { _ = repo.Close() }() // it was only read from
	repo.MaxBlobSize, repo.ReachableOnly, repo.SharedOnly = f.maxSize<<20, true, true
	u := &baselineUpdate{Streams: s, repo: repo, operand: operand}
	if err := u.readOld(&f.out); err != nil {
		return err
	}
	u.config, err = project.Read(project.Options{Files: f.config, Within: operand, Known: u.old})
	if err != nil {
		return err
	}
	if err := u.scan(ctx); err != nil {
		return err
	}
	text, err := u.update()
	if err != nil {
		return err
	}
	if f.out.File != "" {
		err = f.out.Save(s.Stdout, text)
	} else if err = u.save(text); err != nil {
		err = fmt.Errorf("writing %s: %w", u.path, err)
	}
	if err != nil {
		return cli.Unfinished(err)
	}
	return u.report()
}

// A baselineUpdate is one run of "stanch baseline".
type baselineUpdate struct {
	*cli.Streams
	repo       *gitsource.Repository
	config     *project.Config
	operand    string
	name, path string // of the file: for people, and to write it
	isNew      bool
	old        *baseline.List
	found      finding.Saved
	parts      parts
	partial    bool // a part was not read: entries may be about leaks in it

	added, dropped []baseline.Entry
	kept           int
}

// readOld decides which file is written, and reads it if it is there already.
func (u *baselineUpdate) readOld(out *cli.OutputFlags) (err error) {
	u.name, u.path, out.Public = out.File, out.File, true
	switch {
	case out.File == "":
		root := gitsource.WorkTree(u.operand)
		if root == "" {
			return fmt.Errorf("%s has no work tree to keep %s in: name the file with --output", u.operand, project.OwnBaseline)
		}
		u.name, u.path = project.OwnBaseline, filepath.Join(root, project.OwnBaseline)
		u.old, err = project.ReadOwnBaseline(root)
	case out.ToStdout():
		u.name = "standard output"
	case !isDevice(out.File):
		u.old, err = project.ReadBaseline(u.path)
	}
	if err != nil {
		return fmt.Errorf("the file to be written cannot be read as a baseline, and is left as it is: %w", err)
	}
	if u.old == nil {
		u.isNew, u.old = true, baseline.NewList(nil)
	}
	return nil
}

// isDevice reports whether name can be written to and has no content to be read.
func isDevice(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0
}

// scan finds all leaks that refs lead to. Those that the old file lists are ignored.
func (u *baselineUpdate) scan(ctx context.Context) error {
	meter := &cli.Meter{Line: u.Line}
	scan := run.Scan{
		Options: run.Options{Project: u.config, Verifier: awsverifier.Offline{}},
		Header:  finding.Scan{Version: u.Version, Source: "git", Target: u.operand, Started: time.Now()},
		Handler: &u.found,
		Wraps:   []func(scanner.Sink) scanner.Sink{func(sink scanner.Sink) scanner.Sink { u.parts.Sink = sink; return &u.parts }},
	}
	err := meter.During(func() error {
		_, err := scan.Scan(ctx, meter.Source(u.repo))
		return err
	})
	scanflags.PrintNotes(u.Stderr, u.config)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return cli.Incomplete(fmt.Errorf("%s was not written: %w", u.name, err))
	}
	u.partial = len(u.found.Totals.Unread)+len(u.found.Totals.Accepted) > 0 || u.repo.LacksSubmodules()
	return nil
}

// update works out the new entries, and returns the text of the file.
func (u *baselineUpdate) update() ([]byte, error) {
	list := u.old.Entries()
	if !u.partial {
		u.dropped = u.old.Unused()
		gone := map[baseline.Entry]bool{}
		for _, e := range u.dropped {
			gone[e] = true
		}
		list = slices.DeleteFunc(slices.Clone(list), func(e baseline.Entry) bool { return gone[e] })
	}
	u.kept = len(list)
	set := u.config.Extend(catalog.NewSet())
	for i := range u.found.Findings {
		f := &u.found.Findings[i]
		if l := firstShared(f); f.Ignored == "" && l != nil {
			u.added = append(u.added, baseline.EntriesOf(f, u.noteOf(f, l, set))...)
		}
	}
	u.added = baseline.NewList(u.added).Entries()
	var text bytes.Buffer
	err := baseline.Write(&text, baseline.NewList(slices.Concat(list, u.added)).Entries())
	return text.Bytes(), err
}

// firstShared returns the first place of f that is not ignored and that other clones have
// too, nil if there is none: git's configuration and its logs stay in this one.
func firstShared(f *finding.Finding) *finding.Location {
	for i := range f.Locations {
		l := &f.Locations[i]
		if l.Ignored == "" && l.Kind != finding.KindConfig && l.Kind != finding.KindReflog {
			return l
		}
	}
	return nil
}

// noteOf describes f, which stands at l, for people. A place that holds a key itself, as in
// the name of a file, is left out.
func (u *baselineUpdate) noteOf(f *finding.Finding, l *finding.Location, set *detectors.Set) string {
	place := l.Path
	if l.Kind != finding.KindBlob && l.Kind != "" {
		place = strings.TrimSpace(string(l.Kind) + " " + place)
	}
	if l.Line > 0 {
		place += fmt.Sprintf(":%d", l.Line)
	}
	if l.Commit != "" {
		place += " in " + l.Commit[:min(len(l.Commit), 10)]
	}
	note := printable.Quoted(place) + ", " + printable.Quoted(f.Match.Rule.ID)
	// An id may be glued to letters, where a detector takes it for a part of a word.
	like := regexp.MustCompile(`(?i)(AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}`)
	if like.MatchString(place) || len(set.Detect(nil, []byte(note))) > 0 || len(set.Detect(nil, []byte(place))) > 0 || u.parts.in(place) {
		return "a name that holds a key, " + printable.Quoted(f.Match.Rule.ID)
	}
	return note
}

// parts is a sink that remembers the ids and secrets that it passes on. No text with one of
// them gets into the file, even where a detector alone would not find it.
type parts struct {
	scanner.Sink
	known map[string]bool
	sizes map[int]bool
}

// Finding implements scanner.Sink.
func (p *parts) Finding(f *finding.Finding) error {
	if p.known == nil {
		p.known, p.sizes = map[string]bool{}, map[int]bool{}
	}
	c := &f.Match.Credential
	secrets := append(slices.Clone(f.Others), c.Secret, c.Token)
	for i := range f.Candidates {
		secrets = append(secrets, f.Candidates[i].Secret)
	}
	texts := []string{c.ID}
	for _, s := range secrets {
		texts = append(texts, s.Reveal())
	}
	for _, text := range texts {
		if text != "" {
			p.known[text], p.sizes[len(text)] = true, true
		}
	}
	return p.Sink.Finding(f)
}

// in reports whether text holds one of the parts.
func (p *parts) in(text string) bool {
	for size := range p.sizes {
		for i := 0; i+size <= len(text); i++ {
			if p.known[text[i:i+size]] {
				return true
			}
		}
	}
	return false
}

// save writes the file, unless it is as it should be already. Others may read it, as they
// may read the other files of the work tree.
func (u *baselineUpdate) save(text []byte) error {
	info, err := os.Lstat(u.path)
	switch {
	case err != nil: // it is not there
	case !info.Mode().IsRegular(): // readOld has read one
		return errors.New("it is not a regular file any more")
	default:
		if old, err := os.ReadFile(u.path); err == nil && bytes.Equal(old, text) {
			return nil
		}
	}
	return atomicfile.Write(u.path, text, 0o644)
}

// report says how the file differs from the old one, and what is left to do.
func (u *baselineUpdate) report() error {
	say := func(format string, args ...any) { fmt.Fprintf(u.Stderr, "stanch: "+format+"\n", args...) }
	say("%s: %d added, %d kept, %d dropped", printable.Text(u.name), len(u.added), u.kept, len(u.dropped))
	if !u.isNew {
		sayEntries(say, "added", u.added)
	}
	sayEntries(say, "dropped", u.dropped)
	if len(u.added)+u.kept > 0 {
		say("nothing was sent to AWS: \"%s\" asks which of these keys are live. Shut those off: a baseline hides no live key.", strings.TrimSuffix("stanch git "+scanflags.Operand(u.operand), " ."))
	}
	if unread := u.found.Totals.Unread; len(unread) > 0 {
		for _, part := range unread[:min(len(unread), mostNamed)] {
			say("not read: %s: %s", printable.Text(part.What), printable.Text(part.Why))
		}
		if more := len(unread) - mostNamed; more > 0 {
			say("not read: %d more", more)
		}
		return cli.Incomplete(errors.New("there may be more leaks in what was not read; no entry was dropped"))
	}
	switch {
	case len(u.found.Totals.Accepted) > 0:
		say("a part that was not read is accepted: no entry was dropped, since it may be about a leak in there")
	case u.partial:
		say("a submodule has not been cloned: no entry was dropped, since it may be about a leak in there")
	}
	return nil
}

// mostNamed bounds lists on standard error.
const mostNamed = 50

func sayEntries(say func(string, ...any), verb string, list []baseline.Entry) {
	for _, e := range list[:min(len(list), mostNamed)] {
		say("%s: %s", verb, printable.Text(e.Note))
	}
	if more := len(list) - mostNamed; more > 0 {
		say("%s: %d more; git diff shows them", verb, more)
	}
}
