package bytemasks

import (
	"math/rand/v2"
	"testing"
)

// TestKernels holds that each kernel makes the masks that Go makes: a walk takes only the
// widest one that the processor has.
func TestKernels(t *testing.T) {
	kernels := map[string]func(m *masks, text []byte) bool{}
	if hasVector() {
		kernels["AVX2"] = func(m *masks, text []byte) bool {
			return classifyBlocks(&m[0][8], &text[0], len(text)/blockLen, &nibbles)
		}
	}
	if hasWide() {
		kernels["AVX-512"] = func(m *masks, text []byte) bool {
			return classifyWide(&m[0][8], &text[0], len(text)/blockLen, &classSets)
		}
	}
	if len(kernels) == 0 {
		t.Skip("this processor has neither AVX2 nor AVX-512")
	}
	r := rand.New(rand.NewPCG(1, 6))
	for range 2000 {
		text := make([]byte, blockLen*(1+r.IntN(blocks-1)))
		least := r.IntN(2)
		for i := range text {
			text[i] = byte(least + r.IntN(256-least))
		}
		var want masks
		zeros := classify(&want, 1, text, len(text)/blockLen)
		for name, kernel := range kernels {
			var got masks
			if kernel(&got, text) != zeros || got != want {
				t.Fatalf("%s differs for %q", name, text)
			}
		}
	}
}
