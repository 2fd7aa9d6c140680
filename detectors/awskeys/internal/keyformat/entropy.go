package keyformat

import "math"

// Entropy returns the Shannon entropy of the bytes of s, in bits per byte. s must not be empty.
func Entropy(s []byte) float64 {
	var counts [256]int32
	for _, c := range s {
		counts[c]++
	}
	sum, n := 0.0, float64(len(s))
	for _, c := range s {
		if k := counts[c]; k > 1 { // that of one is zero
			sum += float64(k) * math.Log2(float64(k))
			counts[c] = 0
		}
	}
	return math.Log2(n) - sum/n
}
