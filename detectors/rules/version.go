package rules

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules/internal/regexplan"
)

// A place is an offset of a text at which a plan may match or, if plan is negative, at which a
// keyword stands.
type place struct {
	at, plan, word int
	window         regexplan.Window // of the plan
}

// A trace is what a search of a text leaves for texts that are made from it.
type trace struct {
	places []place // in order of their offsets
	size   int     // of the text
}

// DetectVersion implements detectors.VersionDetector. It looks for places only where the text
// differs from its base, and takes the others from there. From all places on, it does the same
// as Detect.
func (d *Detector) DetectVersion(dst []detectors.Match, text []byte, base any, copies []detectors.Copy) ([]detectors.Match, any) {
	s := d.takeScratch()
	defer d.putScratch(s)
	t := &trace{size: len(text)}
	if base, ok := base.(*trace); ok {
		t.places = s.carryPlaces(d, text, base, copies)
	} else {
		t.places = s.places(d, nil, text, 0, len(text))
	}
	return s.detect(d, dst, text, t.places), t
}

// places appends to list the places of text from one offset up to another.
func (s *scratch) places(d *Detector, list []place, text []byte, from, to int) []place {
	first := len(list)
	d.words.Find(text[from:min(len(text), to+d.longest)], func(at, word int) bool {
		if at += from; at >= to {
			return true
		}
		if len(d.rulesByWord[word]) > 0 {
			list = append(list, place{at: at, plan: -1, word: word})
		}
		for _, n := range d.plansByWord[word] {
			if s.run(d, n).MayMatch(text, at) {
				list = append(list, place{at, n, word, s.far(d, n, text, at)})
			}
		}
		return true
	})
	slices.SortStableFunc(list[first:], func(a, b place) int { return cmp.Compare(a.at, b.at) })
	return list
}

// far returns the window of plan n for a start at an offset. If the rule has all of a long text
// as a window already, that is the answer for each start: or each word of a long line would
// cost a walk through the line.
func (s *scratch) far(d *Detector, n int, text []byte, at int) regexplan.Window {
	r := d.plans[n].rule
	if s.all[r] {
		return regexplan.Window{Span: detectors.Span{End: len(text)}, From: -1, To: len(text) + 1}
	}
	w := s.run(d, n).Window(text, at, regexplan.Far)
	s.all[r] = len(text) > regexplan.Far && w.Start == 0 && w.End == len(text)
	return w
}

// carryPlaces returns the places of a text that is made from another one. A place depends on
// its word and on the bytes behind it that MayMatch reads. If all of these are copied, the place
// is where it was in the base. So is its window, if the bytes that it depends on are copied.
func (s *scratch) carryPlaces(d *Detector, text []byte, base *trace, copies []detectors.Copy) (list []place) {
	reach, known := max(regexplan.Reach, d.longest), 0
	for _, c := range copies {
		from, to := c.From, c.From+c.Len // of the bytes that may be depended on
		if c.From == 0 && c.At == 0 {
			from = -1
		}
		end := to - reach // of places
		if to == base.size && c.At+c.Len == len(text) {
			to, end = math.MaxInt, to
		}
		if end <= c.From {
			continue
		}
		list = s.places(d, list, text, known, c.At)
		by := c.At - c.From
		i := sort.Search(len(base.places), func(i int) bool { return base.places[i].at >= c.From })
		for ; i < len(base.places) && base.places[i].at < end; i++ {
			p := base.places[i]
			p.at += by
			switch w := &p.window; {
			case p.plan < 0:
			case from <= w.From && w.To <= to:
				w.Start, w.End, w.From, w.To = w.Start+by, w.End+by, w.From+by, w.To+by
			default:
				*w = s.far(d, p.plan, text, p.at)
			}
			list = append(list, p)
		}
		known = end + by
	}
	return s.places(d, list, text, known, len(text))
}
