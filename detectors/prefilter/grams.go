package prefilter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

// A gramIndex finds patterns of at least minPattern bytes. A "#" at the end of a pattern
// stands for any hexadecimal digit.
//
// It reads the four bytes, the gram, at every eighth offset of a text. If a pattern is
// there, the gram begins at one of its first eight bytes:
//
//	text      …  name: k8s-aws-v1.aHR0cHM6Ly9zdHM…
//	offsets   |       |       |       |       |
//	pattern                s-v1.aHR0cHM6
//	gram                      1.aH
//
// A bitmap, small enough for the first cache of the processor, says whether any pattern
// has this gram. By chance it says yes at one offset in a hundred, and a second bitmap hardly
// ever agrees.
type gramIndex struct {
	bits       [bitWords]uint32 // the hash of a gram chooses the word, its own lowest bits the bit
	secondBits [secondSize / 64]uint64
	patterns   []pattern
	positions  []gramPosition
	heads      [chains]uint16 // of each chain the index of its first position, plus one
	longest    int            // length of the longest pattern
}

// A pattern is a string without its "#", and its first eight bytes as a number.
type pattern struct {
	text string
	head uint64
}

// A gramPosition says that a pattern has a gram at an offset.
type gramPosition struct {
	gram    uint32
	at      uint16
	next    uint16 // index of the next position of the chain, plus one
	pattern uint16
}

const (
	wordLen    = 8
	gramLen    = 4
	minPattern = wordLen + gramLen - 1
	bitWords   = 1 << 12
	secondSize = 1 << 16
	chains     = 1 << 13
)

// newGramIndex compiles patterns. It is fast and allocates little, because a hook makes a
// Set for each commit.
func newGramIndex(patterns []string) *gramIndex {
	g := &gramIndex{patterns: make([]pattern, len(patterns))}
	n := 0
	for i, p := range patterns {
		if len(p) < minPattern {
			panic(fmt.Sprintf("pattern %q is shorter than %d bytes", p, minPattern))
		}
		g.longest = max(g.longest, len(p))
		text := strings.TrimRight(p, "#")
		g.patterns[i] = pattern{text, binary.LittleEndian.Uint64([]byte(text[:wordLen]))}
		for at := range wordLen {
			n += variants(text, at)
		}
	}
	g.positions = make([]gramPosition, 0, n)
	for i, p := range g.patterns {
		for at := range wordLen {
			for k := range variants(p.text, at) {
				g.add(gramOf(p.text, at, k), at, i)
			}
		}
	}
	return g
}

// add notes that a pattern has gram at an offset.
func (g *gramIndex) add(gram uint32, at, pattern int) {
	g.bits[gramHash(gram)/(chains/bitWords)] |= 1 << (gram % 32)
	a := secondHash(gram)
	g.secondBits[a/64] |= 1 << (a % 64)
	head := &g.heads[gramHash(gram)]
	g.positions = append(g.positions, gramPosition{gram, uint16(at), *head, uint16(pattern)})
	*head = uint16(len(g.positions))
}

// variants returns how many grams a text with pattern may have at an offset. There is more
// than one if the gram reaches into the digits behind the pattern.
func variants(pattern string, at int) int {
	return 1 << (4 * max(0, at+gramLen-len(pattern)))
}

// gramOf returns the k-th of these variants.
func gramOf(pattern string, at, k int) uint32 {
	var b [gramLen]byte
	for i := copy(b[:], pattern[at:]); i < gramLen; i++ {
		b[i] = "0123456789abcdef"[k&15]
		k >>= 4
	}
	return binary.LittleEndian.Uint32(b[:])
}

// gramHash multiplies by a number near 2^32 divided by the golden ratio (Knuth,
// The Art of Computer Programming 3, 6.4). It is below chains.
func gramHash(gram uint32) uint32 { return gram * 0x9e3779b1 >> 19 }

// secondHash does so with another number (Murmur3's finalizer).
func secondHash(gram uint32) uint32 { return gram * 0x85ebca6b >> 16 }

const (
	// A stretch is as long as its probes fill a byte.
	stretchLen = 8 * wordLen
	stretches  = 64
)

// findFrom reports whether a pattern covers one of the offsets from, from+8, … up to to.
func (g *gramIndex) findFrom(text []byte, from, to int) bool {
	to = min(to, len(text)-gramLen+1)
	for to-from >= stretchLen {
		n := min((to-from)/stretchLen, stretches)
		var hits [stretches]byte
		g.probeAll(&hits, text[from:from+n*stretchLen])
		for i := 0; i < n; i += 8 {
			for some := binary.LittleEndian.Uint64(hits[i:]); some != 0; some &= some - 1 {
				if g.isAt(text, from+i*stretchLen+bits.TrailingZeros64(some)*wordLen) {
					return true
				}
			}
		}
		from += n * stretchLen
	}
	for ; from < to; from += wordLen {
		if g.mayHave(text[from:]) && g.isAt(text, from) {
			return true
		}
	}
	return false
}

// mayHave reports whether a pattern may hold the gram at the beginning of b. A branch on one
// bit takes half the instructions of a shift by a variable.
func (g *gramIndex) mayHave(b []byte) bool {
	gram := binary.LittleEndian.Uint32(b)
	return g.bits[gramHash(gram)/(chains/bitWords)]&(1<<(gram%32)) != 0
}

// isAt reports whether a pattern covers the offset i and may hold the gram there.
func (g *gramIndex) isAt(text []byte, i int) bool {
	gram := binary.LittleEndian.Uint32(text[i:])
	if a := secondHash(gram); g.secondBits[a/64]&(1<<(a%64)) == 0 {
		return false
	}
	for k := g.heads[gramHash(gram)]; k > 0; k = g.positions[k-1].next {
		s := &g.positions[k-1]
		start := i - int(s.at)
		if s.gram != gram || start < 0 || start+wordLen > len(text) {
			continue
		}
		p := &g.patterns[s.pattern]
		if binary.LittleEndian.Uint64(text[start:]) == p.head && bytes.HasPrefix(text[start:], []byte(p.text)) {
			return true
		}
	}
	return false
}
