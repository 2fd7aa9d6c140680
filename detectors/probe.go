package detectors

import "slices"

// A probe decides whether a text is worth to be looked at. The detectors look
// for what stands there in plain, and it for what is encoded.
type probe struct {
	probers []Prober
	others  *anchors // keywords of the detectors that are no probers
	encoded *grams
	ids     []string // the prefixes of ids that may be encoded
	span    int
}

func newProbe(detectors []Detector) probe {
	p := probe{span: spanOfID}
	var patterns, others []string
	for _, d := range detectors {
		prober, ok := d.(Prober)
		for _, r := range d.Rules() {
			if !ok {
				others = append(others, r.Keywords...)
				continue
			}
			for _, k := range r.Keywords {
				patterns = append(patterns, escapedForms(k)...)
			}
			for _, e := range r.Encoded {
				if id := prefixOfID(e); id != "" {
					p.ids = append(p.ids, id)
					continue
				}
				patterns = append(append(patterns, utf16Form(e)), base64Forms(e)...)
			}
		}
		if ok {
			p.probers = append(p.probers, prober)
			p.span = max(p.span, prober.Span())
		}
	}
	p.encoded = newGrams(patterns)
	if others != nil {
		p.others = newAnchors(others)
		p.span = max(p.span, p.others.longest)
	}
	p.span = max(p.span, p.encoded.longest)
	return p
}

// Probe reports whether text may hold a match: Detect finds nothing in a text of
// which it is false. It is much faster than Detect, and local: if it is true of a
// text, there is a window of at most Span bytes of it, such that it is true of
// every piece of the text that holds the window, and of every other text that
// does if the window is not at an end of the text. It may be true of a piece,
// and not of the text, where the piece is cut: half of a long word looks like a
// key.
//
// So a text that was put together from parts of others need not be probed whole.
// If Probe was false of the others, the new bytes and Span bytes to either side
// of each joint are enough; the ends of the text are joints as well, but for
// those that were ends before.
//
// What is lost against a search of the whole text: a secret without an id that
// takes more than 72 bytes with its escapes; one that is in base64 or UTF-16 with
// its name, which is none of Rule.Encoded; and an id in base64 that a line break
// cuts into pieces of less than 20 characters.
func (s *Set) Probe(text []byte) bool {
	p := &s.probe
	return slices.ContainsFunc(p.probers, func(d Prober) bool { return d.Probe(text) }) ||
		p.encoded.in(text) || p.idEncoded(text) || p.others != nil && p.others.find(text) != 0
}

// Span returns how far Probe looks.
func (s *Set) Span() int { return s.probe.span }
