package rules

import (
	"hash/maphash"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules/internal/regexplan"
)

// A scratch is the working memory of one call of Detect or MayMatch. Detectors keep and
// reuse them.
type scratch struct {
	runs       []*regexplan.Run // by plan
	hasKeyword []bool
	windows    [][]detectors.Span // by rule: where it may match
	matches    [][]ruleMatch
	searched   []bool
	memo       memo
}

func (d *Detector) takeScratch() *scratch {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.idle); n > 0 {
		s := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return s
	}
	n := len(d.rules)
	return &scratch{make([]*regexplan.Run, len(d.plans)), make([]bool, n), make([][]detectors.Span, n), make([][]ruleMatch, n), make([]bool, n),
		memo{maphash.MakeSeed(), map[memoKey][]ruleMatch{}}}
}

func (d *Detector) putScratch(s *scratch) {
	clear(s.hasKeyword)
	clear(s.searched)
	for i := range s.windows {
		s.windows[i], s.matches[i] = s.windows[i][:0], nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, s)
}

// window returns the window of plan n for a start at an offset, see regexplan.Run.Window.
func (s *scratch) window(d *Detector, n int, text []byte, at int, far bool) (w detectors.Span, ok bool) {
	if s.runs[n] == nil {
		s.runs[n] = d.plans[n].NewRun()
	}
	return s.runs[n].Window(text, at, far)
}
