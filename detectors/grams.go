package detectors

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// grams finds patterns of minPattern bytes or more. It looks at the four bytes
// at every eighth place of a text, which are among the first minPattern of a
// pattern that holds them, and asks of a bitmap whether any pattern has such
// four bytes there. The bitmap stays in the processor's first cache.
type grams struct {
	bits    [gramBits / 64]uint64
	spots   map[uint32][]spot
	longest int // pattern
}

// A spot is a place in a pattern.
type spot struct {
	pattern string
	at      int
}

const (
	wordLen    = 8
	gramLen    = 4
	minPattern = wordLen + gramLen - 1
	gramBits   = 1 << 16
)

func newGrams(patterns []string) grams {
	g := grams{spots: map[uint32][]spot{}}
	for _, p := range patterns {
		if len(p) < minPattern {
			panic(fmt.Sprintf("pattern %q is shorter than %d bytes", p, minPattern))
		}
		g.longest = max(g.longest, len(p))
		for at := range wordLen {
			gram := binary.LittleEndian.Uint32([]byte(p[at : at+gramLen]))
			h := gramHash(gram)
			g.bits[h/64] |= 1 << (h % 64)
			g.spots[gram] = append(g.spots[gram], spot{p, at})
		}
	}
	return g
}

// gramHash multiplies by a number near 2^32 divided by the golden ratio (Knuth,
// The Art of Computer Programming 3, 6.4).
func gramHash(gram uint32) uint32 { return gram * 0x9e3779b1 >> 16 }

// has has bit 0 set if a pattern may hold gram.
func (g *grams) has(gram uint32) uint64 {
	h := gramHash(gram)
	return g.bits[h/64] >> (h % 64)
}

// find reports whether a pattern has its gram at one of the places from, from+8
// and so on of text[from:to].
func (g *grams) find(text []byte, from, to int) bool {
	for i := from; i < to && i+gramLen <= len(text); i += wordLen {
		gram := binary.LittleEndian.Uint32(text[i:])
		if g.has(gram)&1 == 0 {
			continue
		}
		for _, s := range g.spots[gram] {
			if i >= s.at && bytes.HasPrefix(text[i-s.at:], []byte(s.pattern)) {
				return true
			}
		}
	}
	return false
}
