package main

import (
	"context"
	_ "embed"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/ci"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/hook"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/report"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scan"
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
	os.Exit(cli.ExitCode(os.Stderr, err))
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
	s := &cli.Streams{Stdin: stdin, Stdout: stdout, Stderr: stderr, Version: strings.TrimSpace(release)}
	root := cli.NewRoot(s, manual)
	root.AddCommand(hook.New(s))
	if len(args) == 0 || args[0] != "hook" { // at each commit, nobody is to wait for the flags of all others
		root.AddCommand(scan.NewGit(s), newGitHub(s), newSweep(s), scan.NewDir(s), scan.NewStdin(s), report.NewReport(s), report.NewRules(s), respond.NewInventory(s), report.NewMigrate(s), ci.New(s), respond.NewVerify(s), respond.NewAssess(s), respond.NewRespond(s))
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}
