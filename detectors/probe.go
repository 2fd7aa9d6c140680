package detectors

import (
	"bytes"
	"slices"
)

// gzipMark is what gzip begins with in base64; few of its next bytes are ever
// other than zero if it is encoded once more.
const gzipMark = "H4sI"

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

// Hints reports whether text may hold a match: Detect finds nothing in a text of
// which it is false. It is much faster than Detect, and local: if it is true of a
// text, there is a window of at most HintSpan bytes of it, such that it is true of
// every piece of the text that holds the window, and of every other text that
// does if the window is not at an end of the text. It may be true of a piece,
// and not of the text, where the piece is cut: half of a long word looks like a
// key.
//
// So a text that was put together from parts of others need not be looked at
// whole. If Hints was false of the others, the new bytes and HintSpan bytes to
// either side of each joint are enough; the ends of the text are joints as well,
// but for those that were ends before.
//
// What is lost against a search of the whole text:
//
//   - a secret without an id that is in pieces, that takes more than 72 bytes with
//     its escapes, or that has one of more than six bytes (\U0000002f, \u{2f});
//   - one that is in base64, UTF-16 or hexadecimal with its name, which is none of
//     Rule.Encoded, or in hexadecimal or UTF-32 at all;
//   - an id in base64 that a line break cuts into pieces of less than 20 characters;
//   - an id in pieces of which none has seven characters, or that are farther apart
//     than 108 bytes;
//   - an id within two encodings, but for gzip of 36 bytes or more in base64, UTF-16
//     in base64, and base64 in base64 beside a name of Rule.Encoded.
func (s *Set) Hints(text []byte) bool { return s.in(text, false) }

// HintSpan returns how far Hints looks.
func (s *Set) HintSpan() int {
	span := s.probe.hintSpan
	for _, d := range s.asIs {
		hint, _ := d.Spans()
		span = max(span, hint)
	}
	return span
}

// Holds is Hints with a look around: a secret without an id needs a name before
// it. It is false of more texts, local too, and looks farther.
func (s *Set) Holds(text []byte) bool { return s.in(text, true) }

// HoldSpan returns how far Holds looks.
func (s *Set) HoldSpan() int {
	span := s.probe.holdSpan
	for _, d := range s.asIs {
		_, hold := d.Spans()
		span = max(span, hold)
	}
	return span
}

func (s *Set) in(text []byte, named bool) bool {
	return s.probe.in(text, named) ||
		slices.ContainsFunc(s.asIs, func(d Prober) bool { return d.Probe(text, named) })
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

// spanOfGzip bounds the first characters of gzip in base64, some of which may be
// escapes or line breaks.
const spanOfGzip = 2 * minGzip / 3 * 4

// mayUnpack reports whether text may hold gzip in base64 of more than a few words.
func mayUnpack(text []byte) bool {
	for i := 0; ; {
		k := bytes.Index(text[i:], []byte(gzipMark))
		if k < 0 {
			return false
		}
		i += k
		n := 0
		for j := i; j < min(len(text), i+spanOfGzip) && n < minGzip/3*4; j++ {
			switch j = skipBreak(text, j); {
			case j == len(text):
			case base64Set[text[j]]:
				n++
			case !escapeStarts[text[j]]:
				j = len(text)
			}
		}
		if n == minGzip/3*4 {
			return true
		}
		i += len(gzipMark)
	}
}
