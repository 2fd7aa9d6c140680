// Package bytemasks walks over a text once and finds the places that are worth a look.
//
// It turns text into masks. A mask has a bit for each byte: one if the byte is in a class.
//
//	text    i d = A K I A Q 7 X N
//	upper   0 0 0 1 1 1 1 1 1 1 1   capital letters and digits
//	word    1 1 0 1 1 1 1 1 1 1 1   all letters and digits
//
// Then a question about many bytes is a few operations on words of 64 bits. Where does a run
// of seven capital letters and digits begin? Each step joins two runs to a longer one:
//
//	m  = upper     0 0 0 1 1 1 1 1 1 1 1   a run of one begins here
//	m &= m >> 1    0 0 0 1 1 1 1 1 1 1 0   of two
//	m &= m >> 2    0 0 0 1 1 1 1 1 0 0 0   of four
//	m &= m >> 3    0 0 0 1 1 0 0 0 0 0 0   of seven
//
// A Walk takes two steps for each chunk of the text. They have forms with vector instructions,
// and those in plain Go, which give the same results more slowly:
//
//	text ── classify ── masks ── find ── which blocks have a shape, which bytes are in a run
//
// Nearly all blocks have none. Only for the others, the walk works out where it begins.
package bytemasks

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// The classes of bytes. Each has a mask.
const (
	upper  = iota // A-Z and 0-9
	word          // a-z too
	sextet        // I-f, the first of four characters of base64 if it encodes ASCII
	run           // word and + / - _ \ % & # ; as in a run of base64 with escapes
	classes
)

// isIn reports whether c is in a class.
func isIn(class int, c byte) bool {
	isUpper := 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	isWord := isUpper || 'a' <= c && c <= 'z'
	switch class {
	case upper:
		return isUpper
	case word:
		return isWord
	case sextet:
		return 'I' <= c && c <= 'f'
	case run:
		return isWord || isPunct(c)
	}
	panic("no such class")
}

// isPunct reports whether c is in the class run, but no letter and no digit.
func isPunct(c byte) bool { return strings.IndexByte(`+/-_\%&#;`, c) >= 0 }

// classBits maps each byte to its classes: bit 16*i is set if it is in class i.
var classBits = func() (set [256]uint64) {
	for c := range set {
		for class := range classes {
			if isIn(class, byte(c)) {
				set[c] |= 1 << (16 * class)
			}
		}
	}
	return set
}()

const (
	blockLen = 64
	// A group is as many blocks as a vector of 256 bits has masks.
	groupBlocks = 4
	groups      = 16
	// chunkLen bytes are walked over at once. They and their masks stay in the first cache of
	// the processor.
	chunkLen = groups * groupBlocks * blockLen
	// blocks is the number of blocks with masks: those of a chunk, and the one behind it, since
	// shapes reach into it.
	blocks = chunkLen/blockLen + 1
	// row is the number of bytes of the masks of a class, in whole vectors.
	row = (groups + 1) * groupBlocks * 8
)

// masks are the masks of a chunk: for each class the bits of all bytes in order.
type masks [classes][row]byte

// of returns the mask of a class for the 64 bytes that begin at offset 8*at.
func (m *masks) of(class, at int) uint64 {
	return binary.LittleEndian.Uint64(m[class][at : at+8])
}

// from returns the mask of a class for the 64 bytes that begin at the given offset.
func (m *masks) from(class, offset int) uint64 {
	at, shift := offset/8, offset%8
	return m.of(class, at)>>shift | uint64(m[class][at+8])<<(blockLen-shift)
}

// A findings says what is in a chunk.
type findings struct {
	// shapes has four bits for each group: one if a shape begins in the block.
	shapes [groups]byte
	// runs has a bit for every eighth byte: one if it begins 32 bytes of a run.
	runs [groups]uint32
	// capitals, base64 and wide are the shapes that begin in each block, see Block.
	capitals, base64, wide [groups * groupBlocks]uint64
}

