package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/response"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collect(os.Args))
	}
	// A closed pipe is an error of the write, so that what was made is cleaned up.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal kills, whatever still waits
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(exitCode(os.Stderr, err))
}

// collect returns how much garbage there may be, in percent of what is held. What
// scans hold are a few large arrays without pointers: to collect often costs little, and
// takes a third from the peak. A hook is over before it has 16 MB, and what begins with
// a flag, as --version, before it has anything.
func collect(args []string) int {
	if len(args) > 1 && (args[1] == "hook" || strings.HasPrefix(args[1], "-")) {
		return 400
	}
	return 25
}

// release is the version that this source is or leads to. It is embedded since
// pre-commit builds from a clone without tags, where the go command knows no
// version.
//
//go:embed VERSION
var release string

// run runs the command that args name and returns how it ended; exitCode reads
// that. It may be called more than once in a process, as tests do.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	s := &streams{stdin, stdout, stderr, strings.TrimSpace(release)}
	root := newRoot(s)
	root.AddCommand(newHook(s))
	if len(args) == 0 || args[0] != "hook" { // at each commit, nobody is to wait for the flags of all others
		root.AddCommand(newGit(s), newGitHub(s), newSweep(s), newDir(s), newStdin(s), newReport(s), newRules(s), newInventory(s), newMigrate(s), newCI(s), newVerify(s), newAssess(s), newRespond(s))
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// streams are where a command reads and writes, and the version that it says it is.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	version        string // "0.1.0"
}

func newRoot(s *streams) *cobra.Command {
	printVersion := false
	root := &cobra.Command{
		Use:           "stanch",
		Short:         "Find leaked AWS keys, prove which are live",
		Long:          manual,
		SilenceErrors: true, // exitCode prints them, once
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printVersion {
				_, err := fmt.Fprintln(s.stdout, "stanch", buildInfo(s.version))
				return err
			}
			return cmd.Help()
		},
	}
	// cobra's Version would print "stanch version 0.1.0"; to change that takes
	// SetVersionTemplate, which links text/template and adds a third to the binary.
	root.Flags().BoolVarP(&printVersion, "version", "v", false, "print the version")
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	return root
}

// The ways in which a run can end other than well. Whatever else comes out of
// run is an error of usage: cobra's own, or ours about flags.
var (
	errLeaks      = errors.New("leaked credentials were found")
	errIncomplete = errors.New("the scan is incomplete")
	// errUnfinished is errIncomplete of commands that do not scan.
	errUnfinished = errors.New("not all is done")
)

// incomplete marks err as one that kept a scan from reading something.
func incomplete(err error) error { return fmt.Errorf("%w: %w", errIncomplete, err) }

// unfinished marks err as one that kept a response to a leak from being whole.
func unfinished(err error) error { return fmt.Errorf("%w: %w", errUnfinished, err) }

// Exit codes; the README documents them.
const (
	exitClean       = 0
	exitLeaks       = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitInterrupted = 130 // 128 + SIGINT, as shells do
)

// exitCode prints err, unless the report has said it already, and returns the
// code that the process ends with. Unknown is not clean: an incomplete scan is
// 3 even if it found leaks.
func exitCode(stderr io.Writer, err error) int {
	switch {
	case err == nil:
		return exitClean
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "stanch: interrupted: a report holds only what was found until then")
		return exitInterrupted
	case response.Refused(err) != "": // by a gate: the usage was right
		fmt.Fprintln(stderr, "stanch:", printable.Text(err.Error()))
		return exitUsage
	case errors.Is(err, errIncomplete), errors.Is(err, errUnfinished):
		fmt.Fprintln(stderr, "stanch:", printable.Text(err.Error()))
		return exitIncomplete
	case errors.Is(err, errLeaks):
		return exitLeaks
	}
	fmt.Fprintf(stderr, "stanch: %s\nRun 'stanch --help' for usage.\n", printable.Text(err.Error()))
	return exitUsage
}
