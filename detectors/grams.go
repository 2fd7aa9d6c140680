package detectors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// grams finds patterns of minPattern bytes or more; a "#" at the end of one is any
// hexadecimal digit. It looks at the four bytes
// at every eighth place of a text, which are among the first minPattern of a
// pattern that holds them, and asks of a bitmap whether any pattern has such
// four bytes there. The bitmap stays in the processor's first cache. One in sixty
// places is in it by chance, and nearly none of those in a second one.
type grams struct {
	bits    [gramBits / 64]uint64
	again   [againBits / 64]uint64
	spots   []spot
	heads   [chains]uint16 // the first spot of a chain, plus one
	longest int            // pattern
}

// A spot is a place in a pattern.
type spot struct {
	gram    uint32
	at      uint16
	next    uint16 // of the chain, plus one
	head    uint64 // of the pattern
	pattern string
}

const (
	wordLen    = 8
	gramLen    = 4
	minPattern = wordLen + gramLen - 1
	gramBits   = 1 << 18
	againBits  = 1 << 16
	chains     = 1 << 13
)

func newGrams(patterns []string) *grams {
	g := &grams{spots: make([]spot, 0, wordLen*len(patterns))}
	for _, p := range patterns {
		if len(p) < minPattern {
			panic(fmt.Sprintf("pattern %q is shorter than %d bytes", p, minPattern))
		}
		g.longest = max(g.longest, len(p))
		for at := range wordLen {
			for _, gram := range expand(p, at) {
				g.add(gram, at, strings.TrimRight(p, "#"))
			}
		}
	}
	return g
}

// add notes that pattern has gram at an offset.
func (g *grams) add(gram string, at int, pattern string) {
	bits := binary.LittleEndian.Uint32([]byte(gram))
	h := gramHash(bits)
	g.bits[h/64] |= 1 << (h % 64)
	a := againHash(bits)
	g.again[a/64] |= 1 << (a % 64)
	head := &g.heads[h%chains]
	g.spots = append(g.spots, spot{bits, uint16(at), *head, binary.LittleEndian.Uint64([]byte(pattern)), pattern})
	*head = uint16(len(g.spots))
}

// expand returns the grams that a text with pattern may have at an offset.
func expand(pattern string, at int) []string {
	literal := strings.TrimRight(pattern, "#")
	grams := []string{literal[at:min(at+gramLen, len(literal))]}
	for range max(0, at+gramLen-len(literal)) {
		var longer []string
		for _, g := range grams {
			for _, digit := range "0123456789abcdef" {
				longer = append(longer, g+string(digit))
			}
		}
		grams = longer
	}
	return grams
}

// gramHash multiplies by a number near 2^32 divided by the golden ratio (Knuth,
// The Art of Computer Programming 3, 6.4).
func gramHash(gram uint32) uint32 { return gram * 0x9e3779b1 >> 14 }

// againHash does so with another number (Murmur3's finalizer).
func againHash(gram uint32) uint32 { return gram * 0x85ebca6b >> 16 }

// in reports whether text holds a pattern.
func (g *grams) in(text []byte) bool {
	i := 0
	for ; i+4*wordLen <= len(text); i += 4 * wordLen {
		b := text[i : i+4*wordLen : i+4*wordLen]
		if g.has(b) || g.has(b[wordLen:]) || g.has(b[2*wordLen:]) || g.has(b[3*wordLen:]) {
			if g.find(text, i, i+4*wordLen) {
				return true
			}
		}
	}
	return g.find(text, i, len(text))
}

// has reports whether a pattern may hold the gram that b begins with.
func (g *grams) has(b []byte) bool {
	h := gramHash(binary.LittleEndian.Uint32(b))
	return g.bits[h/64]&(1<<(h%64)) != 0
}

// find reports whether a pattern has its gram at one of the places from, from+8
// and so on of text[from:to].
func (g *grams) find(text []byte, from, to int) bool {
	for i := from; i < to && i+gramLen <= len(text); i += wordLen {
		if !g.has(text[i:]) {
			continue
		}
		gram := binary.LittleEndian.Uint32(text[i:])
		if a := againHash(gram); g.again[a/64]&(1<<(a%64)) == 0 {
			continue
		}
		for k := g.heads[gramHash(gram)%chains]; k > 0; k = g.spots[k-1].next {
			s := &g.spots[k-1]
			start := i - int(s.at)
			if s.gram == gram && start >= 0 && start+wordLen <= len(text) && binary.LittleEndian.Uint64(text[start:]) == s.head &&
				bytes.HasPrefix(text[start:], []byte(s.pattern)) {
				return true
			}
		}
	}
	return false
}
