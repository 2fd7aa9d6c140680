package rules

import (
	"hash/maphash"

	"github.com/stanch-dev/stanch/detectors"
)

// A scratch is what one call of Detect or Probe works with.
type scratch struct {
	runs    []*run // by part
	keyed   []bool
	windows [][]detectors.Span // by rule: where it may match
	found   [][]found
	done    []bool
	memo    memo
}

func (d *Detector) take() *scratch {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.idle); n > 0 {
		s := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return s
	}
	n := len(d.rules)
	return &scratch{make([]*run, len(d.parts)), make([]bool, n), make([][]detectors.Span, n), make([][]found, n), make([]bool, n),
		memo{maphash.MakeSeed(), map[piece][]found{}}}
}

func (d *Detector) put(s *scratch) {
	clear(s.keyed)
	clear(s.done)
	for i := range s.windows {
		s.windows[i], s.found[i] = s.windows[i][:0], nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, s)
}

// window returns the window of part n with a start at a place, see run.window.
func (s *scratch) window(d *Detector, n int, text []byte, at int) (w detectors.Span, ok bool) {
	if s.runs[n] == nil {
		s.runs[n] = d.parts[n].newRun()
	}
	return s.runs[n].window(text, at)
}
