package prefilter

import (
	"encoding/binary"
	"math/bits"

	"github.com/stanch-dev/stanch/detectors/internal/bytemasks"
	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// looks are the kinds of matches that a walk looks for.
type looks uint8

const (
	atPlaces   looks = 1 << iota // of the plain filters
	nearPlaces                   // the same, near a name
	patterns
	encodedIDs
	joinedIDs
	packedData
	all = patterns | encodedIDs | joinedIDs | packedData
)

// encodedContext bounds the bytes beside an encoded pattern that make its place a window.
const encodedContext = 16

// walk walks over text once, and reports whether one of l sees a match.
func (f *Filter) walk(text []byte, l looks) bool {
	var w bytemasks.Walk
	var p bytemasks.Place
	f.walker.Begin(&w, text)
	s := encodedSearch{Filter: f, depth: encodings.MaxRounds}
	for w.Next(&p) {
		if l&(atPlaces|nearPlaces) != 0 {
			for _, d := range f.places {
				if d.MayMatchAt(text, &p, l&nearPlaces != 0) {
					return true
				}
			}
		}
		found := false
		switch p.Kind {
		case bytemasks.Chunk:
			found = l&patterns != 0 && f.patterns.findFrom(text, p.From, p.To) || p.Zeros && f.hasWide(text, &p, l, &s)
		case bytemasks.Block:
			found = p.Base64|p.WideBase64 != 0 && s.isAt(text, &p, l) || l&joinedIDs != 0 && p.Capitals != 0 && f.piecesAt(text, p.From, p.Capitals)
		case bytemasks.Run:
			found = l&packedData != 0 && p.To-p.From >= packedLeast && f.hasPackedIn(text, p.From, p.To-packedLeast+len(gzipMark), packedChars) ||
				l&encodedIDs != 0 && (s.isBeforeBreak(text, p.To) || s.hasHex(text, &p))
		}
		if found {
			return true
		}
	}
	return false
}

// hasWide reports whether a chunk with zeros in it has a pattern or an id in UTF-16.
func (f *Filter) hasWide(text []byte, p *bytemasks.Place, l looks, s *encodedSearch) bool {
	return l&patterns != 0 && f.encoded.findFrom(text, p.From, p.To) || l&encodedIDs != 0 && s.hasWide(text, p)
}

// isAt reports whether an encoded id or pattern has one of the shapes in a block.
func (s *encodedSearch) isAt(text []byte, p *bytemasks.Place, l looks) bool {
	done := 0 // no pattern begins before it
	for starts := p.Base64; starts != 0; starts &= starts - 1 {
		at := p.From + bits.TrailingZeros64(starts)
		if !decodesToASCII(text[at:]) || !decodesToASCII(text[at+wordLen:]) { // as in most of random base64
			continue
		}
		if l&patterns != 0 && at >= done {
			if done = at + wordLen; s.encoded.findFrom(text, max(0, at-encodedContext), done+encodedContext) {
				return true
			}
		}
		if l&encodedIDs != 0 && (hasBodyGroups(text, at) || s.depth > 1 && groupsMayBeInner(text, at, 2)) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	if l&encodedIDs == 0 || s.depth < 2 {
		return false
	}
	for starts := p.WideBase64; starts != 0; starts &= starts - 1 {
		at := p.From + bits.TrailingZeros64(starts)
		if groupsMayBeInner(text, at, 1) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	return false
}

// hasWide reports whether an id in UTF-16 or UTF-32 begins in p, a chunk with zeros.
func (s *encodedSearch) hasWide(text []byte, p *bytemasks.Place) bool {
	for i := p.From; i < p.To && i+wordLen <= len(text); i += idStride {
		if isUTF16Word(binary.LittleEndian.Uint64(text[i:])) && s.isInWide(text, i) {
			return true
		}
	}
	return false
}

// hasHex reports whether an id in hexadecimal is in a run.
func (s *encodedSearch) hasHex(text []byte, p *bytemasks.Place) bool {
	for i := p.From; i+wordLen <= p.To; i += idStride {
		if isHexWord(binary.LittleEndian.Uint64(text[i:])) && (s.isInHex(text, i) || s.isInHex(text, i+1)) {
			return true
		}
	}
	return false
}

// walkInner reports whether plain, which was decoded, holds an id that is encoded once more.
func (s *encodedSearch) walkInner(plain []byte) bool {
	var w bytemasks.Walk
	var p bytemasks.Place
	s.walker.Begin(&w, plain)
	inner := encodedSearch{Filter: s.Filter, depth: s.depth - 1}
	for w.Next(&p) {
		found := false
		switch p.Kind {
		case bytemasks.Chunk:
			found = p.Zeros && inner.hasWide(plain, &p)
		case bytemasks.Block:
			found = inner.isAt(plain, &p, encodedIDs)
		case bytemasks.Run:
			found = inner.isBeforeBreak(plain, p.To) || inner.hasHex(plain, &p)
		}
		if found {
			return true
		}
	}
	return false
}
