package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/response"
)

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

// unfinishedIf is unfinished, unless err is nil or says that the command was interrupted.
func unfinishedIf(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return unfinished(err)
}

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
