package inflate

import "math/bits"

const (
	maxLitLen = 286 // RFC 1951, 3.2.5: the fixed code has 287 and 288, never used
	maxDist   = 30  // likewise
	maxCodes  = maxLitLen + maxDist
	maxBits   = 15

	litBits  = 10 // of the first lookup: most codes are shorter, and 4 KiB fill fast
	distBits = 8

	// The most entries that the first table and the tables of longer codes need, for any
	// complete code: "enough 288 10 15" and "enough 32 8 15" of zlib's examples.
	litSize  = 1334
	distSize = 402
)

// An entry of a table is made of
//
//	bits  0-5   how many bits code and extra bits have
//	bit   6     endOfBlock
//	bit   7     longer: the code goes on in a second table
//	bits  8-13  how many bits the code has
//	bit  14     special: endOfBlock, longer, or if neither no valid code
//	bit  15     zeros: the repeated code length is 0
//	bits 16-30  literal, or base of the length or distance, or start of the second table
//	bit  31     literal, or in the precode a code length
//
// In an entry with longer, bits 8-13 are the number of bits that select an entry of the
// second table. Both numbers have 6 bits because shifts take their lowest 6: e&63 and
// e>>8&63 cost nothing.
const (
	literal    = 1 << 31
	zeros      = 1 << 15
	special    = 1 << 14
	longer     = 1 << 7
	endOfBlock = 1 << 6

	noCode = special
)

// tables decode the symbols of a block.
type tables struct {
	lit  [litSize]uint32
	dist [distSize]uint32
}

// litEntries and distEntries hold an entry for each symbol, to which only the
// length of its code is to be added (RFC 1951, 3.2.5); preEntries those of the
// precode, where the base counts repetitions (3.2.7).
var (
	litEntries  = makeLitEntries()
	distEntries = makeDistEntries()
	preEntries  = makePreEntries()
)

// reversed holds the numbers of litBits bits with their bits in the other order.
var reversed = makeReversed()

func makeReversed() (t [1 << litBits]uint16) {
	for i := range t {
		t[i] = bits.Reverse16(uint16(i << (16 - litBits)))
	}
	return t
}

func makePreEntries() (t [preSymbols]uint32) {
	for i := range uint32(16) {
		t[i] = literal | i<<16
	}
	t[16] = 3<<16 | 2
	t[17] = zeros | 3<<16 | 3
	t[18] = zeros | 11<<16 | 7
	return t
}

func makeLitEntries() (t [maxLitLen + 2]uint32) {
	for i := range uint32(256) {
		t[i] = literal | i<<16
	}
	t[256] = special | endOfBlock
	base := uint32(3)
	for i := range uint32(28) {
		extra := uint32(0)
		if i >= 8 {
			extra = i/4 - 1
		}
		t[257+i] = base<<16 | extra
		base += 1 << extra
	}
	t[285] = 258 << 16 // not 227+31 with extra bits
	t[286], t[287] = noCode, noCode
	return t
}

func makeDistEntries() (t [maxDist + 2]uint32) {
	base := uint32(1)
	for i := range uint32(maxDist) {
		extra := uint32(0)
		if i >= 4 {
			extra = i/2 - 1
		}
		t[i] = base<<16 | extra
		base += 1 << extra
	}
	t[30], t[31] = noCode, noCode
	return t
}

// fixedTables returns the tables of the fixed codes (RFC 1951, 3.2.6).
func (d *Decoder) fixedTables() *tables {
	if d.hasFixed {
		return &d.fixed
	}
	var lit [288]uint16
	for i := range lit {
		n := 8
		switch {
		case i >= 280:
		case i >= 256:
			n = 7
		case i >= 144:
			n = 9
		}
		lit[i] = uint16(i<<4 | n)
	}
	var dist [32]uint16
	for i := range dist {
		dist[i] = uint16(i<<4 | 5)
	}
	d.build(d.fixed.lit[:], litBits, lit[:], countLengths(lit[:]), 0, litEntries[:])
	d.build(d.fixed.dist[:], distBits, dist[:], countLengths(dist[:]), 0, distEntries[:])
	d.hasFixed = true
	return &d.fixed
}

