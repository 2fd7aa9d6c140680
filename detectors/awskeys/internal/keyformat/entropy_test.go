package keyformat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestEntropy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		s := make([]byte, 1+r.IntN(50))
		n := 1 + r.IntN(64)
		for i := range s {
			s[i] = byte(r.IntN(n))
		}
		if got, want := Entropy(s), plainEntropy(s); math.Abs(got-want) > 1e-12 {
			t.Fatalf("Entropy(%v) = %v, want %v", s, got, want)
		}
	}
}

// plainEntropy is Shannon's formula as it is written.
func plainEntropy(s []byte) (h float64) {
	counts := map[byte]float64{}
	for _, c := range s {
		counts[c]++
	}
	for _, k := range counts {
		p := k / float64(len(s))
		h -= p * math.Log2(p)
	}
	return h
}
