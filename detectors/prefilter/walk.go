package prefilter

import (
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
			found = l&patterns != 0 && f.patterns.findFrom(text, p.From, p.To)
		case bytemasks.Window:
			found = l&patterns != 0 && f.hasEncodedPattern(text, &p) || l&encodedIDs != 0 && s.isAt(text, &p) ||
				l&joinedIDs != 0 && p.Capitals != 0 && f.piecesAt(text, p.From, p.Capitals)
		case bytemasks.WordRun:
			found = l&encodedIDs != 0 && s.isBeforeBreak(text, p.To)
		case bytemasks.PackedRun:
			found = l&packedData != 0 && f.hasPackedIn(text, p.From, p.To-packedLeast+len(gzipMark), packedChars)
		}
		if found {
			return true
		}
	}
	return false
}

// hasEncodedPattern reports whether one of the patterns in base64 or UTF-16 is in a window.
func (f *Filter) hasEncodedPattern(text []byte, p *bytemasks.Place) bool {
	return p.Base64|p.Pairs != 0 && f.encoded.findFrom(text, max(0, p.From-encodedContext), p.To+encodedContext+wordLen)
}

// isAt reports whether an encoded id has one of the shapes in a window.
func (s *encodedSearch) isAt(text []byte, p *bytemasks.Place) bool {
	for starts := p.Base64; starts != 0; starts &= starts - 1 {
		at := p.From + bits.TrailingZeros64(starts)
		if (hasBodyGroups(text, at) || s.depth > 1 && groupsMayBeInner(text, at, 2)) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	for starts := p.WideBase64; starts != 0 && s.depth > 1; starts &= starts - 1 {
		at := p.From + bits.TrailingZeros64(starts)
		if groupsMayBeInner(text, at, 1) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	for starts := p.Pairs; starts != 0; starts = starts >> wordLen << wordLen & (starts - 1) {
		at := p.From + bits.TrailingZeros64(starts)
		if text[at] == 0 && s.isInWide(text, at) || text[at] != 0 && s.isInHex(text, at) {
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
		if p.Kind == bytemasks.Window && inner.isAt(plain, &p) || p.Kind == bytemasks.WordRun && inner.isBeforeBreak(plain, p.To) {
			return true
		}
	}
	return false
}
