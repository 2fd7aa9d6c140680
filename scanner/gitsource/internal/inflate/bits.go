package inflate

import "encoding/binary"

const (
	// margin is how much of the input an iteration of block's loop loads: two words.
	margin = 16

	// padding is how long the copy of the end of the input is: less than a margin of it,
	// and zeros for up to 8 bytes that the bit buffer holds in advance and one more margin.
	padding = 40
)

// A bitReader reads bits, the lowest of each byte first (RFC 1951, 3.1.1).
//
// A refill loads 8 bytes. When src has fewer than 8 bytes left, a copy of its end, padded
// with zeros, takes its place. So the loops need no second form for the end of the input.
// The caller compares the offset with the end when it is done.
type bitReader struct {
	src  []byte // whole, or tail
	pos  int    // the next byte to load from src
	buf  uint64 // the next bits, from the lowest; those above count may be set, and are right
	left uint   // how many of them: the lowest 6 bits; above may be anything

	whole []byte
	base  int // where src begins in whole
	tail  [padding]byte
}

func (r *bitReader) reset(src []byte, pos int) {
	r.src, r.pos, r.buf, r.left = src, pos, 0, 0
	r.whole, r.base = src, 0
}

// release forgets the caller's input.
func (r *bitReader) release() { r.src, r.whole = nil, nil }

// offset returns the offset in the whole input of the byte after the last one begun. It is
// behind the end of the input if more bits were taken than there are.
func (r *bitReader) offset() int { return r.base + r.pos - int(r.left&63>>3) }

// refill makes 56 bits or more ready to be taken.
func (r *bitReader) refill() {
	if r.pos > len(r.src)-8 {
		r.pad()
	}
	r.buf |= binary.LittleEndian.Uint64(r.src[r.pos:]) << (r.left & 63)
	r.pos += 7 - int(r.left>>3&7)
	r.left |= 56
}

// pad replaces src, which ends, by its rest followed by zeros. If these end too, far more
// was taken than there is; then pad starts with zeros again, and the offset stays behind
// the end.
//
//go:noinline
func (r *bitReader) pad() {
	r.base += r.pos
	rest := r.whole[min(r.base, len(r.whole)):]
	r.tail = [padding]byte{}
	copy(r.tail[:], rest)
	r.src, r.pos = r.tail[:], 0
}

// take returns the next n bits, of which refill has made enough ready.
func (r *bitReader) take(n uint) uint {
	v := uint(r.buf) & (1<<(n&63) - 1)
	r.buf >>= n & 63
	r.left -= n
	return v
}
