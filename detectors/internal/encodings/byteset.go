package encodings

// A ByteSet is a set of bytes. Looking one up is a single load.
type ByteSet [256]bool

// NewByteSet returns the set of the bytes in members and, if in is not nil, the bytes for
// which in is true.
func NewByteSet(members string, in func(c byte) bool) (set ByteSet) {
	for c := range set {
		set[c] = in != nil && in(byte(c))
	}
	for _, c := range []byte(members) {
		set[c] = true
	}
	return set
}

// NextRun returns the first run of at least n bytes of set in text[from:], or an empty
// range. The caller must not start within a run. NextRun looks at the last of n bytes
// first, so it skips most of the text unread.
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

// RunEnd returns where the run of bytes of set that begins at i ends.
func RunEnd(text []byte, i int, set *ByteSet) int {
	for i < len(text) && set[text[i]] {
		i++
	}
	return i
}

// IsText reports whether at most one byte in sixteen of b is not printable. Text in
// another alphabet and a stray control character pass.
func IsText(b []byte) bool {
	odd := 0
	for _, c := range b {
		if !Printable[c] {
			odd++
		}
	}
	return odd*16 <= len(b)
}

// Printable holds printable ASCII and the usual white space.
var Printable = NewByteSet("\n\r\t", func(c byte) bool { return ' ' <= c && c <= '~' })
