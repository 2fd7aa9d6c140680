package main

import (
	"context"
	_ "embed"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/ci"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/guess"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/hook"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/report"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scan"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/sweep"
)

func main() {
	var ballast []byte
	if os.Getenv("GOGC") == "" {
		percent, size := gcPace(os.Args)
		debug.SetGCPercent(percent)
		ballast = make([]byte, size)
	}
	// A write to a closed pipe returns an error, so that temporary files are removed.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal kills
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	runtime.KeepAlive(ballast)
	os.Exit(cli.ExitCode(os.Stderr, err))
}

// gcPace picks GOGC and the size of a ballast. The ballast is memory that nobody touches, so
// it exists only for the collector, which counts it as a part of the heap: a heap of 20 MB
// grows by 25 MB before it is collected again, not by 10, and one of 90 MB by 46, as with 50 and
// no ballast. A history full of keys takes a fifth less CPU so, and rails no more
// memory. A hook ends before its heap has 16 MB, and "stanch --version" before it has any:
// they hardly collect at all.
func gcPace(args []string) (percent, ballast int) {
	if len(args) > 1 && (args[1] == "hook" || strings.HasPrefix(args[1], "-")) {
		return 400, 0
	}
	return 30, 64 << 20
}

// release is the version of this source, or the next one. It is embedded because pre-commit
// builds from a clone without tags, where the go command knows no version.
//
//go:embed VERSION
var release string

// run runs the command that args name and returns how it ended, for cli.ExitCode. It may be
// called more than once in a process, as tests do.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	s := cli.NewStreams(stdin, stdout, stderr, strings.TrimSpace(release))
	root := newRoot(s, args)
	args, err := guess.Command(root, args, stderr)
	if err != nil {
		return err
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// newRoot returns stanch with the commands that args may mean.
func newRoot(s *cli.Streams, args []string) *cobra.Command {
	root := cli.NewRoot(s, manual)
	root.AddCommand(hook.New(s))
	if len(args) == 0 || args[0] != "hook" { // a commit must not wait for the flags of all others
		root.AddCommand(
			scan.NewGit(s), scan.NewBaseline(s), scan.NewAllow(s), scan.NewInit(s), scan.NewGitHub(s), sweep.New(s), scan.NewDir(s), scan.NewStdin(s), ci.New(s),
			report.NewReport(s), report.NewRules(s), report.NewMigrate(s),
			respond.NewInventory(s), respond.NewVerify(s), respond.NewAssess(s), respond.NewRespond(s, sweep.Report),
			cli.NewMan(s),
		)
	}
	guess.Teach(root)
	return root
}
