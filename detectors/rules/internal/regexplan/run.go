package regexplan

import (
	"regexp/syntax"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
)

// A run is size bytes or more of one set, such as the digits of `[0-9a-f]{40}`.
type run struct {
	size  int
	bytes byteSet
}

// minRun is the least size of a run. Shorter ones are in every text.
const minRun = 12

// firstRun returns the index of the first of items that is a run, or -1.
func firstRun(items []*syntax.Regexp) (int, run) {
	for i, re := range items {
		if re.Op != syntax.OpRepeat || re.Min < minRun || re.Sub[0].Op != syntax.OpCharClass {
			continue
		}
		if ranges := re.Sub[0].Rune; len(ranges) == 0 || ranges[len(ranges)-1] >= utf8.RuneSelf {
			continue
		}
		r := run{size: re.Min}
		runesOf(re.Sub[0], r.bytes.add)
		return i, r
	}
	return -1, run{}
}

// RunWindows appends to list the pieces of text that hold every match of a plan without Starts.
// It looks at one byte in size, since a run cannot pass that byte by.
func (p *Plan) RunWindows(list []detectors.Span, text []byte) []detectors.Span {
	r := &p.run
	for i := r.size - 1; i < len(text); i += r.size {
		if !r.bytes.has(text[i]) {
			continue
		}
		from, to := i, i+1
		for from > 0 && r.bytes.has(text[from-1]) {
			from--
		}
		for to < len(text) && r.bytes.has(text[to]) {
			to++
		}
		if to-from >= r.size {
			list = append(list, detectors.Span{Start: p.before.startBefore(text, from), End: p.tail.endAfter(text, to-r.size)})
		}
		i = to // the byte behind the run
	}
	return list
}
