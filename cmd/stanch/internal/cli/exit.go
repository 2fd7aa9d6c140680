package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
)

// A command returns one of these, wrapped, if it did not end well; ExitCode turns it into
// the exit code. Every other error is about the command line, or about a configuration
// file: exit code 2.
var (
	ErrLeaks      = errors.New("leaked credentials were found")
	ErrIncomplete = errors.New("the scan is incomplete")
	// ErrUnfinished is ErrIncomplete for commands that do not scan.
	ErrUnfinished = errors.New("not all is done")
	// ErrStopped says that a service was told to stop, and did. A signal is the only reason.
	ErrStopped = errors.New("stopped")
	// ErrBlocked says that a call was blocked, and that the command has said why.
	ErrBlocked = errors.New("the call is blocked")
)

// Incomplete wraps an error that kept a scan from reading something.
func Incomplete(err error) error { return fmt.Errorf("%w: %w", ErrIncomplete, err) }

// Unfinished wraps an error that kept a command other than a scan from doing all it should.
func Unfinished(err error) error { return fmt.Errorf("%w: %w", ErrUnfinished, err) }

// Failed wraps an error that kept a command from beginning, or from doing its only thing. The
// exit code is that of an incomplete scan. The error alone says what happened: there was no
// scan that could be incomplete.
func Failed(err error) error {
	if err == nil {
		return nil
	}
	return &failedError{err}
}

type failedError struct{ error }

// Unwrap returns the cause.
func (e *failedError) Unwrap() error { return e.error }

// Is reports that nobody may take the outcome for clean.
func (e *failedError) Is(target error) bool { return target == ErrIncomplete }

// A UsageError says that the user typed a command that stanch does not understand.
type UsageError struct {
	Why  string
	Help string // the command whose --help says what may be typed: "stanch git"
}

// Error implements error.
func (e *UsageError) Error() string { return e.Why }

// UnfinishedIf is Unfinished, unless err is nil or says that the command was interrupted.
func UnfinishedIf(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || readerLeft(err) {
		return err
	}
	return Unfinished(err)
}

// readerLeft reports whether err is that of writing to a pipe that its reader has closed, as
// head does when it has seen enough: standard output, or the pipe that --output names. It is
// false for pipes to programs that stanch runs, which have no name but a number.
func readerLeft(err error) bool {
	var write *fs.PathError
	return errors.As(err, &write) && errors.Is(write.Err, syscall.EPIPE) && !strings.HasPrefix(write.Path, "|")
}

// ErrUnread is the reason for an incomplete scan whose report is complete.
var ErrUnread = errors.New("the report names what could not be read")

// ScanEnded returns how a scan ended, for ExitCode: err is the error of the scan or of
// writing the report, if any.
func ScanEnded(result run.Result, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, ErrIncomplete), errors.Is(err, ErrUnfinished):
		return err
	case err != nil:
		return Incomplete(err)
	case len(result.Summary.Unread) > 0 && result.Leaks > 0:
		// One code cannot say both, and unknown is not clean: 3 it is, and this line has the leaks.
		return Incomplete(fmt.Errorf("%w, and %s that --fail-on counts", ErrUnread, printable.Plural(result.Leaks, "leak")))
	case len(result.Summary.Unread) > 0:
		return Incomplete(ErrUnread)
	case result.Leaks > 0:
		return ErrLeaks
	case result.Unanswered > 0:
		return &unansweredError{result.Unanswered}
	}
	return nil
}

// An unansweredError says that AWS gave no answer about some keys, where only live ones count:
// nobody knows whether there are any. All was read, so the scan is complete.
type unansweredError struct{ keys int }

// Error implements error.
func (e *unansweredError) Error() string {
	keys, they := "1 key", "it is"
	if e.keys > 1 {
		keys, they = fmt.Sprintf("%d keys", e.keys), "they are"
	}
	return "--fail-on live: AWS gave no answer about " + keys + ", so nobody knows whether " + they + " live: scan again when AWS can be asked"
}

// Exit codes; the README documents them.
const (
	ExitClean       = 0
	ExitLeaks       = 1
	ExitUsage       = 2
	ExitIncomplete  = 3
	ExitInterrupted = 130 // 128 + SIGINT, as shells do
	ExitReaderLeft  = 141 // 128 + SIGPIPE
)

// ExitCode prints err, unless the report has said it already, and returns the
// code that the process exits with. Unknown is not clean: an incomplete scan is
// 3 even if it found leaks, or if a gate refused to shut them off.
//
// If the reader of the output has left, nothing is said, as by other programs of Unix: the
// reader chose to. The code is never 0, since there may be leaks that nobody was shown.
func ExitCode(stderr io.Writer, err error) int {
	var begun *protocol.UnfinishedError
	var unanswered *unansweredError
	switch {
	case err == nil:
		return ExitClean
	case errors.Is(err, context.Canceled) && errors.As(err, &begun):
		fmt.Fprintln(stderr, "stanch: interrupted: run the same command again, it goes on where this one ended")
		return ExitInterrupted
	case errors.Is(err, ErrStopped):
		fmt.Fprintln(stderr, "stanch: stopped: the jobs that were under way are begun anew, by another process or the next time")
		return ExitInterrupted
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "stanch: interrupted: a report holds only what was found until then")
		return ExitInterrupted
	case response.Refused(err) != "" && !errors.Is(err, ErrIncomplete): // by a gate: the usage was right
		fmt.Fprintln(stderr, "stanch:", printable.Text(err.Error()))
		return ExitUsage
	case readerLeft(err) && !errors.Is(err, ErrUnfinished): // but half a change at AWS is no reader's choice
		return ExitReaderLeft
	case errors.Is(err, ErrIncomplete), errors.Is(err, ErrUnfinished), errors.As(err, &unanswered):
		fmt.Fprintln(stderr, "stanch:", printable.Text(err.Error()))
		return ExitIncomplete
	case errors.Is(err, ErrBlocked): // an assistant blocks at this code, and at no other
		return ExitUsage
	case errors.Is(err, ErrLeaks):
		return ExitLeaks
	}
	fmt.Fprintln(stderr, "stanch:", printable.Text(err.Error()))
	var usage *UsageError
	if errors.As(err, &usage) {
		fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", usage.Help)
	}
	return ExitUsage
}