// classify sets the masks of n blocks of text, from block first on. It reports whether a byte
// of text is zero. It gathers the bits of 16 bytes in four classes at once, from the last byte
// to the first.
func classify(m *masks, first int, text []byte, n int) bool {
	t := &classBits
	for i := range 4 * n {
		b, at := text[16*i:16*i+16:16*i+16], 8*first+2*i
		v, w := t[b[7]], t[b[15]]
		v, w = v<<1|t[b[6]], w<<1|t[b[14]]
		v, w = v<<1|t[b[5]], w<<1|t[b[13]]
		v, w = v<<1|t[b[4]], w<<1|t[b[12]]
		v, w = v<<1|t[b[3]], w<<1|t[b[11]]
		v, w = v<<1|t[b[2]], w<<1|t[b[10]]
		v, w = v<<1|t[b[1]], w<<1|t[b[9]]
		v, w = v<<1|t[b[0]], w<<1|t[b[8]]
		v |= w << 8
		binary.LittleEndian.PutUint16(m[upper][at:], uint16(v))
		binary.LittleEndian.PutUint16(m[word][at:], uint16(v>>16))
		binary.LittleEndian.PutUint16(m[sextet][at:], uint16(v>>32))
		binary.LittleEndian.PutUint16(m[run][at:], uint16(v>>48))
	}
	return bytes.IndexByte(text[:n*blockLen], 0) >= 0
}

// find finds shapes and runs in the masks of n groups, and those of the block behind them.
func find(m *masks, n int, f *findings) {
	clear(f.shapes[:n])
	clear(f.runs[:n])
	for block := range groupBlocks * n {
		f.capitals[block], f.base64[block], f.wide[block] = m.shapesAt(block)
		if f.capitals[block]|f.base64[block]|f.wide[block] != 0 {
			f.shapes[block/groupBlocks] |= 1 << (block % groupBlocks)
		}
	}
	end := groupBlocks * 8 * n
	for at := 0; at <= end; at += 8 {
		if !hasPair(m.of(run, at)) {
			continue
		}
		// 32 bytes of a run have such a pair, here if they begin in these bytes of the mask.
		for i := max(0, at-1); i < min(at+7, end); i++ {
			if binary.LittleEndian.Uint32(m[run][i:]) == 1<<32-1 {
				f.runs[i/32] |= 1 << (i % 32)
			}
		}
	}
}

// sevenIn returns the bits of m at which seven ones in a row begin.
func sevenIn(m uint64) uint64 {
	m &= m >> 1
	m &= m >> 2
	return m & (m >> 3)
}

// sixteenIn returns the bits of m at which sixteen ones in a row begin.
func sixteenIn(m uint64) uint64 {
	m &= m >> 1
	m &= m >> 2
	m &= m >> 4
	return m & (m >> 8)
}

// hasPair reports whether one of the four parts of m with 16 bits has only ones. Then that
// part of the complement is zero, and the subtraction of one borrows its top bit.
func hasPair(m uint64) bool {
	const ones, tops = 0x0001_0001_0001_0001, 0x8000_8000_8000_8000
	return (^m-ones)&m&tops != 0
}

// shapesAt returns the shapes that begin in a block, see Block. It looks for them in two
// windows of the block.
func (m *masks) shapesAt(block int) (capitals, base64, wide uint64) {
	for at := 0; at < blockLen; at += windowLen {
		words, uppers := sixteenIn(m.of(word, 8*block+at/8)), m.of(upper, 8*block+at/8)
		if capitals |= sevenIn(uppers) & window << at; words&window == 0 {
			continue
		}
		sextets := m.of(sextet, 8*block+at/8)
		sextets &= sextets >> 4
		sextets &= sextets >> 8 & words // four, each four bytes behind the other
		uppers &= uppers >> 3
		uppers &= uppers >> 8 & words // two pairs, eight bytes apart
		base64, wide = base64|sextets&window<<at, wide|uppers&window<<at
	}
	return capitals, base64, wide
}

const (
	// windowLen is the number of bytes of which 64 bits of masks show the shapes, which reach
	// into the 15 bytes behind them. It is a divisor of 64.
	windowLen = 32
	window    = 1<<windowLen - 1
)
