package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// mayMove reports whether w is a terminal that can be drawn on: a line that
// changes is noise in the log of a CI job.
func mayMove(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
}

// wantsColour follows no-color.org.
func wantsColour(w io.Writer) bool { return mayMove(w) && os.Getenv("NO_COLOR") == "" }

// An interruptible reader does not wait for r when ctx ends: r may be a pipe that
// nobody writes to, or a terminal. The read that waits is then left behind, which
// is for the standard input of a process that is about to end.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
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

// A meter is a Source that counts what passes through it and shows that on a
// terminal while it reads. It passes on the methods of Source only.
type meter struct {
	scanner.Source
	w io.Writer
}

func (m meter) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	var objects, size atomic.Int64
	var group errgroup.Group
	done := make(chan struct{})
	group.Go(func() error {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(m.w, "\r\x1b[K")
				return nil
			case <-tick.C:
				fmt.Fprintf(m.w, "\r\x1b[K%d objects, %d MB read", objects.Load(), size.Load()/1e6)
			}
		}
	})
	err := m.Source.Blobs(ctx, func(b scanner.Blob) error {
		objects.Add(1)
		size.Add(int64(len(b.Data)))
		return yield(b)
	})
	close(done)
	_ = group.Wait() // it returns no error
	return err
}
