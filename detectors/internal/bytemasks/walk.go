package bytemasks

import (
	"encoding/binary"
	"math/bits"
)

// LeastRun is the least length of a run.
const LeastRun = 40

// A Block is a part of the text with shapes in it. Each shape has a bit for each byte of the
// block: one if the shape begins there.
type Block struct {
	From int
	// Capitals: seven capital letters and digits.
	Capitals uint64
	// Base64: sixteen letters and digits, as base64 of twelve characters of ASCII.
	Base64 uint64
	// WideBase64: sixteen letters and digits, as base64 of UTF-16: "A??A" and eight bytes
	// later again.
	WideBase64 uint64
}

// A Run is text[From:To], 40 bytes or more of base64 and of escapes: letters, digits and
// + / - _ \ % & # ;
type Run struct {
	From, To int
	// Small and Punct have a bit for each byte of a short run: one if it is a small letter, or
	// neither a letter nor a digit.
	Small, Punct uint64
}

// IsShort reports whether r has at most 64 bytes.
func (r Run) IsShort() bool { return r.To-r.From <= 64 }

// A Walk is a walk over one text. It goes from chunk to chunk, and in each chunk first from
// block to block and then from run to run.
type Walk struct {
	From, To int  // the chunk is text[From:To]; together the chunks are all of the text
	Zeros    bool // there is a zero in the chunk, or right behind it

	text   []byte
	vector bool

	group    int // the next one with shapes, of groups
	groups   int
	runGroup int  // the next one with runs
	open     int  // where the run begins that goes on there, or -1
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
	w.text, w.vector, w.From, w.To, w.open = text, k.vector, 0, 0, -1
	w.masks[run][chunkLen/8-1] = 0 // nothing is before the text
}

// NextChunk goes to the next chunk, and reports whether there is one.
func (w *Walk) NextChunk() bool {
	if w.To == len(w.text) {
		return false
	}
	w.From = w.To
	w.To = min(len(w.text), w.From+chunkLen)
	w.group, w.groups = 0, (w.To-w.From+groupBlocks*blockLen-1)/(groupBlocks*blockLen)
	w.runGroup, w.before = 0, w.masks[run][chunkLen/8-1]
	w.Zeros = w.makeMasks()
	return true
}

// makeMasks makes the masks of the chunk. It reports whether there are zeros in it.
func (w *Walk) makeMasks() (zeros bool) {
	rest := w.text[w.From:]
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

// NextBlock finds the next block with a shape.
func (w *Walk) NextBlock() (b Block, ok bool) {
	for ; w.group < w.groups; w.group++ {
		shapes := &w.findings.shapes[w.group]
		if *shapes == 0 {
			continue
		}
		block := w.group*groupBlocks + bits.TrailingZeros8(*shapes)
		*shapes &= *shapes - 1
		return Block{w.From + block*blockLen, w.findings.capitals[block], w.findings.base64[block], w.findings.wide[block]}, true
	}
	return b, false
}

// NextRun finds the next run that ends in the chunk or right behind it.
func (w *Walk) NextRun() (r Run, ok bool) {
	mask := &w.masks[run]
	for w.runGroup < w.groups {
		begins := w.findings.runs[w.runGroup]
		if begins == 0 {
			w.runGroup, w.open = w.runGroup+1, -1
			continue
		}
		first := bits.TrailingZeros32(begins)
		n := bits.TrailingZeros32(^(begins >> first))
		w.findings.runs[w.runGroup] = begins & (begins + 1<<first) // without these n
		eighth := 32*w.runGroup + first
		if w.open < 0 || first > 0 {
			before := w.before
			if eighth > 0 {
				before = mask[eighth-1]
			}
			w.open = w.From + 8*eighth - bits.LeadingZeros8(^before)
		}
		eighth += min(n, 32-first)
		if eighth%32 == 0 && binary.LittleEndian.Uint32(mask[eighth:]) == 1<<32-1 {
			w.runGroup++
			continue // in the next group or chunk
		}
		r.From, r.To = w.open, w.From+8*(eighth+3)+bits.TrailingZeros8(^mask[eighth+3])
		if w.open = -1; r.To-r.From >= LeastRun {
			w.describe(&r)
			return r, true
		}
	}
	return r, false
}

// describe describes the bytes of a short run.
func (w *Walk) describe(r *Run) {
	at, n := r.From-w.From, r.To-r.From
	switch {
	case !r.IsShort():
	case at >= 0:
		words, all := w.masks.from(word, at), ^uint64(0)>>(64-n)
		r.Punct = ^words & all
		r.Small = words &^ w.masks.from(upper, at) & all
	default: // it begins in the chunk before
		for i, c := range w.text[r.From:r.To] {
			r.Punct |= (^classBits[c] >> (16 * word) & 1) << i
			r.Small |= (classBits[c] >> (16 * word) &^ (classBits[c] >> (16 * upper)) & 1) << i
		}
	}
}
