package pack

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A delta says how an object is made from its base: which ranges to copy and which bytes to
// insert (gitformat-pack(5), "Deltified representation").
type delta struct {
	size  int64 // of the object
	parts []Part
	text  []byte // the instructions, with the bytes to insert
}

// A Part is a piece of an object that is made by a delta: bytes [At, At+Len) of
// it. Copied ones stand in the base at From; inserted ones have a negative From.
// Two parts that follow each other in the base as well are made one.
type Part struct{ At, From, Len int32 }

// inserted returns the bytes that p inserts.
func (d *delta) inserted(p Part) []byte { return d.text[^p.From:][:p.Len] }

// parse reads the two sizes that a delta begins with and its instructions, which must stay
// within the base and make an object of the size. It keeps data, and reuses the memory of
// d.parts.
func (d *delta) parse(data []byte, baseSize int) error {
	base, rest, ok1 := varint(data)
	size, rest, ok2 := varint(rest)
	if !ok1 || !ok2 {
		return damaged("delta has no sizes")
	}
	if base != int64(baseSize) {
		return damaged("delta for a base of %d bytes, which has %d", base, baseSize)
	}
	if max(size, base, int64(len(data))) > math.MaxInt32 { // git makes no deltas of files over core.bigFileThreshold
		return &TooLargeError{max(size, base), math.MaxInt32}
	}
	d.size, d.text = size, data
	made, ok := d.read(len(data)-len(rest), base)
	if !ok {
		return damaged("delta has an instruction that leads outside of its base")
	}
	if made != size {
		return damaged("delta makes %d bytes and not %d, as it says", made, size)
	}
	return nil
}

// read reads the instructions from text[at:] on and returns how many bytes they
// make. It is false if one is cut off, unknown, leads outside of the base or past
// the size.
func (d *delta) read(at int, baseSize int64) (made int64, ok bool) {
	parts, text := d.parts[:0], d.text
	last := Part{From: -1}
	for at < len(text) {
		c := text[at]
		at++
		from, size := int64(^at), int64(c)
		if c >= 0x80 {
			var n int
			from, size, n = copyOp(c, upTo8(text[at:]))
			if at += n; from+size > baseSize || at > len(text) {
				return 0, false
			}
			if last.From >= 0 && int64(last.From)+int64(last.Len) == from {
				made += size
				last.Len += int32(size)
				if made > d.size {
					return 0, false
				}
				continue
			}
		} else if at += int(c); c == 0 || at > len(text) {
			return 0, false
		}
		if last.Len > 0 {
			parts = append(parts, last)
		}
		last = Part{int32(made), int32(from), int32(size)}
		if made += size; made > d.size {
			return 0, false
		}
	}
	if last.Len > 0 {
		parts = append(parts, last)
	}
	d.parts = parts
	return made, true
}

// upTo8 returns the first eight bytes of b, with zeros for those that it lacks.
func upTo8(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var end [8]byte
	copy(end[:], b)
	return binary.LittleEndian.Uint64(end[:])
}

// copyOp reads the operands of the copy instruction c: up to four bytes of an offset and
// three of a size, each present if its bit of c is set. It returns the number of bytes
// read.
func copyOp(c byte, w uint64) (from, size int64, n int) {
	fromBits, sizeBits := c&15, c>>4&7
	k, m := fields[fromBits], fields[sizeBits]
	if k.gap || m.gap { // a byte is left out that is zero: one number in a hundred
		return copyOpWithGaps(c, w)
	}
	size = int64(w >> (8 * k.len) & m.mask)
	if size == 0 {
		size = 0x10000
	}
	return int64(w & k.mask), size, int(k.len + m.len)
}

// A field is a number whose bytes are present if their bits are set.
type field struct {
	mask uint64 // of its bytes, if the first are there
	len  uint8
	gap  bool // others are there
}

var fields = func() (list [16]field) {
	for i := range list {
		f := &list[i]
		f.len = uint8(bits.OnesCount(uint(i)))
		f.mask = 1<<(8*f.len) - 1
		f.gap = i&(i+1) != 0
	}
	return list
}()

func copyOpWithGaps(c byte, w uint64) (from, size int64, n int) {
	var args [7]int64
	for i := range args {
		if c>>i&1 != 0 {
			args[i] = int64(w >> (8 * n) & 0xff)
			n++
		}
	}
	from = args[0] | args[1]<<8 | args[2]<<16 | args[3]<<24
	size = args[4] | args[5]<<8 | args[6]<<16
	if size == 0 {
		size = 0x10000
	}
	return from, size, n
}

// apply makes the object from its base in dst, which has its size.
func (d *delta) apply(dst, base []byte) {
	for _, p := range d.parts {
		if p.From < 0 {
			copy(dst[p.At:], d.inserted(p))
		} else {
			copy(dst[p.At:][:p.Len], base[p.From:][:p.Len])
		}
	}
}

// appendFresh appends to dst the pieces of the object that may hold text that the base does
// not: the inserted bytes, and span bytes to each side of every place where two parts meet.
// Pieces are set apart by a newline. Any run of span bytes of the object lies within a piece,
// or within the base.
func (d *delta) appendFresh(dst, base []byte, span int) []byte {
	for _, p := range d.parts {
		if p.From < 0 {
			dst = append(dst, d.inserted(p)...)
			continue
		}
		text := base[p.From:][:p.Len]
		// A part at the beginning or the end of both the base and the object meets no other
		// part there.
		first := p.At == 0 && p.From == 0
		last := int64(p.At+p.Len) == d.size && int(p.From+p.Len) == len(base)
		switch {
		case first && last:
		case first:
			dst = append(dst, text[max(len(text)-span, 0):]...)
		case last:
			dst = append(dst, text[:min(span, len(text))]...)
		case len(text) <= 2*span:
			dst = append(dst, text...)
		default:
			dst = append(dst, text[:span]...)
			dst = append(dst, '\n')
			dst = append(dst, text[len(text)-span:]...)
		}
	}
	return dst
}

// appendFreshOf is appendFresh for an object that was put together: whole pieces of it are
// copied, of which there are fewer than parts.
func (d *delta) appendFreshOf(dst, data []byte, baseSize, span int) []byte {
	from := 0 // where the piece begins
	for _, p := range d.parts {
		if p.From < 0 || int(p.Len) <= span {
			continue
		}
		// Where the piece ends in p, and where the next one begins.
		to, next := int(p.At)+span, int(p.At+p.Len)-span
		if p.At == 0 && p.From == 0 {
			to = 0
		}
		if int64(p.At+p.Len) == d.size && int(p.From+p.Len) == baseSize {
			next = len(data)
		}
		if to >= next {
			continue
		}
		dst = append(dst, data[from:to]...)
		if to > 0 && next < len(data) {
			dst = append(dst, '\n')
		}
		from = next
	}
	return append(dst, data[from:]...)
}

// appendHead appends the first bytes of the object, as many as size at most.
func (d *delta) appendHead(dst, base []byte, size int) []byte {
	for _, p := range d.parts {
		if size == 0 {
			break
		}
		var piece []byte
		if p.From < 0 {
			piece = d.inserted(p)
		} else {
			piece = base[p.From:][:p.Len]
		}
		piece = piece[:min(size, len(piece))]
		dst = append(dst, piece...)
		size -= len(piece)
	}
	return dst
}

// varint reads a number of 7 bits a byte, the lowest first.
func varint(b []byte) (n int64, rest []byte, ok bool) {
	for i, c := range b {
		if i == 8 { // 56 bits: more than any file has
			break
		}
		n |= int64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}
