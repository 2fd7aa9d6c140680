package detectors

import (
	"bytes"
	"slices"
)

// A probe decides whether a text is worth to be looked at. The detectors look
// for what stands there in plain, and it for what is encoded.
type probe struct {
	probers []Prober
	others  *anchors // keywords of the detectors that are no probers
	encoded *grams
	ids     []string // the prefixes of ids that may be encoded
	parts   []string // Rule.Far

	hintSpan, holdSpan int
}

func newProbe(detectors []Detector) probe {
	p := probe{hintSpan: max(spanOfID, spanOfJoined, spanOfGzip)}
	var patterns, others []string
	for _, d := range detectors {
		prober, ok := d.(Prober)
		for _, r := range d.Rules() {
			if !ok {
				others = append(others, r.Keywords...)
				continue
			}
			p.parts = append(p.parts, r.Far...)
			patterns = append(patterns, r.Anchors...)
			for _, k := range r.Escaped {
				patterns = append(patterns, escapedForms(k)...)
			}
			for _, e := range r.Encoded {
				if id := prefixOfID(e); id != "" {
					p.ids = append(p.ids, id)
					continue
				}
				patterns = append(append(patterns, utf16Form(e)), base64Forms(e)...)
				for _, once := range base64Forms(e) {
					patterns = append(patterns, base64Forms(once)...)
				}
			}
		}
		if ok {
			p.probers = append(p.probers, prober)
			hint, hold := prober.Spans()
			p.hintSpan, p.holdSpan = max(p.hintSpan, hint), max(p.holdSpan, hold)
		}
	}
	p.encoded = newGrams(append(patterns, base64Forms(gzipMark+"AAAAAAA")...))
	if others != nil {
		p.others = newAnchors(others)
		p.hintSpan = max(p.hintSpan, p.others.longest)
	}
	p.hintSpan = max(p.hintSpan, p.encoded.longest)
	p.holdSpan = max(p.holdSpan, p.hintSpan)
	return p
}

// in is Hints, or Holds if the names of things are to be looked for as well.
func (p *probe) in(text []byte, named bool) bool {
	for _, d := range p.probers {
		if d.Probe(text, named) {
			return true
		}
	}
	return p.encoded.in(text) || p.idEncoded(text) || p.idJoined(text) || mayUnpack(text) || p.others != nil && p.others.find(text) != 0
}

// far reports whether text holds a part of a match whose rest may be anywhere.
func (p *probe) far(text []byte) bool {
	return slices.ContainsFunc(p.parts, func(part string) bool { return bytes.Contains(text, []byte(part)) })
}