// A lengthCount holds for each length how many codes have it. The first element, for those
// of length 0, may be anything.
type lengthCount [maxBits + 1]uint16

// countLengths counts lengths that are given as build takes them.
func countLengths(lengths []uint16) (count lengthCount) {
	for _, v := range lengths {
		count[v&15]++
	}
	return count
}

// build fills table for the canonical Huffman code (RFC 1951, 3.2.2) whose
// lengths are given as symbol<<4|length, by ascending symbol, without those of
// length 0; count has their number. Symbols count from first; entries are theirs. The first
// lookup in the table takes width bits. It reports whether there is such a code: it has to be
// complete, or empty, or one code of one bit, as compress/flate has it.
func (d *Decoder) build(table []uint32, width uint, lengths []uint16, count lengthCount, first int, entries []uint32) bool {
	var next lengthCount
	sum, space := uint16(0), 0
	for n := 1; n <= maxBits; n++ {
		next[n] = sum
		sum += count[n]
		space += int(count[n]) << (maxBits - n)
	}
	if space != 1<<maxBits && !incomplete(table[:1<<width], lengths) {
		return false
	}

	// By length, and by symbol within a length: the order of the codes.
	sorted := &d.sorted
	for _, v := range lengths {
		n := uint32(v) & 15
		sorted[next[n]] = entries[int(v>>4)-first] + n<<8 + n
		next[n]++
	}
	if space != 1<<maxBits {
		for i := 0; i < 1<<width && len(lengths) > 0; i += 2 {
			table[i] = sorted[0]
		}
		return true
	}
	fill(table, width, &count, sorted[:len(lengths)])
	return true
}

// incomplete reports whether the lengths are none or a single 1, and then fills
// table with noCode.
func incomplete(table []uint32, lengths []uint16) bool {
	if len(lengths) > 1 || len(lengths) == 1 && lengths[0]&15 != 1 {
		return false
	}
	for i := range table {
		table[i] = noCode
	}
	return true
}

// fill writes the sorted entries of a complete code to where their codes point,
// bits reversed as the input has them. A table of n bits is the one of n-1 bits
// twice, with the codes of n bits added: so each entry is written once and the
// rest is copies (libdeflate's idea).
//
// Codes are counted as numbers of litBits bits, short ones in the highest. So the next code is
// found by an addition, and the reversal of one does not wait for that of another.
func fill(table []uint32, width uint, count *lengthCount, sorted []uint32) {
	code, i := uint(0), uint(0)
	for n := uint(1); n <= width; n++ {
		size := uint(1) << n
		if i > 0 {
			copy(table[size/2:size], table[:size/2])
		}
		end := i + uint(count[n&15])
		step := uint(1) << (litBits - n)
		for _, e := range sorted[i:end] {
			table[reversed[code&(1<<litBits-1)]] = e
			code += step
		}
		i = end
	}
	if i < uint(len(sorted)) {
		fillLonger(table, width, count, sorted[i:], uint16(code<<(16-litBits)))
	}
}

// fillLonger writes the entries of codes that have more than width bits, the first of which is
// code, in the highest of 16 bits: to second tables, one for each beginning of width bits.
func fillLonger(table []uint32, width uint, count *lengthCount, sorted []uint32, code uint16) {
	start, end, prefix := uint(0), uint(1)<<width, ^uint(0)
	n := width + 1
	todo := count[n]
	for _, e := range sorted {
		for todo == 0 {
			n++
			todo = count[n&15]
		}
		index := uint(bits.Reverse16(code))
		if low := index & (1<<width - 1); low != prefix {
			prefix, start = low, end
			more := second(n, width, uint(todo), count)
			end = start + 1<<more
			table[prefix] = uint32(start<<16 | longer | special | more<<8)
		}
		for j := start + index>>width; j < end; j += 1 << (n - width) {
			table[j] = e
		}
		todo--
		code += 1 << (16 - n)
	}
}

// second returns how many bits a second table takes that begins with a code of
// n bits, todo of which are left: as many as fill it.
func second(n, width, todo uint, count *lengthCount) uint {
	more, used := n-width, todo
	for used < 1<<more {
		more++
		used = used<<1 + uint(count[(width+more)&15])
	}
	return more
}
