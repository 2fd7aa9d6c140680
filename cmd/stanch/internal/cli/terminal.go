package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/mattn/go-isatty"
)

// isTerminal reports whether rw, a stream, is a terminal.
func isTerminal(rw any) bool {
	fd, ok := descriptorOf(rw)
	return ok && isatty.IsTerminal(fd)
}

// descriptorOf returns the descriptor of a stream that is a file or a terminal.
func descriptorOf(rw any) (uintptr, bool) {
	f, ok := rw.(interface{ Fd() uintptr })
	if !ok {
		return 0, false
	}
	return f.Fd(), true
}

// Width returns how many columns the terminal has that w is, 0 if w is none: a file or a pipe
// gets lines as they are.
//
// No character needs a fallback there. On Windows, Go writes to a console in UTF-16
// (WriteConsoleW in internal/poll), whatever the code page of the console: "·" and "…" are
// right in 437 and 850, too. A file and a pipe get UTF-8.
func Width(w io.Writer) int {
	fd, ok := descriptorOf(w)
	if !ok {
		return 0
	}
	return terminalWidth(fd)
}

// MayMove reports whether w is a terminal on which a line may be overwritten: in the log
// of a CI job that is noise.
func MayMove(w io.Writer) bool {
	fd, _ := descriptorOf(w)
	return isTerminal(w) && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb" && takesEscapes(fd)
}

// WantsColour follows no-color.org.
func WantsColour(w io.Writer) bool { return MayMove(w) && os.Getenv("NO_COLOR") == "" }

// Interruptible returns a reader that does not wait for r when ctx ends: r may be a pipe
// that nobody writes to, or a terminal. The read that waits is then left behind, so use it
// only for the standard input of a process that is about to end.
func Interruptible(ctx context.Context, r io.Reader) io.Reader {
	return &interruptibleReader{ctx: ctx, r: r}
}

// Input returns the standard input of a command that reads a report or a text from it,
// Interruptible. A person at a terminal is told that the command waits for them.
func (s *Streams) Input(ctx context.Context) io.Reader {
	if isTerminal(s.Stdin) {
		end := "Ctrl-D"
		if runtime.GOOS == "windows" {
			end = "Ctrl-Z and Enter"
		}
		fmt.Fprintf(s.Stderr, "stanch: reading standard input; end it with %s\n", end)
	}
	return Interruptible(ctx, s.Stdin)
}

type interruptibleReader struct {
	ctx   context.Context
	r     io.Reader
	ended bool
}

// Read implements io.Reader. The end stays the end: a terminal would wait for another Ctrl-D.
func (i *interruptibleReader) Read(p []byte) (int, error) {
	if i.ended {
		return 0, io.EOF
	}
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data := make([]byte, len(p)) // p is the caller's again if ctx ends first
		n, err := i.r.Read(data)
		done <- result{data[:n], err}
	}()
	select {
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	case r := <-done:
		i.ended = r.err == io.EOF //nolint:errorlint // io.Reader returns it as it is
		return copy(p, r.data), r.err
	}
}
