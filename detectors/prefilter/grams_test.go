package prefilter

import (
	"math/rand/v2"
	"testing"
)

// TestProbes holds that the probes of a text are those of its grams, one by one.
func TestProbes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	g := newGramIndex([]string{"bedrock-api-key-", "amzn.mws.##"})
	for i := range g.bits {
		g.bits[i] |= r.Uint32() & r.Uint32()
	}
	for range 1000 {
		text := make([]byte, stretchLen*(1+r.IntN(stretches)))
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		var hits [stretches]byte
		g.probeAll(&hits, text)
		for at := 0; at < len(text); at += wordLen {
			if got := hits[at/stretchLen]>>(at%stretchLen/wordLen)&1 == 1; got != g.mayHave(text[at:]) {
				t.Fatalf("the gram at %d of %q: %v", at, text, got)
			}
		}
	}
}

// TestPatternsAnywhere holds that a pattern is found at each offset of texts of each length.
func TestPatternsAnywhere(t *testing.T) {
	g := newGramIndex([]string{"bedrock-api-key-", "amzn.mws.##"})
	for size := 0; size < 3*stretchLen; size += 5 {
		for at := range size {
			text := make([]byte, size, size+20)
			text = append(text[:at], append([]byte("amzn.mws.0f"), text[at:]...)...)
			if !g.findFrom(text, 0, len(text)) {
				t.Fatalf("the pattern at %d of %d bytes is not found", at, len(text))
			}
			text[at+3]++
			if g.findFrom(text, 0, len(text)) {
				t.Fatalf("a pattern is found in %q", text)
			}
		}
	}
}
