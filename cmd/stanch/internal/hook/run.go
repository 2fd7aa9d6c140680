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
		Long: `Scan what is new in what is about to be committed, pushed or received. Hooks and
hook managers run this; it finds out where it runs from its arguments, from the
variables that git and pre-commit set, and from standard input.

  pre-commit   the index, against HEAD and what is being merged
  commit-msg   the message in FILE
  pre-push     the commits that no remote has: REMOTE and URL as arguments, refs
               on standard input
  pre-receive  the commits that are being pushed, in a repository on a server
  manual       as pre-commit

With FILEs, only those. If one has not changed, all of them are read as a whole:
so do pre-commit run --all-files and --files. Rules and ignore files of the project
are read in its work tree; on a server none is. Nothing is verified, and nothing is
sent.`,
		Example: "  stanch hook run\n  stanch hook run --all-files\n  stanch hook run --stage commit-msg .git/COMMIT_EDITMSG",
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), s, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.stage, "stage", "", "where it runs: "+strings.Join(hook.Stages, ", ")+"; default: found out")
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions(hook.Stages, cobra.ShellCompDirectiveNoFileComp))
	flags.BoolVar(&f.allFiles, "all-files", false, "scan all of each file in the index, changed or not")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "list every place, and ignored findings with the reason")
	f.config.AddFiles(cmd)
	return cmd
}

type hookFlags struct {
	stage             string
	allFiles, verbose bool
	config            scanflags.ConfigFlags
}

func (f *hookFlags) run(ctx context.Context, s *cli.Streams, args []string) error {
	if f.stage != "" && !slices.Contains(hook.Stages, f.stage) {
		return fmt.Errorf("--stage %s: must be one of %s", f.stage, strings.Join(hook.Stages, ", "))
	}
	repo, root, err := gitsource.OpenHere()
	if err != nil {
		return cli.Incomplete(fmt.Errorf("nothing was scanned: %w", err))
	}
	defer func() { _ = repo.Close() }() // it was only read from
	repo.MaxBlobSize = maxSize
	h := hook.Hook{
		Repo: repo, Root: root, Stage: f.stage, Args: args, AllFiles: f.allFiles,
		Stdin: cli.Interruptible(ctx, s.Stdin), NoPipe: isDevice(s.Stdin),
	}
	h.Stage = h.FindStage()
	if h.Stage != hook.PreReceive && hook.Skipped(os.Getenv("SKIP"), h.Stage) {
		fmt.Fprintf(s.Stderr, "stanch: %s: nothing was scanned, because SKIP=%s\n", h.Stage, printable.Text(os.Getenv("SKIP")))
		return nil
	}
	if h.Stage != hook.PreReceive { // a work tree on a server holds the files of the last push
		f.config.Root = root
	}
	config, err := f.config.Read(s.Stderr)
	if err != nil {
		return err
	}
	subject, err := h.Subject(ctx)
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, hook.ErrUsage) {
			return err
		}
		return cli.Incomplete(fmt.Errorf("%s: nothing was scanned: %w", h.Stage, err))
	}
	return f.scan(ctx, s, h.Stage, subject, config)
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

// scan scans the subject of a hook. It prints a report only if there is something in it:
// the user reads it at each commit.
func (f *hookFlags) scan(ctx context.Context, s *cli.Streams, stage string, subject *hook.Subject, config *project.Config) error {
	var page bytes.Buffer
	scan := run.Scan{
		Options: run.Options{Project: config, Verifier: awsverifier.Offline{}, WithoutLFS: true},
		Handler: plaintext.New(&page, plaintext.Options{Color: cli.WantsColour(s.Stdout), Verbose: f.verbose}),
		Header:  finding.Scan{Version: s.Version, Source: "hook", Target: stage, Started: time.Now()},
		FailOn:  run.FailOnAny,
	}
	result, err := scan.Scan(ctx, subject)
	scanflags.PrintNotes(s.Stderr, config)
	verdict := cli.ScanEnded(result, err)
	if verdict == nil && !f.verbose {
		fmt.Fprintf(s.Stderr, "stanch: no leaked credentials in %s: %s%s\n", subject.Name, subject.Looked(), ignored(result.Summary.Ignored)+accepted(len(result.Summary.Accepted)))
	} else if _, err := s.Stdout.Write(page.Bytes()); err != nil {
		return cli.Incomplete(fmt.Errorf("writing the report: %w", err))
	} else {
		fmt.Fprintf(s.Stderr, "stanch: looked at %s: %s\n", subject.Name, subject.Looked())
	}
	if subject.Note != "" {
		fmt.Fprintln(s.Stderr, "stanch:", subject.Note)
	}
	if errors.Is(verdict, cli.ErrLeaks) {
		fmt.Fprintln(s.Stderr, remedy(stage))
	}
	return verdict
}

// ignored says that findings were ignored: the entry that allows them may be new, or
// somebody else's.
func ignored(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "; 1 finding ignored, --verbose says why"
	}
	return fmt.Sprintf("; %d findings ignored, --verbose says why", n)
}

// accepted says that parts were not read, and are no reason to refuse anything.
func accepted(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "; 1 part not read and accepted, --verbose says why"
	}
	return fmt.Sprintf("; %d parts not read and accepted, --verbose says why", n)
}

// remedy says how to go on after findings in a stage.
func remedy(stage string) string {
	switch stage {
	case hook.PrePush:
		return `stanch: the push is refused. Take the keys out of the commits (git rebase -i, git commit --amend): a commit
on top does not remove them. Deactivate each key that was ever pushed or shared.
To push all the same: SKIP=stanch-push git push, or git push --no-verify.`
	case hook.PreReceive:
		return "stanch: the push is refused. Take the keys out of the commits: a commit on top does not remove them."
	case hook.CommitMsg:
		return "stanch: the commit is refused. Its message is in .git/COMMIT_EDITMSG.\nTo commit all the same: SKIP=stanch git commit …, or git commit --no-verify."
	}
	return `stanch: the commit is refused. Take the keys out, "git add" the files again, and commit.
To commit all the same: SKIP=stanch git commit …, or git commit --no-verify.`
}
