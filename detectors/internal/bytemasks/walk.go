package bytemasks

import "math/bits"

// A Kind says what a Walk has found.
type Kind uint8

const (
	// Chunk is a part of the text. Together they are all of it, and the other places in a
	// chunk follow it.
	Chunk Kind = iota
	// Window is a part of the text with shapes in it, see Place.
	Window
	// SecretRun is a run of 40 bytes or more of base64 and of the bytes of escapes: letters,
	// digits and + / \ % & # ;
	SecretRun
	// WordRun is one of 40 letters and digits or more.
	WordRun
	// PackedRun is one of 54 bytes or more of packed data in base64, with escapes.
	PackedRun
	kinds
)

// leastRun is the least length of the runs of each kind.
var leastRun = [kinds]int{SecretRun: 40, WordRun: 40, PackedRun: 54}

// A Place is text[From:To]. In a window, each shape has a bit for each of its bytes: one if
// the shape begins there.
type Place struct {
	Kind     Kind
	From, To int
	// Capitals: seven capital letters and digits, one of them a letter.
	Capitals uint64
	// Base64: sixteen letters and digits, as base64 of twelve characters of ASCII.
	Base64 uint64
	// WideBase64: sixteen letters and digits, as base64 of UTF-16: "A??A" and eight bytes
	// later again.
	WideBase64 uint64
	// Pairs: eight bytes at every second offset that are the upper half of a letter or a digit:
	// zero in UTF-16, and a digit in hexadecimal.
	Pairs uint64
}

const (
	// A window has the masks of 64 bytes, and the next one begins 48 bytes behind it. So a shape
	// of up to 17 bytes that begins in the 48 is in the window as a whole.
	windowStep = 48
	windowMask = 1<<windowStep - 1
)

// A Walk is a walk over one text.
type Walk struct {
	text   []byte
	vector bool

	masks       masks
	at, to      int // the chunk is text[at:to]
	window, end int // the next window of the chunk, and the one behind the last
	block, stop int // the same for blocks with runs
	open        [kinds]int
	found       [2 * kinds]Place // the runs that end in the last block
	n           int
}

// A Walker makes walks.
type Walker struct{ vector bool }

// New returns a walker that makes the best of this processor.
func New() Walker { return Walker{hasVector()} }

// Plain returns a walker without vector instructions, for tests.
func Plain() Walker { return Walker{} }

// Begin begins a walk over text.
func (k Walker) Begin(w *Walk, text []byte) {
	w.text, w.vector, w.at, w.to, w.n = text, k.vector, 0, 0, 0
	w.window, w.end, w.block, w.stop, w.open = 0, 0, 0, 0, [kinds]int{}
}

// Next finds the next place, and reports whether there is one.
func (w *Walk) Next(p *Place) bool {
	for {
		if w.window < w.end && w.nextWindow(p) || w.nextRun(p) {
			return true
		}
		if w.to == len(w.text) {
			return false
		}
		w.nextChunk()
		*p = Place{Kind: Chunk, From: w.at, To: w.to}
		return true
	}
}

// nextChunk makes the masks of the next chunk.
func (w *Walk) nextChunk() {
	w.at = w.to
	w.to = min(len(w.text), w.at+chunkLen)
	w.window, w.end = 0, (w.to-w.at+windowStep-1)/windowStep
	w.block, w.stop = 0, (w.to-w.at+blockLen-1)/blockLen
	rest := w.text[w.at:]
	whole := min(len(rest)/blockLen, blocks)
	w.classify(0, rest, whole)
	if whole == blocks {
		return
	}
	if rest = rest[whole*blockLen:]; len(rest) > 0 {
		var last [blockLen]byte
		for i := copy(last[:], rest); i < blockLen; i++ {
			last[i] = ' ' // in no class
		}
		w.classify(whole, last[:], 1)
		whole++
	}
	for class := range w.masks {
		clear(w.masks[class][8*whole : 8*whole+8])
	}
}

func (w *Walk) classify(first int, text []byte, n int) {
	switch {
	case n == 0:
	case w.vector:
		classifyVector(&w.masks[0][8*first], &text[0], n, &nibbleTables)
	default:
		classify(&w.masks, first, text, n)
	}
}

// nextWindow finds the next window with a shape.
func (w *Walk) nextWindow(p *Place) bool {
	m := &w.masks
	for i := w.window; i < w.end; i++ {
		at := i * windowStep / 8
		digits, capitals := m.of(digit, at), m.of(capital, at)
		c := digits | capitals
		all := c | m.of(small, at)
		c &= c >> 1
		c &= c >> 2
		c &= c >> 3 // seven
		all &= all >> 1
		all &= all >> 2
		all &= all >> 4
		all &= all >> 8 // sixteen
		s := m.of(sextet, at)
		s &= s >> 4
		s &= s >> 8 & all // four, each four bytes behind the other
		wide := capitals & (capitals >> 3)
		wide &= wide >> 8 & all
		pairs := m.of(upperHalf, at)
		pairs &= pairs >> 2
		pairs &= pairs >> 4
		pairs &= pairs >> 8 // eight, each two bytes behind the other
		if (c|s|wide|pairs)&windowMask == 0 {
			continue
		}
		digits &= digits >> 1
		digits &= digits >> 2
		digits &= digits >> 3
		if c &^= digits; (c|s|wide|pairs)&windowMask == 0 {
			continue
		}
		from := w.at + i*windowStep
		*p = Place{
			Kind: Window, From: from, To: min(from+windowStep, w.to),
			Capitals: c & windowMask, Base64: s & windowMask, WideBase64: wide & windowMask, Pairs: pairs & windowMask,
		}
		w.window = i + 1
		return true
	}
	w.window = w.end
	return false
}

// nextRun finds the next end of a run.
func (w *Walk) nextRun(p *Place) bool {
	for w.n == 0 {
		if w.block == w.stop {
			return false
		}
		m, i := &w.masks, 8*w.block
		word := m.of(digit, i) | m.of(capital, i) | m.of(small, i)
		from := w.at + w.block*blockLen
		w.run(SecretRun, word|m.of(escape, i), from)
		w.run(WordRun, word, from)
		w.run(PackedRun, m.of(packed, i), from)
		if w.block++; from+blockLen >= len(w.text) { // no zero ends the runs at the end
			for kind := SecretRun; kind < kinds; kind++ {
				w.endRun(kind, from+blockLen-w.open[kind], from+blockLen)
			}
		}
	}
	w.n--
	*p = w.found[w.n]
	return true
}

// run looks for ends of runs in a block with the mask m, which begins at from.
func (w *Walk) run(kind Kind, m uint64, from int) {
	least, open := leastRun[kind], w.open[kind]
	first := bits.TrailingZeros64(^m) // the end of the run that is open
	if first == blockLen {
		w.open[kind] += blockLen
		return
	}
	w.open[kind] = bits.LeadingZeros64(^m)
	if open+first >= least {
		w.endRun(kind, from-open, from+first)
	}
	// A run of 40 within 64 bytes covers those from 24 to 39.
	if lo, hi := blockLen-least, least; ^m>>lo<<(blockLen-hi+lo) == 0 {
		start, end := bits.Len64(^m&(1<<lo-1)), hi+bits.TrailingZeros64(^(m>>hi))
		if start > 0 && end < blockLen {
			w.endRun(kind, from+start, from+end)
		}
	}
}

// endRun notes a run if it is long enough.
func (w *Walk) endRun(kind Kind, from, to int) {
	if to-from >= leastRun[kind] {
		w.found[w.n] = Place{Kind: kind, From: from, To: to}
		w.n++
	}
}
