// Package bytemasks walks over a text once and finds the places that are worth a look.
//
// It turns text into masks. A mask has a bit for each byte: one if the byte is in a class.
//
//	text      i d = A K I A Q 7 X N
//	Capital   0 0 0 1 1 1 1 1 0 1 1
//	Digit     0 0 0 0 0 0 0 0 1 0 0
//	Small     1 1 0 0 0 0 0 0 0 0 0
//
// Then a question about many bytes is a few operations on words of 64 bits. Is there a run
// of capital letters and digits? Each step joins two runs to one of twice the length:
//
//	m  = Capital | Digit   0 0 0 1 1 1 1 1 1 1 1   a run of one begins here
//	m &= m >> 1            0 0 0 1 1 1 1 1 1 1 0   of two
//	m &= m >> 2            0 0 0 1 1 1 1 1 0 0 0   of four
//	m &= m >> 3            0 0 0 1 1 0 0 0 0 0 0   of seven
//
// Processors with vector instructions make the masks of 32 bytes in a few operations. The
// plain Go of classify makes the same masks, a few times slower.
package bytemasks

import "encoding/binary"

// The classes of bytes. Each has a mask.
const (
	digit   = iota // 0-9
	capital        // A-Z
	small          // a-z
	// escape: what else stands in a run of base64 with escapes: + / \ % & # ;
	escape
	// packed: what may stand in packed data in base64 and beside it: all from "0" on, and
	// ! # % ' ) + - /
	packed
	// sextet: I-f, the first of four characters of base64 if it encodes ASCII.
	sextet
	// upperHalf: zero, 0 and 3-7. Every second byte of UTF-16 is zero, and every second digit
	// of hexadecimal is the upper half of a letter or a digit.
	upperHalf
	classes
)

// A rectangle is a set of bytes: those with an upper half of rows and a lower half of columns,
// in the usual table of ASCII with 16 columns. Bit i of a set stands for row or column i.
type rectangle struct{ rows, columns uint16 }

// tables is the number of rectangles that a class may have: each takes two tables.
const tables = 3

// rectangles returns the rectangles that make up a class.
func rectangles(class int) [tables]rectangle {
	const all, toZ, fromA, digits = 1<<16 - 1, 1<<11 - 1, 1<<16 - 2, 1<<10 - 1
	switch class {
	case digit:
		return [tables]rectangle{{1 << 3, digits}}
	case capital:
		return [tables]rectangle{{1 << 4, fromA}, {1 << 5, toZ}}
	case small:
		return [tables]rectangle{{1 << 6, fromA}, {1 << 7, toZ}}
	case escape:
		return [tables]rectangle{{1 << 2, 1<<3 | 1<<5 | 1<<6 | 1<<11 | 1<<15}, {1 << 3, 1 << 11}, {1 << 5, 1 << 12}}
	case packed:
		return [tables]rectangle{{1 << 2, 0xaaaa}, {0xf8, all}}
	case sextet:
		return [tables]rectangle{{1 << 4, 0xfe00}, {1 << 5, all}, {1 << 6, 0x7f}}
	case upperHalf:
		return [tables]rectangle{{1 << 0, 1 << 0}, {1 << 3, 1 | 0xf8}}
	}
	panic("no such class")
}

// nibbleTables map the lower and the upper half of a byte to the classes whose rectangles
// have them. A byte is in a rectangle if both tables say so. Bit 7-i stands for class i.
var nibbleTables = func() (t [tables][2][16]byte) {
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

// classesOf maps each byte to its classes, in the same bits.
var classesOf = func() (set [256]byte) {
	for c := range set {
		for _, t := range nibbleTables {
			set[c] |= t[0][c&15] & t[1][c>>4]
		}
	}
	return set
}()

const (
	blockLen = 64
	// chunkLen bytes are walked over at once. Their masks take as much memory, which stays in
	// the first cache of the processor.
	chunkLen = 64 * windowStep
	// blocks is the number of blocks with masks: those of a chunk, and one behind it, since a
	// window reaches into it.
	blocks = chunkLen/blockLen + 1
)

// masks are the masks of a chunk, for each class the bits of all bytes in order.
type masks [classes][8 * (blocks + 1)]byte

// of returns the mask of a class for the 64 bytes at offset 8*at.
func (m *masks) of(class, at int) uint64 {
	return binary.LittleEndian.Uint64(m[class][at : at+8])
}

// classify sets the masks of n blocks of text, from block first on.
func classify(m *masks, first int, text []byte, n int) {
	const (
		ones   = 0x0101010101010101
		gather = 0x0102040810204080 // moves bit 8i to bit 56+i
	)
	for i := range 8 * n {
		b := text[8*i : 8*i+8 : 8*i+8]
		w := uint64(classesOf[b[0]]) | uint64(classesOf[b[1]])<<8 | uint64(classesOf[b[2]])<<16 | uint64(classesOf[b[3]])<<24 |
			uint64(classesOf[b[4]])<<32 | uint64(classesOf[b[5]])<<40 | uint64(classesOf[b[6]])<<48 | uint64(classesOf[b[7]])<<56
		for class := range m {
			m[class][8*first+i] = byte(w >> (7 - class) & ones * gather >> 56)
		}
	}
}
