package pack

import "math/bits"

// buffers keeps memory for objects to come, by powers of two.
type buffers struct {
	free [64][][]byte
	kept int
}

// maxKept is how much a walker keeps for later. The garbage collector gets the rest: one large
// object must not stay for the rest of the walk.
const maxKept = 8 << 20

// get returns a buffer of the size.
func (b *buffers) get(size int64) []byte {
	class := bits.Len64(uint64(max(size, 64) - 1))
	if list := b.free[class]; len(list) > 0 {
		data := list[len(list)-1]
		b.free[class] = list[:len(list)-1]
		b.kept -= cap(data)
		return data[:size]
	}
	return make([]byte, size, 1<<class)
}

// put gives a buffer back. The largest ones make room for it: the next trees are most likely
// of the size of this one.
func (b *buffers) put(data []byte) {
	if cap(data) < 64 || cap(data) > maxKept {
		return
	}
	for class := len(b.free) - 1; b.kept+cap(data) > maxKept; class-- {
		b.kept -= len(b.free[class]) << class
		b.free[class] = nil
	}
	class := bits.Len64(uint64(cap(data) - 1))
	b.free[class] = append(b.free[class], data[:0])
	b.kept += cap(data)
}
