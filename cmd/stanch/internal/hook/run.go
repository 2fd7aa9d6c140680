package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/hook"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/report/plaintext"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

func newHookRun(s *cli.Streams) *cobra.Command {
	f := &hookFlags{}
	cmd := &cobra.Command{
		Use:   "run [FILE...]",
		Short: "Scan what is about to be committed, pushed or received",
		Long: `Scan new text that is about to be committed, pushed or received. Hooks and
hook managers run this; it finds out where it runs from its arguments, from the
variables that git and pre-commit set, and from standard input.

  pre-commit   the index, against HEAD and the commits that are being merged
  commit-msg   the message in FILE
  pre-push     the commits that no remote has: REMOTE and URL as arguments, refs
               on standard input
  pre-receive  the commits that are being pushed, in a repository on a server
  manual       as pre-commit

With FILEs, only those. If one has not changed, all of them are read as a whole:
so do pre-commit run --all-files and --files. Rules and ignore files of the project
are read in its work tree; on a server none is. Nothing is verified, and nothing is
sent. If nothing is found, nothing is said, unless something could not be read.`,
		Example: `  stanch hook run                                         # what is staged
  stanch hook run -v                                      # also say how much was scanned
  stanch hook run --all-files                             # all files of the index
  stanch hook run --stage commit-msg .git/COMMIT_EDITMSG  # a message`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), s, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.stage, "stage", "", "run as this `HOOK`: "+strings.Join(hook.Stages, ", ")+" (default: it finds out)")
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions(hook.Stages, cobra.ShellCompDirectiveNoFileComp))
	flags.BoolVar(&f.allFiles, "all-files", false, "scan all of each file in the index, changed or not")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "say how much was scanned; list every place, and ignored findings with the reason")
	cli.AddQuiet(cmd, &f.quiet)
	flags.Bool("no-verify", true, "accepted for those who type it: a hook asks nobody")
	_ = flags.MarkHidden("no-verify")
	f.config.AddFiles(cmd)
	return cmd
}

type hookFlags struct {
	stage             string
	allFiles, verbose bool
	quiet             bool
	config            scanflags.ConfigFlags
}

func (f *hookFlags) run(ctx context.Context, s *cli.Streams, args []string) error {
	if f.stage != "" && !slices.Contains(hook.Stages, f.stage) {
		return fmt.Errorf("--stage %s: must be one of %s", f.stage, strings.Join(hook.Stages, ", "))
	}
	if f.quiet {
		s.Hush()
	}
	repo, root, err := gitsource.OpenHere()
	if err != nil {
		return cli.Failed(fmt.Errorf("nothing was scanned: %w", err))
	}
	defer func() { _ = repo.Close() }() // it was only read from
	repo.MaxBlobSize = maxSize
	h := hook.Hook{
		Repo: repo, Root: root, Stage: f.stage, Args: args, AllFiles: f.allFiles,
		CountLines: f.verbose, Stdin: cli.Interruptible(ctx, s.Stdin), NoPipe: isDevice(s.Stdin),
	}
	h.Stage = h.FindStage()
	if h.Stage != hook.PreReceive && hook.Skipped(os.Getenv("SKIP"), h.Stage) {
		fmt.Fprintf(s.Loud().Stderr, "stanch: %s: nothing was scanned, because SKIP=%s\n", h.Stage, printable.Text(os.Getenv("SKIP")))
		return nil
	}
	if h.Stage != hook.PreReceive { // a work tree on a server holds the files of the last push
		f.config.Root = root
	}
	config, err := f.config.Read(s.Loud().Stderr)
	if err != nil {
		return err
	}
	subject, err := h.Subject(ctx)
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, hook.ErrUsage) {
			return err
		}
		return cli.Failed(fmt.Errorf("%s: nothing was scanned: %w", h.Stage, err))
	}
	return f.scan(ctx, s, &h, subject, config)
}

// maxSize bounds how much of one object is held in memory, as --max-size does by default
// elsewhere.
const maxSize = 256 << 20

// isDevice reports whether r is a terminal or a device, as the null device.
func isDevice(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err != nil || info.Mode()&os.ModeCharDevice != 0
}

// scan scans the subject of a hook. If it is clean, nothing is written: the user would read it
// at each commit. Limits of that claim are written, though.
func (f *hookFlags) scan(ctx context.Context, s *cli.Streams, h *hook.Hook, subject *hook.Subject, config *project.Config) error {
	var page bytes.Buffer
	found := &places{}
	scan := run.Scan{
		Options: run.Options{Project: config, Verifier: awsverifier.Offline{}, WithoutLFS: true},
		Handler: plaintext.New(&page, plaintext.Options{Color: cli.WantsColour(s.Stdout), Width: cli.Width(s.Stdout), Verbose: f.verbose, Staged: true}),
		Wraps: []func(scanner.Sink) scanner.Sink{func(sink scanner.Sink) scanner.Sink {
			found.Sink = sink
			return found
		}},
		Header: finding.Scan{Version: s.Version, Source: "hook", Target: h.Stage, Started: time.Now()},
		FailOn: run.FailOnAny,
	}
	result, err := scan.Scan(ctx, subject)
	scanflags.PrintNotes(s.Loud().Stderr, config)
	sayTo := func(w io.Writer) func(string, ...any) {
		return func(format string, args ...any) { fmt.Fprintf(w, "stanch: "+format+"\n", args...) }
	}
	say, sayLoud := sayTo(s.Stderr), sayTo(s.Loud().Stderr)
	verdict := cli.ScanEnded(result, err)
	if verdict != nil || f.verbose {
		if _, err := s.Stdout.Write(page.Bytes()); err != nil {
			return cli.Incomplete(fmt.Errorf("writing the report: %w", err))
		}
	} else {
		f.sayHidden(sayLoud, h.Stage, result.Summary)
	}
	switch {
	case !f.verbose:
	case verdict == nil:
		say("no leaked credentials in %s: %s", subject.Name, subject.Looked())
	default:
		say("looked at %s: %s", subject.Name, subject.Looked())
	}
	if subject.Note != "" {
		say("%s", subject.Note)
	}
	if result.Leaks > 0 && ctx.Err() == nil {
		sayLoud("%s", h.Refusal(ctx, subject, found.at))
	}
	return verdict
}

// sayHidden says what a scan that found nothing has not looked at, or not counted. On a server,
// nobody else sees that a comment in the push allows a key.
func (f *hookFlags) sayHidden(say func(string, ...any), stage string, sum finding.Summary) {
	if n := len(sum.Accepted); n > 0 {
		say("%s not read, for a known reason: stanch hook run -v lists them", printable.Plural(n, "text"))
	}
	if n := sum.Ignored; n > 0 && stage == hook.PreReceive {
		say("%s in this push ignored", printable.Plural(n, "finding"))
	}
}

// places is a sink that keeps the locations of findings, except those that are ignored.
type places struct {
	scanner.Sink
	at []finding.Location
}

// Finding implements scanner.Sink.
func (p *places) Finding(f *finding.Finding) error {
	if f.Ignored == "" {
		for _, l := range f.Locations {
			if l.Ignored == "" {
				p.at = append(p.at, l)
			}
		}
	}
	return p.Sink.Finding(f)
}
