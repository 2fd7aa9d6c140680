package transport

import (
	"fmt"
	"io"
	"time"
)

// A receiveMeter writes how much of a pack has come, as git does.
type receiveMeter struct {
	to    io.Writer // nil for nobody
	bytes *int64    // received until now
	began time.Time
	last  time.Time
}

// meterEvery is how often a receiveMeter writes.
const meterEvery = 200 * time.Millisecond

func newReceiveMeter(to io.Writer, bytes *int64) *receiveMeter {
	now := time.Now()
	return &receiveMeter{to: to, bytes: bytes, began: now, last: now}
}

// step is called for each object.
func (m *receiveMeter) step(objects, of int) {
	if m.to == nil || objects%64 != 0 { // the clock costs more than an object
		return
	}
	if now := time.Now(); now.Sub(m.last) >= meterEvery {
		m.last = now
		m.write(objects, of, "\r")
	}
}

func (m *receiveMeter) done(objects int) {
	if m.to != nil {
		m.write(objects, objects, ", done.\n")
	}
}

func (m *receiveMeter) write(objects, of int, end string) {
	const mib = 1 << 20
	size := float64(*m.bytes) / mib
	rate := size / max(time.Since(m.began).Seconds(), 0.001)
	// It is no error if nobody can see it.
	_, _ = fmt.Fprintf(m.to, "Receiving objects: %3d%% (%d/%d), %.2f MiB | %.2f MiB/s%s", 100*objects/max(of, 1), objects, of, size, rate, end)
}
