package bytemasks

import (
	"encoding/binary"
	"math/bits"
)

// A Kind says what a Walk has found.
type Kind uint8

const (
	// Chunk is a part of the text. Together they are all of it, and the other places in a
	// chunk follow it.
	Chunk Kind = iota
	// Block is a part of the text with shapes in it, see Place.
	Block
	// Run is one of 40 bytes or more of base64 and of escapes: letters, digits and + / - _ \ %
	// & # ;
	Run
)

// LeastRun is the least length of a run.
const LeastRun = 40

// A Place is text[From:To].
type Place struct {
	Kind     Kind
	From, To int
	Zeros    bool // there is a zero in the chunk, or right behind it

	// In a block, each shape has a bit for each of its bytes: one if the shape begins there.

	// Capitals: seven capital letters and digits.
	Capitals uint64
	// Base64: sixteen letters and digits, as base64 of twelve characters of ASCII.
	Base64 uint64
	// WideBase64: sixteen letters and digits, as base64 of UTF-16: "A??A" and eight bytes
	// later again.
	WideBase64 uint64
}

// A Walk is a walk over one text.
type Walk struct {
	text   []byte
	vector bool

	at, to   int // the chunk is text[at:to]
	group    int // the next one with shapes, of groups
	groups   int
	eighth   int  // the next eight bytes of the chunk in which a run may begin
	open     int  // where the run begins that is open there, or -1
	before   byte // the mask of runs of the eight bytes before the chunk
	findings findings
	masks    masks
}

// A Walker makes walks.
type Walker struct{ vector bool }

// New returns a walker that makes the best of this processor.
func New() Walker { return Walker{hasVector()} }

// Plain returns a walker without vector instructions, for tests.
func Plain() Walker { return Walker{} }

// Begin begins a walk over text.
func (k Walker) Begin(w *Walk, text []byte) {
	w.text, w.vector, w.at, w.to, w.group, w.groups = text, k.vector, 0, 0, 0, 0
	w.eighth, w.open = 0, -1
	w.masks[run][chunkLen/8-1] = 0 // nothing is before the text
}

// Next finds the next place, and reports whether there is one.
func (w *Walk) Next(p *Place) bool {
	if w.nextBlock(p) || w.nextRun(p) {
		return true
	}
	if w.to == len(w.text) {
		return false
	}
	zeros := w.nextChunk()
	*p = Place{Kind: Chunk, From: w.at, To: w.to, Zeros: zeros}
	return true
}

// nextChunk makes the masks of the next chunk. It reports whether there are zeros in it.
func (w *Walk) nextChunk() (zeros bool) {
	w.at = w.to
	w.to = min(len(w.text), w.at+chunkLen)
	w.group, w.groups = 0, (w.to-w.at+groupBlocks*blockLen-1)/(groupBlocks*blockLen)
	w.eighth, w.before = 0, w.masks[run][chunkLen/8-1]
	rest := w.text[w.at:]
	n := min(len(rest)/blockLen, blocks)
	if n > 0 {
		zeros = w.classify(0, rest, n)
	}
	if n < blocks {
		if rest = rest[n*blockLen:]; len(rest) > 0 {
			var last [blockLen]byte
			for i := copy(last[:], rest); i < blockLen; i++ {
				last[i] = ' ' // in no class
			}
			zeros = w.classify(n, last[:], 1) || zeros
			n++
		}
		for class := range classes {
			clear(w.masks[class][8*n : 8*groupBlocks*(w.groups+1)])
		}
	}
	if w.vector {
		findVector(&w.masks, w.groups, &w.findings)
	} else {
		find(&w.masks, w.groups, &w.findings)
	}
	return zeros
}

func (w *Walk) classify(first int, text []byte, n int) (zeros bool) {
	if w.vector {
		return classifyVector(&w.masks, first, text, n)
	}
	return classify(&w.masks, first, text, n)
}

// nextBlock finds the next block with a shape.
func (w *Walk) nextBlock(p *Place) bool {
	for ; w.group < w.groups; w.group++ {
		shapes := &w.findings.shapes[w.group]
		if *shapes == 0 {
			continue
		}
		block := w.group*groupBlocks + bits.TrailingZeros8(*shapes)
		*shapes &= *shapes - 1
		from := w.at + block*blockLen
		*p = Place{Kind: Block, From: from, To: min(from+blockLen, w.to)}
		p.Capitals, p.Base64, p.WideBase64 = w.masks.shapesAt(block)
		return true
	}
	return false
}

// nextRun finds the next run that ends in the chunk or right behind it.
func (w *Walk) nextRun(p *Place) bool {
	mask := &w.masks[run]
	for last := 32 * w.groups; w.eighth < last; {
		begins := w.findings.runs[w.eighth/32] >> (w.eighth % 32)
		if begins == 0 {
			w.eighth, w.open = w.eighth/32*32+32, -1
			continue
		}
		if n := bits.TrailingZeros32(begins); n > 0 {
			w.eighth, w.open = w.eighth+n, -1
			begins >>= n
		}
		if w.open < 0 {
			before := w.before
			if w.eighth > 0 {
				before = mask[w.eighth-1]
			}
			w.open = w.at + 8*w.eighth - bits.LeadingZeros8(^before)
		}
		if w.eighth += min(bits.TrailingZeros32(^begins), 32-w.eighth%32); w.eighth%32 == 0 && binary.LittleEndian.Uint32(mask[w.eighth:]) == 1<<32-1 {
			continue // in the next group or chunk
		}
		from, to := w.open, w.at+8*(w.eighth+3)+bits.TrailingZeros8(^mask[w.eighth+3])
		if w.open = -1; to-from >= LeastRun {
			*p = Place{Kind: Run, From: from, To: to}
			return true
		}
	}
	return false
}
