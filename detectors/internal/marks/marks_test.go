package marks

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestIn compares a Set with a search for each mark, on texts of few letters, in which marks
// overlap.
func TestIn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abc"[r.IntN(3)]
		}
		return string(b)
	}
	for range 2000 {
		list := make([]string, 1+r.IntN(12))
		for i := range list {
			list[i] = word(minMark + r.IntN(3))
		}
		text := []byte(word(r.IntN(40)))
		found := New(list...).In(text)
		for _, mark := range list {
			if got, want := found.Any(mark), bytes.Contains(text, []byte(mark)); got != want {
				t.Errorf("marks %q in %q: %q found %v, want %v", list, text, mark, got, want)
			}
		}
	}
}

func BenchmarkIn(b *testing.B) {
	s := New("ABSK", "bedrock-api-key-", "-at-", "Signature=", "k8s-aws-v1.", "da2-", "amzn.mws.", "APKA", "smtp", "SMTP", "Smtp", "AKIA")
	text := bytes.Repeat([]byte("    \"path\": \"tests/data/samples.json\", \"line_num\": 12, \"value\": \"wJalr\",\n"), 10000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.In(text)
	}
}
