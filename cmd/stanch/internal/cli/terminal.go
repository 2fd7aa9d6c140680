package cli

import (
	"context"
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// MayMove reports whether w is a terminal on which a line may be overwritten: in the log
// of a CI job that is noise.
func MayMove(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
}

// WantsColour follows no-color.org.
func WantsColour(w io.Writer) bool { return MayMove(w) && os.Getenv("NO_COLOR") == "" }

// Interruptible returns a reader that does not wait for r when ctx ends: r may be a pipe
// that nobody writes to, or a terminal. The read that waits is then left behind, so use it
// only for the standard input of a process that is about to end.
func Interruptible(ctx context.Context, r io.Reader) io.Reader { return interruptibleReader{ctx, r} }

type interruptibleReader struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptibleReader) Read(p []byte) (int, error) {
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
		return copy(p, r.data), r.err
	}
}
