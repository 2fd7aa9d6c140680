package wordsearch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFind compares a Finder with a search for each word alone.
func TestFind(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(chars string, size int) string {
		b := make([]byte, size)
		for i := range b {
			b[i] = chars[r.IntN(len(chars))]
		}
		return string(b)
	}
	for round := range 300 {
		var w Finder
		var words []string
		for range 1 + r.IntN(20) {
			word := random("abz0_.\x00é", 1+r.IntN(6))
			if id := w.Add(word); id == len(words) {
				words = append(words, word)
			} else if words[id] != word {
				t.Fatalf("%q has the number of %q", word, words[id])
			}
		}
		text := random("abzABZ0_.@ \x00\x1fé", r.IntN(300))
		var want, got []string
		for at := range len(text) {
			for _, word := range words {
				if rest := text[at:]; len(rest) >= len(word) && lower(rest[:len(word)]) == word {
					want = append(want, fmt.Sprint(at, word))
				}
			}
		}
		w.Find([]byte(text), func(at, id int) bool {
			got = append(got, fmt.Sprint(at, words[id]))
			return true
		})
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: %q in %q: %q, want %q", round, words, text, got, want)
		}
	}
}

func lower(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = Lower(b[i])
	}
	return string(b)
}
