package prefilter

// probe looks at n stretches of 64 bytes of text, n > 0. It sets a byte of hits for each: bit i
// says whether a pattern may hold the gram at offset 8*i. Go has no instruction that makes a
// number of such bits, and a branch for each takes twice as long.
//
//go:noescape
func probe(bits *[bitWords]uint32, text *byte, n int, hits *byte)

// probeAll is probe for all stretches in text.
func (g *gramIndex) probeAll(hits *[stretches]byte, text []byte) {
	probe(&g.bits, &text[0], len(text)/stretchLen, &hits[0])
}
