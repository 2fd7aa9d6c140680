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

// isTerminal reports whether w is a terminal with somebody in front of it.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd()) && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
}

// wantsColour follows no-color.org.
func wantsColour(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

// A meter is a Source that counts what passes through it and shows that on a
// terminal while it reads.
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
