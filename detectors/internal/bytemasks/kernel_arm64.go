package bytemasks

// hasVector is true: each processor for arm64 has NEON, the instructions for 16 bytes at once.
func hasVector() bool { return true }

// classifyVector is classify.
func classifyVector(m *masks, first int, text []byte, n int) bool {
	return classifyBlocks(&m[0][8*first], &text[0], n, &classPairs)
}

// classifyBlocks sets the masks at m, of which each class has row bytes.
//
//go:noescape
func classifyBlocks(m *byte, text *byte, n int, t *[128]byte) bool

// findVector is find. A vector holds two masks only, so NEON would find nothing sooner.
func findVector(m *masks, n int, f *findings) { find(m, n, f) }

// classPairs maps each byte of ASCII to its classes. Each class has a pair of bits, of which
// the upper one is set if the byte is in it; the first class has the top pair.
var classPairs = func() (set [128]byte) {
	for c := range set {
		for class := range classes {
			if isIn(class, byte(c)) {
				set[c] |= 0x80 >> (2 * class)
			}
		}
	}
	return set
}()
