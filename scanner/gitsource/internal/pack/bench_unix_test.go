//go:build unix

package pack

import (
	"context"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// BenchmarkPack reports the CPU time that a walk over all blobs of STANCH_PACK
// takes, each put together, and that which no reader can do without: inflating
// their streams, in as many goroutines.
func BenchmarkPack(b *testing.B) {
	stem, ok := strings.CutSuffix(os.Getenv("STANCH_PACK"), ".pack")
	if !ok {
		b.Skip("STANCH_PACK names no .pack file")
	}
	var floor, walked, heads float64
	var streams, texts int64
	for b.Loop() {
		floor += cpu(b, func() { streams = inflateBlobs(b, stem) })
		walked += cpu(b, func() { texts = visitBlobs(b, stem, func(n *Node) { _, _ = n.Data() }) })
		heads += cpu(b, func() {
			_ = visitBlobs(b, stem, func(n *Node) {
				if n.Base() != nil {
					_ = n.AppendFresh(nil, 20)
				}
			})
		})
	}
	b.ReportMetric(floor/float64(b.N), "floor-cpu-s/op")
	b.ReportMetric(walked/float64(b.N), "walk-cpu-s/op")
	b.ReportMetric(heads/float64(b.N), "fresh-cpu-s/op")
	b.ReportMetric(walked/floor, "walk/floor")
	b.ReportMetric(heads/floor, "fresh/floor")
	b.ReportMetric(float64(streams)/1e6, "stream-MB")
	b.ReportMetric(float64(texts)/1e6, "literal-MB")
}

// cpu returns the seconds of CPU that the process spends in do.
func cpu(b *testing.B, do func()) float64 {
	b.Helper()
	used := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
	}
	before := used()
	do()
	return used() - before
}

type counter struct {
	use  func(*Node)
	size *atomic.Int64
}

func (c counter) Visit(n *Node) error {
	c.use(n)
	c.size.Add(n.Size)
	return nil
}
func (counter) Bad(_ int, err error) error { return err }
func (counter) Done(any)                   {}

func visitBlobs(b *testing.B, stem string, use func(*Node)) int64 {
	b.Helper()
	p := openBench(b, stem)
	defer p.Close()
	var size atomic.Int64
	err := p.Walk(context.Background(), Walk{
		Types: []Type{Blob}, Limit: math.MaxInt64, Visitor: func() Visitor { return counter{use, &size} },
		Base: noBase,
	})
	if err != nil {
		b.Fatal(err)
	}
	return size.Load()
}

func openBench(b *testing.B, stem string) *Pack {
	b.Helper()
	p, note, err := Open(stem, 20)
	if err != nil || note != nil {
		b.Fatal(note, err)
	}
	return p
}

// inflateBlobs inflates the streams of all blobs, deltas or not, in the order of
// the pack, each over the last.
func inflateBlobs(b *testing.B, stem string) int64 {
	b.Helper()
	p := openBench(b, stem)
	defer p.Close()
	f, err := p.trees()
	if err != nil {
		b.Fatal(err)
	}
	var total atomic.Int64
	err = parallel(p.Len(), func(from, to int) error {
		var d inflate.Decoder
		var room []byte
		for i := int32(from); i < int32(to); i++ {
			if f.types[i] != Blob {
				continue
			}
			e, err := p.entry(f.offsets[i])
			if err != nil {
				return err
			}
			if int64(len(room)) < e.size {
				room = make([]byte, 2*e.size)
			}
			if _, err := p.inflate(&d, room[:e.size], e); err != nil {
				return err
			}
			total.Add(e.size)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return total.Load()
}
