package bytemasks

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// FuzzWalk holds that the walk with vector instructions finds the same places as that in plain
// Go, wherever the text begins in memory.
func FuzzWalk(f *testing.F) {
	for _, unit := range []string{"", "x", "aws = AKIA0123456789ABCDEF\n", "QUtJQTAxMjM0NTY3ODlBQkNERUY=", "A\x00K\x00I\x00A\x00", "\xff\x7f", strings.Repeat("a/%", 30) + " "} {
		for _, size := range []int{1, 63, 64, 65, 200, chunkLen, chunkLen + 1, 3 * chunkLen} {
			f.Add(bytes.Repeat([]byte(unit), size/max(1, len(unit))+1), uint8(size))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, shift uint8) {
		text = append(make([]byte, shift%64), text...)[shift%64:]
		compare(t, text)
	})
}

func compare(t *testing.T, text []byte) {
	t.Helper()
	got, want := places(New(), text), places(Plain(), text)
	if !slices.Equal(got, want) {
		t.Fatalf("%q: with vectors %+v, without %+v", text, got, want)
	}
	runs := slices.DeleteFunc(got, func(p any) bool { _, ok := p.(Run); return !ok })
	if want := runsOf(text); !slices.Equal(runs, want) {
		t.Fatalf("%q: runs %+v, want %+v", text, runs, want)
	}
}

// runsOf returns the runs of text, found byte by byte.
func runsOf(text []byte) (list []any) {
	for at := 0; at < len(text); at++ {
		r := Run{From: at}
		for at < len(text) && isIn(run, text[at]) {
			at++
		}
		if r.To = at; r.To-r.From < LeastRun {
			continue
		}
		for i, c := range text[r.From:r.To] {
			switch {
			case !r.IsShort():
			case !isIn(word, c):
				r.Punct |= 1 << i
			case !isIn(upper, c):
				r.Small |= 1 << i
			}
		}
		list = append(list, r)
	}
	return list
}

// places returns the chunks, the blocks and the runs of text, in order.
func places(k Walker, text []byte) (list []any) {
	var w Walk
	for k.Begin(&w, text); w.NextChunk(); {
		list = append(list, w.From, w.To, w.Zeros)
		for b, ok := w.NextBlock(); ok; b, ok = w.NextBlock() {
			list = append(list, b)
		}
		for r, ok := w.NextRun(); ok; r, ok = w.NextRun() {
			list = append(list, r)
		}
	}
	return list
}

// TestWalk is FuzzWalk for random texts of bytes in few classes, in which runs are long.
func TestWalk(t *testing.T) {
	if !hasVector() {
		t.Skip("this processor has no vector instructions that are used")
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		text := make([]byte, r.IntN(2*chunkLen))
		for at := 0; at < len(text); {
			class, n := r.IntN(classes+1), 1+r.IntN(90)
			for ; n > 0 && at < len(text); n-- {
				c := byte(r.UintN(256))
				for class < classes && classBits[c]>>(16*class)&1 == 0 {
					c = byte(r.UintN(256))
				}
				text[at], at = c, at+1
			}
		}
		compare(t, text)
	}
}

// TestClasses compares the classes with their descriptions.
func TestClasses(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	digits := "0123456789" + strings.ToUpper(letters)
	for class, set := range map[int]string{upper: digits, word: digits + letters, sextet: "IJKLMNOPQRSTUVWXYZ[\\]^_`abcdef", run: digits + letters + `+/-_\%&#;`} {
		for c := range classBits {
			if got, want := classBits[c]>>(16*class)&1 == 1, strings.IndexByte(set, byte(c)) >= 0; got != want {
				t.Errorf("%q in class %d: %v", byte(c), class, got)
			}
		}
	}
}
