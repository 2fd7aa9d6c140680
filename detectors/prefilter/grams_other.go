//go:build !amd64

package prefilter

// probeAll looks at all stretches of 64 bytes in text. It sets a byte of hits for each: bit i
// says whether a pattern may hold the gram at offset 8*i.
func (g *gramIndex) probeAll(hits *[stretches]byte, text []byte) {
	for i := range len(text) / stretchLen {
		b := text[i*stretchLen : (i+1)*stretchLen : (i+1)*stretchLen]
		for k := range 8 {
			if g.mayHave(b[k*wordLen:]) {
				hits[i] |= 1 << k
			}
		}
	}
}
