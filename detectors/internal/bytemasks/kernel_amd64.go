package bytemasks

import "golang.org/x/sys/cpu"

// hasVector reports whether this processor has the instructions for 32 bytes at once (AVX2).
func hasVector() bool { return cpu.X86.HasAVX2 }

// hasWide reports whether this processor has those for 64 bytes at once (AVX-512), with tables
// of 128 bytes: Intel's since 2019, AMD's since 2022.
func hasWide() bool { return cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI }

// classifyVector is classify.
func classifyVector(m *masks, first int, text []byte, n int) bool {
	if hasWide() {
		return classifyWide(&m[0][8*first], &text[0], n, &classSets)
	}
	return classifyBlocks(&m[0][8*first], &text[0], n, &nibbles)
}

// classifyBlocks sets the masks at m, of which each class has row bytes.
//
//go:noescape
func classifyBlocks(m *byte, text *byte, n int, t *tables) bool

// classifyWide is classifyBlocks.
//
//go:noescape
func classifyWide(m *byte, text *byte, n int, t *[128]byte) bool

// classSets maps each byte of ASCII to its classes: bit i is set if it is in class i.
var classSets = func() (set [128]byte) {
	for c := range set {
		for class := range classes {
			set[c] |= byte(classBits[c]>>(16*class)&1) << class
		}
	}
	return set
}()

// findVector is find.
//
//go:noescape
func findVector(m *masks, n int, f *findings)

// A rectangle is a set of bytes: those with an upper half of rows and a lower half of columns,
// in the usual table of ASCII with 16 columns. Bit i of a set stands for row or column i.
type rectangle struct{ rows, columns uint16 }

// parts is the number of rectangles that a class may have. The class run has more: the kernel
// makes it of the class word and those of isPunct, which take its place here.
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
	case run:
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
