package encodings

// ByteSet is a set of bytes, to look one up in.
type ByteSet [256]bool

func NewByteSet(ranges string, in func(c byte) bool) (set ByteSet) {
	for c := range set {
		set[c] = in != nil && in(byte(c))
	}
	for _, c := range []byte(ranges) {
		set[c] = true
	}
	return set
}

// NextRun returns the first run of n bytes of set or more in text[from:], which
// does not begin within one, and an empty range if there is none. It looks at the
// last byte of n first, so that it reads only some of the others.
func NextRun(text []byte, from, n int, set *ByteSet) (start, end int) {
	for from+n <= len(text) {
		i := from + n - 1
		for i >= from && set[text[i]] {
			i--
		}
		if i >= from {
			from = i + 1
			continue
		}
		return from, RunEnd(text, from+n, set)
	}
	return len(text), len(text)
}

// RunEnd returns the end of the bytes of set that begin at i.
func RunEnd(text []byte, i int, set *ByteSet) int {
	for i < len(text) && set[text[i]] {
		i++
	}
	return i
}

// IsText reports whether b is printable, but for one byte in sixteen: text in
// other alphabets, a stray control character.
func IsText(b []byte) bool {
	odd := 0
	for _, c := range b {
		if !Printable[c] {
			odd++
		}
	}
	return odd*16 <= len(b)
}

var Printable = NewByteSet("\n\r\t", func(c byte) bool { return ' ' <= c && c <= '~' })
