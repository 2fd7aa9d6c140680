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
	all        []bool // by rule: a window is all of a long text
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
	return &scratch{make([]*regexplan.Run, len(d.plans)), make([]bool, n), make([][]detectors.Span, n), make([][]ruleMatch, n), make([]bool, n), make([]bool, n),
		memo{maphash.MakeSeed(), map[memoKey][]ruleMatch{}}}
}

// putScratch clears s and keeps it for another call.
func (d *Detector) putScratch(s *scratch) {
	clear(s.hasKeyword)
	clear(s.searched)
	clear(s.all)
	for i := range s.windows {
		s.windows[i], s.matches[i] = s.windows[i][:0], nil
	}
	d.keepScratch(s)
}

// keepScratch keeps s, which has no traces of a text, for another call.
func (d *Detector) keepScratch(s *scratch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, s)
}

// run returns the run of plan n.
func (s *scratch) run(d *Detector, n int) *regexplan.Run {
	if s.runs[n] == nil {
		s.runs[n] = d.plans[n].NewRun()
	}
	return s.runs[n]
}

// A memo remembers the matches of rules in windows, by a hash of the window: the versions of
// a file have most of their text in common. It is used by one goroutine at a time.
type memo struct {
	seed  maphash.Seed
	known map[memoKey][]ruleMatch
}

type memoKey struct {
	rule, size int
	hash       uint64
}

// maxMemo bounds the remembered windows. If there are more, the memo starts anew.
const maxMemo = 1 << 16

// matches returns the matches of rule n in a window. Conditions on their lines are not
// applied: a line may go beyond the window.
func (m *memo) matches(n int, c *compiled, window []byte) []ruleMatch {
	p := memoKey{n, len(window), maphash.Bytes(m.seed, window)}
	list, ok := m.known[p]
	if ok {
		return list
	}
	for _, loc := range c.regex().FindAllIndex(window, -1) {
		f := ruleMatch{start: loc[0], end: loc[1]}
		for f.start < f.end && window[f.start] == '\n' {
			f.start++
		}
		for f.start < f.end && window[f.end-1] == '\n' {
			f.end--
		}
		if c.findSecret(&f, window) {
			list = append(list, f)
		}
	}
	if len(m.known) >= maxMemo {
		clear(m.known)
	}
	m.known[p] = list
	return list
}
