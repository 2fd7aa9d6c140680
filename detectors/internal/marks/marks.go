// Package marks finds out which of some strings a text holds, in one pass.
package marks

import "encoding/binary"

// A Set is a set of strings. One bytes.Index for each would read a text as often as there
// are strings.
//
// It reads the three bytes, the gram, at every second offset of a text. If a string is
// there, one of its first two grams is at such an offset. A bitmap says whether any string
// has the gram.
type Set struct {
	marks []string
	grams []gram
	bits  [1 << bitmapBits / 64]uint64
}

// A gram is three bytes of a mark, at the offset 0 or 1.
type gram struct {
	value    uint32
	mark, at int
}

const (
	minMark    = 4
	bitmapBits = 16
	unrolled   = 4
)

// New returns the set of marks: at most 64, of four bytes or more each.
func New(marks ...string) *Set {
	s := &Set{marks: marks}
	for n, mark := range marks {
		for at := range minMark - 2 {
			g := gram{uint32(mark[at]) | uint32(mark[at+1])<<8 | uint32(mark[at+2])<<16, n, at}
			s.grams = append(s.grams, g)
			h := hash(g.value)
			s.bits[h/64] |= 1 << (h % 64)
		}
	}
	return s
}

// hash multiplies by a number near 2^32 divided by the golden ratio (Knuth, The Art of
// Computer Programming 3, 6.4). It does not see the fourth byte of gram.
func hash(gram uint32) uint32 { return (gram << 8) * 0x9e3779b1 >> (32 - bitmapBits) }

// In returns the marks that text holds.
func (s *Set) In(text []byte) Found {
	f := Found{set: s}
	i := 0
	for ; i+2*unrolled+2 <= len(text); i += 2 * unrolled {
		b := text[i : i+2*unrolled+2 : i+2*unrolled+2]
		if s.mayBegin(b) || s.mayBegin(b[2:]) || s.mayBegin(b[4:]) || s.mayBegin(b[6:]) {
			for k := range unrolled {
				f.lookAt(text, i+2*k)
			}
		}
	}
	for ; i+minMark-1 <= len(text); i += 2 {
		f.lookAt(text, i)
	}
	return f
}

// mayBegin reports whether the bitmap has the gram at the beginning of b.
func (s *Set) mayBegin(b []byte) bool {
	h := hash(binary.LittleEndian.Uint32(b))
	return s.bits[h/64]&(1<<(h%64)) != 0
}

// Found are the marks that a text holds.
type Found struct {
	set  *Set
	bits uint64
}

// lookAt adds the marks of which the gram at i of text is one.
func (f *Found) lookAt(text []byte, i int) {
	value := uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16
	if h := hash(value); f.set.bits[h/64]&(1<<(h%64)) == 0 {
		return
	}
	for _, g := range f.set.grams {
		if g.value != value || i < g.at {
			continue
		}
		if mark, rest := f.set.marks[g.mark], text[i-g.at:]; len(rest) >= len(mark) && string(rest[:len(mark)]) == mark {
			f.bits |= 1 << g.mark
		}
	}
}

// And returns the marks of f and of g, which are of one set.
func (f Found) And(g Found) Found { return Found{f.set, f.bits | g.bits} }

// None reports whether the text holds no mark at all.
func (f Found) None() bool { return f.bits == 0 }

// Any reports whether the text holds one of marks, each of which is in the set.
func (f Found) Any(marks ...string) bool {
	for n, m := range f.set.marks {
		if f.bits&(1<<n) == 0 {
			continue
		}
		for _, mark := range marks {
			if m == mark {
				return true
			}
		}
	}
	return false
}
