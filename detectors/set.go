package detectors

import (
	"cmp"
	"slices"
	"sort"
	"sync"
)

// A Set runs detectors over a text and over what the text reads like decoded.
// Concurrent calls of its methods are allowed.
type Set struct {
	detectors []Detector
	probe     probe
	anchors   func() *anchors // made when first asked for: most runs never do
	plain     []Prober        // see WithPlain
}

// maxDepth bounds views of views: JSON in base64 in JSON is what a log holds of
// a Kubernetes secret.
const maxDepth = 3

// NewSet returns the set of the given detectors.
func NewSet(detectors ...Detector) *Set {
	s := &Set{detectors: detectors, probe: newProbe(detectors)}
	s.anchors = sync.OnceValue(func() *anchors {
		keywords := []string{}
		for _, r := range s.Rules() {
			keywords = append(keywords, r.Keywords...)
		}
		slices.Sort(keywords)
		return newAnchors(slices.Compact(keywords))
	})
	return s
}

// WithPlain returns a set that also runs d, on texts as they are: nothing is decoded
// for it. What d finds of what another detector found is dropped.
func (s *Set) WithPlain(d Prober) *Set {
	with := *s
	with.plain = append(slices.Clone(s.plain), d)
	return &with
}

// Rules returns the rules of all detectors, in order.
func (s *Set) Rules() []*Rule {
	var rules []*Rule
	for _, d := range s.detectors {
		rules = append(rules, d.Rules()...)
	}
	for _, d := range s.plain {
		rules = append(rules, d.Rules()...)
	}
	return rules
}

// Detect appends the matches of text to dst and returns the extended slice.
// Offsets are into text, also for what was found encoded: there they cover the
// encoded form. It does not retain text.
func (s *Set) Detect(dst []Match, text []byte) []Match {
	first := len(dst)
	if s.probe.in(text, true) {
		dst = s.detect(dst, text, 0)
	}
	for _, d := range s.plain {
		if found := d.Detect(nil, text); len(found) > 0 {
			dst = append(dst, others(dst[first:], found)...)
		}
	}
	return dst
}

// others returns those of found whose secret is none of known, nor a part of one.
func others(known, found []Match) []Match {
	var covered []Span
	for i := range known {
		if m := &known[i]; !m.Partner {
			covered = append(covered, m.Span, m.Secret, m.Token)
		}
	}
	covered = slices.DeleteFunc(covered, Span.Empty)
	slices.SortFunc(covered, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	ends := make([]int, len(covered)) // the last end of those up to each
	for i, c := range covered {
		ends[i] = c.End
		if i > 0 {
			ends[i] = max(ends[i], ends[i-1])
		}
	}
	return slices.DeleteFunc(found, func(m Match) bool {
		i := sort.Search(len(covered), func(i int) bool { return covered[i].Start >= m.Secret.End })
		return i > 0 && ends[i-1] > m.Secret.Start
	})
}

func (s *Set) detect(dst []Match, text []byte, depth int) []Match {
	found := s.anchors().find(text)
	if found == 0 {
		return dst
	}
	first := len(dst)
	if found&plain != 0 {
		for _, d := range s.detectors {
			dst = d.Detect(dst, text)
		}
	}
	if depth == maxDepth {
		return dst
	}
	for _, d := range decoders() {
		if found&d.on == 0 {
			continue
		}
		v := d.decode(text)
		if v == nil {
			continue
		}
		decoded := s.detect(nil, v.text, depth+1)
		for i := range decoded {
			m := &decoded[i]
			m.Span, m.Secret, m.Token = v.origin(m.Span), v.origin(m.Secret), v.origin(m.Token)
		}
		dst = append(dst[:first], merge(dst[first:], decoded)...)
	}
	return dst
}

// merge returns decoded and what of raw does not overlap it. The decoded text
// says more: a secret with an escape in it is whole only there. What is decoded
// from within a match that is whole is left out.
func merge(raw, decoded []Match) []Match {
	decoded = outsideOfWhole(raw, decoded)
	var covered []Span
	for i := range decoded {
		covered = append(covered, decoded[i].Span, decoded[i].Secret)
	}
	slices.SortFunc(covered, func(a, b Span) int { return cmp.Compare(a.End, b.End) })
	out := decoded
	for _, m := range raw {
		// The spans are those of ids and secrets: short, and rarely within each
		// other, so that the first to end after m begins decides.
		i := sort.Search(len(covered), func(i int) bool { return covered[i].End > m.Start })
		if i == len(covered) || covered[i].Start >= m.End {
			out = append(out, m)
		}
	}
	return out
}

// outsideOfWhole returns what of decoded does not lie within a match of raw that is
// whole.
func outsideOfWhole(raw, decoded []Match) []Match {
	var whole []Span
	for i := range raw {
		if raw[i].Whole {
			whole = append(whole, raw[i].Span)
		}
	}
	if whole == nil { // as in nearly every text
		return decoded
	}
	slices.SortFunc(whole, func(a, b Span) int { return cmp.Compare(a.End, b.End) })
	return slices.DeleteFunc(decoded, func(m Match) bool {
		i := sort.Search(len(whole), func(i int) bool { return whole[i].End >= m.End })
		return i < len(whole) && whole[i].Start <= m.Start
	})
}
