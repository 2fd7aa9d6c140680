package cli

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
)

// Metered returns src with a meter: while it is read, a line on w, a terminal, says how
// many objects and bytes have passed. A SelectiveSource stays one: a plain Source has to
// assemble objects that a SelectiveSource can leave out.
func Metered(src scanner.Source, w io.Writer) scanner.Source {
	if s, ok := src.(scanner.SelectiveSource); ok {
		return selectiveMeter{meter{src, w}, s}
	}
	return meter{src, w}
}

type meter struct {
	scanner.Source
	w io.Writer
}

func (m meter) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	var c counter
	return c.show(m.w, func() error { return m.Source.Blobs(ctx, c.counted(yield)) })
}

type selectiveMeter struct {
	meter
	selective scanner.SelectiveSource
}

func (m selectiveMeter) BlobsMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	var c counter
	passed := p.Passed
	p.Passed = func(objects, bytes int64) {
		c.add(objects, bytes)
		if passed != nil {
			passed(objects, bytes)
		}
	}
	return c.show(m.w, func() error { return m.selective.BlobsMatching(ctx, p, c.counted(yield)) })
}

// A counter counts what was read. Its methods may be called concurrently.
type counter struct{ objects, bytes atomic.Int64 }

func (c *counter) add(objects, bytes int64) {
	c.objects.Add(objects)
	c.bytes.Add(bytes)
}

// counted returns yield with its objects counted; a text that comes in windows is one.
func (c *counter) counted(yield func(scanner.Blob) error) func(scanner.Blob) error {
	return func(b scanner.Blob) error {
		objects := int64(1)
		if b.Window != nil && b.Window.Offset > 0 {
			objects = 0
		}
		c.add(objects, int64(len(b.Data)))
		return yield(b)
	}
}

// show runs read, and every 200 ms writes how far it has come.
func (c *counter) show(w io.Writer, read func() error) error {
	var group errgroup.Group
	done := make(chan struct{})
	group.Go(func() error {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(w, "\r\x1b[K")
				return nil
			case <-tick.C:
				fmt.Fprintf(w, "\r\x1b[K%d objects, %d MB read", c.objects.Load(), c.bytes.Load()/1e6)
			}
		}
	})
	err := read()
	close(done)
	_ = group.Wait() // it returns no error
	return err
}
