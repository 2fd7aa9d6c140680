package inflate

import "encoding/binary"

const (
	adlerMod = 65521

	// adlerWords is how many words of 8 bytes can be added up in lanes of 16 bits:
	// the sums of sums reach 255*n*(n-1)/2 + 255*n.
	adlerWords = 22

	lanes16 = 0x00ff00ff00ff00ff
	lanes32 = 0x0000ffff0000ffff
)

// adler32 returns the Adler-32 checksum of p (RFC 1950, 8.2). It adds up 8 bytes
// at a time, 4 in each of two words, which is faster than hash/adler32.
func adler32(p []byte) uint32 {
	a, b := uint64(1), uint64(0)
	for len(p) >= 8 {
		n := min(len(p)/8, adlerWords)
		// The bytes at even and odd places have sums of their own: these, and the sums of
		// these before each word.
		var even, odd, evens, odds uint64
		q := p[:8*n]
		for len(q) >= 8 {
			v := binary.LittleEndian.Uint64(q)
			q = q[8:]
			evens += even
			odds += odd
			even += v & lanes16
			odd += v >> 8 & lanes16
		}
		// The first byte of a word counts 8 times in b, the last one once.
		b += 8*uint64(n)*a + 8*(weigh(evens, 1, 1, 1, 1)+weigh(odds, 1, 1, 1, 1)) +
			weigh(even, 8, 6, 4, 2) + weigh(odd, 7, 5, 3, 1)
		a += weigh(even, 1, 1, 1, 1) + weigh(odd, 1, 1, 1, 1)
		// Without this, b would still stay far below 1<<64, except for inputs of terabytes.
		if b >= 1<<62 {
			a, b = a%adlerMod, b%adlerMod
		}
		p = p[8*n:]
	}
	for _, c := range p {
		a += uint64(c)
		b += a
	}
	return uint32(b%adlerMod<<16 | a%adlerMod)
}

// weigh returns the sum of the four lanes of 16 bits, the lowest w0 times and so
// on. A product of lanes of 32 bits has the sum in its upper half.
func weigh(v, w0, w1, w2, w3 uint64) uint64 {
	return (v&lanes32*(w0<<32|w2) + v>>16&lanes32*(w1<<32|w3)) >> 32
}
