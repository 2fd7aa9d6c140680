package detectors

import (
	"bytes"
	"slices"
)

// A prefilter decides whether a text is worth to be looked at. The detectors look
// for what stands there in plain, and it for what is encoded.
type prefilter struct {
	detectors    []PrefilteringDetector
	keywords     *keywordSearch // keywords of the detectors that are no probers
	patterns     *gramIndex
	ids          []string // the prefixes of ids that may be encoded
	distantParts []string // Rule.Far

	window, nearWindow int
}

func newPrefilter(detectors []Detector) prefilter {
	p := prefilter{window: max(encodedIDWindow, joinedIDWindow, gzipWindow)}
	var patterns, others []string
	for _, d := range detectors {
		prober, ok := d.(PrefilteringDetector)
		for _, r := range d.Rules() {
			if !ok {
				others = append(others, r.Keywords...)
				continue
			}
			p.distantParts = append(p.distantParts, r.DistantParts...)
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
			p.detectors = append(p.detectors, prober)
			hint, hold := prober.Spans()
			p.window, p.nearWindow = max(p.window, hint), max(p.nearWindow, hold)
		}
	}
	p.patterns = newGramIndex(append(patterns, base64Forms(gzipMark+"AAAAAAA")...))
	if others != nil {
		p.keywords = newKeywordSearch(others)
		p.window = max(p.window, p.keywords.longest)
	}
	p.window = max(p.window, p.patterns.longest)
	p.nearWindow = max(p.nearWindow, p.window)
	return p
}

// mayMatch is Hints, or Holds if the names of things are to be looked for as well.
func (p *prefilter) mayMatch(text []byte, named bool) bool {
	for _, d := range p.detectors {
		if d.Probe(text, named) {
			return true
		}
	}
	return p.patterns.contains(text) || p.hasEncodedID(text) || p.hasJoinedID(text) || hasGzip(text) || p.keywords != nil && p.keywords.find(text) != 0
}

// hasDistantPart reports whether text holds a part of a match whose rest may be anywhere.
func (p *prefilter) hasDistantPart(text []byte) bool {
	return slices.ContainsFunc(p.distantParts, func(part string) bool { return bytes.Contains(text, []byte(part)) })
}
