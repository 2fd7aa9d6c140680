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
//
//nolint:gocognit // most of a scan goes through this loop: calls in it lose the registers
func (f *Filter) walk(text []byte, l looks) bool {
	s := encodedSearch{Filter: f, depth: encodings.MaxRounds}
	plain, near := l&(atPlaces|nearPlaces) != 0, l&nearPlaces != 0
	for _, d := range f.places {
		if plain && d.MayBeWhole(text) {
			return true
		}
	}
	var w bytemasks.Walk
	for f.walker.Begin(&w, text); w.NextChunk(); {
		if l&patterns != 0 && f.patterns.findFrom(text, w.From, w.To) || w.Zeros && s.isInZeros(text, &w, l) {
			return true
		}
		for b, ok := w.NextBlock(); ok; b, ok = w.NextBlock() {
			if b.Capitals != 0 && (plain && f.mayMatchBlock(text, b) || l&joinedIDs != 0 && f.piecesAt(text, b.From, b.Capitals)) ||
				b.Base64|b.WideBase64 != 0 && s.isAt(text, b, l) {
				return true
			}
		}
		for r, ok := w.NextRun(); ok; r, ok = w.NextRun() {
			if plain && f.mayMatchRun(text, r, near) || l&packedData != 0 && r.To-r.From >= packedLeast && f.hasPackedIn(text, r.From, r.To-packedLeast+len(gzipMark), packedChars) ||
				l&encodedIDs != 0 && s.isInRun(text, r) {
				return true
			}
		}
	}
	return false
}

func (f *Filter) mayMatchBlock(text []byte, b bytemasks.Block) bool {
	for _, d := range f.places {
		if d.MayMatchBlock(text, b) {
			return true
		}
	}
	return false
}

func (f *Filter) mayMatchRun(text []byte, r bytemasks.Run, near bool) bool {
	for _, d := range f.places {
		if d.MayMatchRun(text, r, near) {
			return true
		}
	}
	return false
}

// isInZeros reports whether a chunk with zeros in it has a pattern or an id in UTF-16.
func (s *encodedSearch) isInZeros(text []byte, w *bytemasks.Walk, l looks) bool {
	return l&patterns != 0 && s.encoded.findFrom(text, w.From, w.To) || l&encodedIDs != 0 && s.hasWide(text, w.From, w.To)
}

// isInRun reports whether a run has an id in hexadecimal, or one in base64 that a line break
// behind it cuts.
func (s *encodedSearch) isInRun(text []byte, r bytemasks.Run) bool {
	return s.isBeforeBreak(text, r.To) || s.hasHex(text, r)
}

// isAt reports whether an encoded id or pattern has one of the shapes in a block.
func (s *encodedSearch) isAt(text []byte, b bytemasks.Block, l looks) bool {
	done := 0 // no pattern begins before it
	for starts := b.Base64; starts != 0; starts &= starts - 1 {
		at := b.From + bits.TrailingZeros64(starts)
		if !decodesToASCII(text[at:]) || !decodesToASCII(text[at+wordLen:]) { // as in most of random base64
			continue
		}
		if l&patterns != 0 && at >= done {
			if done = at + wordLen; s.encoded.findFrom(text, max(0, at-encodedContext), done+encodedContext) {
				return true
			}
		}
		if l&encodedIDs != 0 && !s.isDone(inBase64, at) && (hasBodyGroups(text, at) || s.depth > 1 && groupsMayBeInner(text, at, 2)) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	if l&encodedIDs == 0 || s.depth < 2 {
		return false
	}
	for starts := b.WideBase64; starts != 0; starts &= starts - 1 {
		at := b.From + bits.TrailingZeros64(starts)
		if text[at] == 'A' && text[at+3] == 'A' && groupsMayBeInner(text, at, 1) && s.isWithin(inBase64, text, at) {
			return true
		}
	}
	return false
}

// hasWide reports whether an id in UTF-16 or UTF-32 begins in text[from:to].
func (s *encodedSearch) hasWide(text []byte, from, to int) bool {
	for i := from; i < to && i+wordLen <= len(text); i += idStride {
		if isUTF16Word(binary.LittleEndian.Uint64(text[i:])) && s.isInWide(text, i) {
			return true
		}
	}
	return false
}

// hasHex reports whether an id in hexadecimal is in a run.
func (s *encodedSearch) hasHex(text []byte, r bytemasks.Run) bool {
	for i := r.From; i+wordLen <= r.To; i += idStride {
		if isHexWord(binary.LittleEndian.Uint64(text[i:])) && (s.isInHex(text, i) || s.isInHex(text, i+1)) {
			return true
		}
	}
	return false
}

// walkInner reports whether plain, which was decoded, holds an id that is encoded once more.
func (s *encodedSearch) walkInner(plain []byte) bool {
	inner := encodedSearch{Filter: s.Filter, depth: s.depth - 1}
	var w bytemasks.Walk
	for s.walker.Begin(&w, plain); w.NextChunk(); {
		if w.Zeros && inner.hasWide(plain, w.From, w.To) {
			return true
		}
		for b, ok := w.NextBlock(); ok; b, ok = w.NextBlock() {
			if inner.isAt(plain, b, encodedIDs) {
				return true
			}
		}
		for r, ok := w.NextRun(); ok; r, ok = w.NextRun() {
			if inner.isInRun(plain, r) {
				return true
			}
		}
	}
	return false
}
