package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/report/plaintext"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

func newHook(s *cli.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hook",
		Short: "Keep keys from being committed and pushed: hooks for git",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newHookRun(s), newHookInstall(s), newHookUninstall(s), newHookStatus(s))
	return cmd
}

// The stages of git that a hook can run in (githooks(5)), and manual, by hand.
const (
	preCommit  = "pre-commit"
	preMerge   = "pre-merge-commit"
	commitMsg  = "commit-msg"
	prePush    = "pre-push"
	preReceive = "pre-receive"
	byHand     = "manual"
)

var hookStages = []string{preCommit, preMerge, commitMsg, prePush, preReceive, byHand}

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
	flags.StringVar(&f.stage, "stage", "", "where it runs: "+strings.Join(hookStages, ", ")+"; default: found out")
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions(hookStages, cobra.ShellCompDirectiveNoFileComp))
	flags.BoolVar(&f.allFiles, "all-files", false, "scan all of each file in the index, changed or not")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "list every place and what was ignored, with the reason")
	f.config.AddFiles(cmd)
	return cmd
}

type hookFlags struct {
	stage             string
	allFiles, verbose bool
	config            scanflags.ConfigFlags
}

func (f *hookFlags) run(ctx context.Context, s *cli.Streams, args []string) error {
	if f.stage != "" && !slices.Contains(hookStages, f.stage) {
		return fmt.Errorf("--stage %s: must be one of %s", f.stage, strings.Join(hookStages, ", "))
	}
	repo, root, err := gitsource.OpenHere()
	if err != nil {
		return cli.Incomplete(fmt.Errorf("nothing was scanned: %w", err))
	}
	defer func() { _ = repo.Close() }() // it was only read from
	repo.MaxBlobSize = hookMaxSize
	h := &hook{hookFlags: f, Streams: s, repo: repo, root: root, args: args}
	h.stage = h.findStage()
	if h.stage != preReceive && skipped(os.Getenv("SKIP"), h.stage) {
		fmt.Fprintf(s.Stderr, "stanch: %s: nothing was scanned, because SKIP=%s\n", h.stage, printable.Text(os.Getenv("SKIP")))
		return nil
	}
	if h.stage != preReceive { // there the files of a work tree are those that were pushed last
		f.config.Root = root
	}
	if h.config, err = f.config.Read(s.Stderr); err != nil {
		return err
	}
	subject, err := h.subject(ctx)
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, errUsage) {
			return err
		}
		return cli.Incomplete(fmt.Errorf("%s: nothing was scanned: %w", h.stage, err))
	}
	return h.scan(ctx, subject)
}

// hookMaxSize bounds what is held in memory of one object, as --max-size does by
// default elsewhere.
const hookMaxSize = 256 << 20

// skipped reports whether SKIP, a list of hook ids that pre-commit and prek know,
// holds that of the stage.
func skipped(list, stage string) bool {
	id := "stanch"
	if stage == prePush {
		id = "stanch-push"
	}
	return slices.Contains(strings.Split(strings.ReplaceAll(list, " ", ""), ","), id)
}

// A hook is one run of "stanch hook run".
type hook struct {
	*hookFlags
	*cli.Streams
	repo   *gitsource.Repository
	root   string // of the work tree, "" if there is none
	config *project.Config
	args   []string
	note   string // what to know of the subject, or ""
}

// A subject is what a hook looks at. looked says what that was, when it is over.
type subject struct {
	scanner.Source
	name   string
	looked func() string
}

// scan runs the pipeline over what the hook is about. A report is printed only if
// there is something in it: what a hook prints, it prints at each commit.
func (h *hook) scan(ctx context.Context, subject *subject) error {
	var page bytes.Buffer
	scan := scanrun.Scan{
		Options: scanrun.Options{Project: h.config, Verifier: awsverifier.Offline{}},
		Handler: plaintext.New(&page, plaintext.Options{Color: cli.WantsColour(h.Stdout), Verbose: h.verbose}),
		Header:  finding.Scan{Version: h.Version, Source: "hook", Target: h.stage, Started: time.Now()},
		FailOn:  scanrun.FailOnAny,
	}
	result, err := scan.Scan(ctx, subject)
	scanflags.PrintNotes(h.Stderr, h.config)
	verdict := cli.ScanEnded(result, err)
	if verdict == nil && !h.verbose {
		fmt.Fprintf(h.Stderr, "stanch: no leaked credentials in %s: %s%s\n", subject.name, subject.looked(), passedOver(result.Summary.Ignored))
	} else if _, err := h.Stdout.Write(page.Bytes()); err != nil {
		return cli.Incomplete(fmt.Errorf("writing the report: %w", err))
	} else {
		fmt.Fprintf(h.Stderr, "stanch: looked at %s: %s\n", subject.name, subject.looked())
	}
	if h.note != "" {
		fmt.Fprintln(h.Stderr, "stanch:", h.note)
	}
	if errors.Is(verdict, cli.ErrLeaks) {
		fmt.Fprintln(h.Stderr, h.remedy())
	}
	return verdict
}

// passedOver says that something was found and ignored: what allows it may be new, or
// somebody else's.
func passedOver(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s ignored, --verbose says why", cli.Plural(n, "finding"))
}

// remedy says what to do about what was found.
func (h *hook) remedy() string {
	switch h.stage {
	case prePush:
		return `stanch: the push is refused. Take the keys out of the commits (git rebase -i, git commit --amend): a commit
on top does not remove them. What was ever pushed or shared has to be deactivated.
To push all the same: SKIP=stanch-push git push, or git push --no-verify.`
	case preReceive:
		return "stanch: the push is refused. Take the keys out of the commits: a commit on top does not remove them."
	case commitMsg:
		return "stanch: the commit is refused. Its message is in .git/COMMIT_EDITMSG.\nTo commit all the same: SKIP=stanch git commit …, or git commit --no-verify."
	}
	return `stanch: the commit is refused. Take the keys out, "git add" the files again, and commit.
To commit all the same: SKIP=stanch git commit …, or git commit --no-verify.`
}
