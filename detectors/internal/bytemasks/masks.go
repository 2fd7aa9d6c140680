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
// A Walk takes two steps for each chunk of the text. Both have a form with vector
// instructions, and one in plain Go that gives the same results more slowly:
//
//	text ── classify ── masks ── find ── which blocks have a shape, which bytes are in a run
//
// Nearly all blocks have none. Only for the others, the walk works out where it begins.
package bytemasks

import (
	"bytes"
	"encoding/binary"
)

// The classes of bytes. Each has a mask.
const (
	upper  = iota // A-Z and 0-9
	word          // a-z too
	sextet        // I-f, the first of four characters of base64 if it encodes ASCII
	punct         // the others of a run of base64 with escapes: + / - _ \ % & # ;
	classes
)

// run is the mask of bytes in the class word or punct, which find makes.
const run = classes

// A rectangle is a set of bytes: those with an upper half of rows and a lower half of columns,
// in the usual table of ASCII with 16 columns. Bit i of a set stands for row or column i.
type rectangle struct{ rows, columns uint16 }

// parts is the number of rectangles that a class may have.
const parts = 3

// rectangles returns the rectangles that make up a class.
func rectangles(class int) [parts]rectangle {
	const all, toZ, fromA, digits = 1<<16 - 1, 1<<11 - 1, 1<<16 - 2, 1<<10 - 1
	switch class {
	case upper:
		return [parts]rectangle{{1 << 3, digits}, {1 << 4, fromA}, {1 << 5, toZ}}
	case word:
		return [parts]rectangle{{1 << 3, digits}, {1<<4 | 1<<6, fromA}, {1<<5 | 1<<7, toZ}}
	case sextet:
		return [parts]rectangle{{1 << 4, 0xfe00}, {1 << 5, all}, {1 << 6, 0x7f}}
	case punct:
		return [parts]rectangle{{1 << 2, 1<<3 | 1<<5 | 1<<6 | 1<<11 | 1<<13 | 1<<15}, {1 << 3, 1 << 11}, {1 << 5, 1<<12 | 1<<15}}
	}
	panic("no such class")
}

// tables map the lower and the upper half of a byte to the classes whose rectangles have them.
// A byte is in a rectangle if both say so. Bit 7-i stands for class i.
type tables [parts][2][16]byte

var nibbles = func() (t tables) {
	for class := range classes {
		for i, r := range rectangles(class) {
			for half := range 16 {
				t[i][0][half] |= byte(r.columns>>half&1) << (7 - class)
				t[i][1][half] |= byte(r.rows>>half&1) << (7 - class)
			}
		}
	}
	return t
}()

// classBits maps each byte to its classes: bit 8*i is set if it is in class i.
var classBits = func() (set [256]uint32) {
	for c := range set {
		in := byte(0)
		for _, t := range nibbles {
			in |= t[0][c&15] & t[1][c>>4]
		}
		for class := range classes {
			set[c] |= uint32(in>>(7-class)&1) << (8 * class)
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

// masks are the masks of a chunk: for each class, and for runs, the bits of all bytes in order.
type masks [classes + 1][row]byte

// of returns the mask of a class for the 64 bytes that begin at offset 8*at.
func (m *masks) of(class, at int) uint64 {
	return binary.LittleEndian.Uint64(m[class][at : at+8])
}

// A findings says what is in a chunk.
type findings struct {
	// shapes has four bits for each group: one if a shape begins in the block.
	shapes [groups]byte
	// runs has a bit for every eighth byte: one if it begins 32 bytes of a run.
	runs [groups]uint32
}

// classify sets the masks of n blocks of text, from block first on. It reports whether a byte
// of text is zero.
func classify(m *masks, first int, text []byte, n int) bool {
	for i := range 8 * n {
		b := text[8*i : 8*i+8 : 8*i+8]
		t := &classBits
		w := t[b[0]] | t[b[1]]<<1 | t[b[2]]<<2 | t[b[3]]<<3 | t[b[4]]<<4 | t[b[5]]<<5 | t[b[6]]<<6 | t[b[7]]<<7
		at := 8*first + i
		m[upper][at], m[word][at], m[sextet][at], m[punct][at] = byte(w), byte(w>>8), byte(w>>16), byte(w>>24)
	}
	return bytes.IndexByte(text[:n*blockLen], 0) >= 0
}

// find finds shapes and runs in the masks of n groups, and those of the block behind them.
func find(m *masks, n int, f *findings) {
	for i := 0; i < 32*n+8; i += 8 {
		binary.LittleEndian.PutUint64(m[run][i:], m.of(word, i)|m.of(punct, i))
	}
	for g := range n {
		f.shapes[g], f.runs[g] = 0, 0
		for k := range groupBlocks {
			if capitals, base64, wide := m.shapesAt(groupBlocks*g + k); capitals|base64|wide != 0 {
				f.shapes[g] |= 1 << k
			}
		}
		for k := range 32 {
			if at := 32*g + k; m[run][at] == 1<<8-1 && binary.LittleEndian.Uint32(m[run][at:]) == 1<<32-1 {
				f.runs[g] |= 1 << k
			}
		}
	}
}

// shapesAt returns the shapes that begin in a block, see Place.
func (m *masks) shapesAt(block int) (capitals, base64, wide uint64) {
	capitals, base64, wide = m.shapesIn(8 * block)
	c, b, w := m.shapesIn(8*block + 4)
	return capitals | c<<32, base64 | b<<32, wide | w<<32
}

// shapesIn returns the shapes that begin in the 32 bytes at offset 8*at. It looks at the 32
// bytes behind them too.
func (m *masks) shapesIn(at int) (capitals, base64, wide uint64) {
	words := m.of(word, at)
	words &= words >> 1
	words &= words >> 2
	words &= words >> 4
	words &= words >> 8 // sixteen in a row
	base64 = m.of(sextet, at)
	base64 &= base64 >> 4
	base64 &= base64 >> 8 & words // four, each four bytes behind the other
	capitals = m.of(upper, at)
	wide = capitals & (capitals >> 3)
	wide &= wide >> 8 & words // two pairs, eight bytes apart
	capitals &= capitals >> 1
	capitals &= capitals >> 2
	capitals &= capitals >> 3 // seven in a row
	const half = 1<<32 - 1
	return capitals & half, base64 & half, wide & half
}
