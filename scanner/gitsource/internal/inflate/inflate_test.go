package inflate

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	stdadler32 "hash/adler32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A bitWriter writes deflate streams that no compressor would.
type bitWriter struct {
	b []byte
	n uint
}

// bits writes the lowest n bits of v, lowest first.
func (w *bitWriter) bits(v, n uint) *bitWriter {
	for i := range n {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v >> i & 1 << (w.n % 8))
		w.n++
	}
	return w
}

// code writes a Huffman code of n bits: highest first.
func (w *bitWriter) code(v, n uint) *bitWriter {
	for i := range n {
		w.bits(v>>(n-1-i)&1, 1)
	}
	return w
}

// fixed writes symbols of the fixed code (RFC 1951, 3.2.6).
func (w *bitWriter) fixed(symbols ...uint) *bitWriter {
	for _, s := range symbols {
		switch {
		case s < 144:
			w.code(0x30+s, 8)
		case s < 256:
			w.code(0x190+s-144, 9)
		case s < 280:
			w.code(s-256, 7)
		default:
			w.code(0xc0+s-280, 8)
		}
	}
	return w
}

// dynamic writes the head of a dynamic block whose code lengths are lits and
// dists, each length in four bits: a precode of 0 to 15.
func (w *bitWriter) dynamic(lits, dists []uint) *bitWriter {
	w.bits(1, 1).bits(2, 2).bits(uint(len(lits)-257), 5).bits(uint(len(dists)-1), 5).bits(19-4, 4)
	for _, sym := range preOrder {
		if sym < 16 {
			w.bits(4, 3)
		} else {
			w.bits(0, 3)
		}
	}
	for _, n := range slices.Concat(lits, dists) {
		w.code(n, 4)
	}
	return w
}

// zlib returns what was written as a zlib stream of content.
func (w *bitWriter) zlib(content string) []byte {
	b := append([]byte{0x78, 0x9c}, w.b...)
	return binary.BigEndian.AppendUint32(b, stdadler32.Checksum([]byte(content)))
}

func write() *bitWriter { return new(bitWriter) }

// final begins a last block of fixed codes.
func final() *bitWriter { return write().bits(1, 1).bits(1, 2) }

// lengths returns n code lengths, of which some are not 0.
func lengths(n int, some map[int]uint) []uint {
	l := make([]uint, n)
	for i, v := range some {
		l[i] = v
	}
	return l
}

func raw(s string) []byte { return []byte(s) }

func TestStreams(t *testing.T) {
	stored := "\x78\x9c\x01\x03\x00\xfc\xffabc"
	sum := "\x02\x4d\x01\x27"
	// All of a deep code: lengths 1 to 15, 15.
	deep := map[int]uint{256: 15, 285: 15}
	for i := range 14 {
		deep['a'+i] = uint(i + 1)
	}
	for _, c := range []struct {
		name string
		src  []byte
		want string // what there is room for
		err  error
	}{
		{"empty", final().fixed(256).zlib(""), "", nil},
		{"stored", raw(stored + sum), "abc", nil},
		{"stored of no length", raw("\x78\x9c\x01\x00\x00\xff\xff\x00\x00\x00\x01"), "", nil},
		{"literals", final().fixed('a', 'b', 200, 256).zlib("ab\xc8"), "ab\xc8", nil},
		{"run", final().fixed('a', 285).code(0, 5).fixed(256).zlib(strings.Repeat("a", 259)), strings.Repeat("a", 259), nil},
		{"length of 258 in 284", final().fixed('a', 284).bits(31, 5).code(0, 5).fixed(256).zlib(strings.Repeat("a", 259)), strings.Repeat("a", 259), nil},
		{"repeat", final().fixed('a', 'b', 'c', 262).code(2, 5).fixed(256).zlib("abcabcabcab"), "abcabcabcab", nil},
		{"deep", write().dynamic(lengths(286, deep), lengths(1, nil)).code(0, 1).code(0x1ffe, 13).code(0x7ffe, 15).zlib("am"), "am", nil},
		{"no distances, none used", write().dynamic(lengths(257, map[int]uint{'a': 1, 256: 1}), lengths(1, nil)).code(0, 1).code(1, 1).zlib("a"), "a", nil},
		{"one distance", write().dynamic(lengths(258, map[int]uint{'a': 1, 256: 2, 257: 2}), lengths(1, map[int]uint{0: 1})).code(0, 1).code(3, 2).code(0, 1).code(2, 2).zlib("aaaa"), "aaaa", nil},
		{"only the end of block", write().dynamic(lengths(257, map[int]uint{256: 1}), lengths(1, nil)).code(0, 1).zlib(""), "", nil},

		{"nothing", nil, "", ErrTruncated},
		{"half a header", raw("\x78"), "", ErrTruncated},
		{"header only", raw("\x78\x9c"), "", ErrTruncated},
		{"method", raw("\x77\x9c" + stored[2:] + sum), "abc", ErrCorrupt},
		{"window", raw("\x88\x1c" + stored[2:] + sum), "abc", ErrCorrupt},
		{"check of header", raw("\x78\x9d" + stored[2:] + sum), "abc", ErrCorrupt},
		{"preset dictionary", raw("\x78\xbb" + stored[2:] + sum), "abc", ErrCorrupt},
		{"type 3", write().bits(1, 1).bits(3, 2).zlib(""), "", ErrCorrupt},
		{"stored length", raw("\x78\x9c\x01\x03\x00\xfd\xffabc" + sum), "abc", ErrCorrupt},
		{"stored ends", raw(stored[:9]), "abc", ErrTruncated},
		{"stored length ends", raw(stored[:5]), "abc", ErrTruncated},
		{"no checksum", raw(stored), "abc", ErrTruncated},
		{"half a checksum", raw(stored + sum[:3]), "abc", ErrTruncated},
		{"checksum", raw(stored + "\x02\x4d\x01\x28"), "abc", ErrChecksum},
		{"longer, stored", raw(stored + sum), "ab", ErrSize},
		{"longer, literal", final().fixed('a', 'b', 256).zlib("ab"), "a", ErrSize},
		{"longer, match", final().fixed('a', 285).code(0, 5).fixed(256).zlib(""), strings.Repeat("a", 258), ErrSize},
		{"shorter", raw(stored + sum), "abc\x00", ErrSize},
		{"ends in a code", append(raw("\x78\x9c"), final().fixed('a', 'a').b...), "aaa", ErrTruncated},
		{"length 286", final().fixed('a', 286).code(0, 5).fixed(256).zlib("a"), "a", ErrCorrupt},
		{"distance 30", final().fixed('a', 257).code(30, 5).fixed(256).zlib("a"), "aaaa", ErrCorrupt},
		{"too far back", final().fixed('a', 257).code(1, 5).fixed(256).zlib("a"), "aaaa", ErrCorrupt},
		{"too far back at once", final().fixed(257).code(0, 5).fixed(256).zlib("a"), "aaa", ErrCorrupt},
		{"HLIT", write().dynamic(lengths(287, nil), lengths(1, nil)).zlib(""), "", ErrCorrupt},
		{"HDIST", write().dynamic(lengths(257, map[int]uint{256: 1}), lengths(31, nil)).zlib(""), "", ErrCorrupt},
		{"over-subscribed", write().dynamic(lengths(257, map[int]uint{1: 1, 2: 1, 256: 1}), lengths(1, nil)).zlib(""), "", ErrCorrupt},
		{"under-subscribed", write().dynamic(lengths(257, map[int]uint{1: 2, 256: 1}), lengths(1, nil)).zlib(""), "", ErrCorrupt},
		{"single code of two bits", write().dynamic(lengths(257, map[int]uint{256: 2}), lengths(1, nil)).zlib(""), "", ErrCorrupt},
		{"no code at all", write().dynamic(lengths(257, nil), lengths(1, nil)).zlib(""), "", ErrCorrupt},
		{"over-subscribed distances", write().dynamic(lengths(257, map[int]uint{256: 1}), lengths(3, map[int]uint{0: 1, 1: 1, 2: 1})).code(0, 1).zlib(""), "", ErrCorrupt},
		{"under-subscribed distances", write().dynamic(lengths(257, map[int]uint{256: 1}), lengths(3, map[int]uint{0: 1, 1: 2})).code(0, 1).zlib(""), "", ErrCorrupt},
		{"the other one of one distance", write().dynamic(lengths(258, map[int]uint{'a': 1, 256: 2, 257: 2}), lengths(1, map[int]uint{0: 1})).code(0, 1).code(3, 2).code(1, 1).code(2, 2).zlib("aaaa"), "aaaa", ErrCorrupt},
		{"no distances, one used", write().dynamic(lengths(258, map[int]uint{'a': 1, 256: 2, 257: 2}), lengths(1, nil)).code(0, 1).code(3, 2).code(0, 1).code(2, 2).zlib("aaaa"), "aaaa", ErrCorrupt},
		{"no precode", write().bits(1, 1).bits(2, 2).bits(0, 14).bits(0, 60).zlib(""), "", ErrCorrupt},
		{"over-subscribed precode", write().bits(1, 1).bits(2, 2).bits(0, 14).bits(01111, 12).zlib("0123456789"), "", ErrCorrupt},
		{"repeat of nothing", write().bits(1, 1).bits(2, 2).bits(0, 14).bits(0011, 12).bits(0, 60).zlib(""), "", ErrCorrupt},
		{"repeat beyond the end", write().bits(1, 1).bits(2, 2).bits(0, 14).bits(0110, 12).code(1, 1).bits(127, 7).code(1, 1).bits(127, 7).zlib("0123456789"), "", ErrCorrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decoder{Verify: true}
			dst := make([]byte, len(c.want))
			// With more input behind it, the fast way; without, the padded one.
			for _, behind := range []int{0, 1, 64} {
				if errors.Is(c.err, ErrTruncated) && behind > 0 {
					break
				}
				src := append(slices.Clone(c.src), make([]byte, behind)...)
				n, err := d.Zlib(dst, src)
				if !errors.Is(err, c.err) {
					t.Fatalf("with %d bytes behind: error %v, want %v", behind, err, c.err)
				}
				if c.err == nil && (n != len(c.src) || string(dst) != c.want) {
					t.Errorf("with %d bytes behind: %q of %d bytes, want %q of %d", behind, dst, n, c.want, len(c.src))
				}
				if d.in.src != nil || d.in.whole != nil {
					t.Error("the decoder retains its input")
				}
			}
			if want, n, err := standard(c.src); (err == nil && len(want) == len(dst)) != (c.err == nil) {
				t.Errorf("compress/zlib: %d bytes of %d, %v", len(want), n, err)
			}
		})
	}
}

// standard inflates with compress/zlib, and returns how much of src it took.
func standard(src []byte) (out []byte, n int, err error) {
	r := bytes.NewReader(src)
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, 0, err
	}
	out, err = io.ReadAll(z)
	return out, len(src) - r.Len(), err
}

// samples are contents that differ in what a compressor makes of them.
func samples() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func(n, symbols int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.IntN(symbols))
		}
		return b
	}
	text := func(n int) (b []byte) {
		words := strings.Fields("func return the package main import if err != nil { } string of int := range for a b c")
		for len(b) < n {
			b = append(append(b, words[rnd.IntN(len(words))]...), " \n"[rnd.IntN(2)])
		}
		return b
	}
	skewed := make([]byte, 200_000) // codes of all lengths, up to 15
	for i := range skewed {
		skewed[i] = byte(min(rnd.ExpFloat64()*20, 255))
	}
	s := map[string][]byte{
		"skewed":       skewed,
		"far":          slices.Concat(random(32768, 256), random(300, 2), random(32768, 256)),
		"zeros":        make([]byte, 100_000),
		"random large": random(150_000, 256), // stored blocks of 64 KiB
		"text large":   text(300_000),
	}
	window := random(32768, 256)
	s["window"] = slices.Concat(window, window)
	for n := range 40 {
		s[fmt.Sprint("random ", n)] = random(n, 256)
		s[fmt.Sprint("bits ", n*7)] = random(n*7, 2)
		s[fmt.Sprint("text ", n*40)] = text(n * 40)
		s[fmt.Sprint("period ", n)] = bytes.Repeat(random(n, 256), 60)
		s[fmt.Sprint("run ", n)] = bytes.Repeat([]byte{'x'}, n)
	}
	return s
}

// deflate compresses p at a level of compress/flate, with a new block each step
// bytes.
func deflate(tb testing.TB, p []byte, level, step int) []byte {
	tb.Helper()
	w, err := zlib.NewWriterLevel(nil, level)
	if err != nil {
		tb.Fatal(err)
	}
	return deflateWith(w, p, step)
}

// deflateWith compresses as deflate does, with a writer that was used before: a new one
// allocates up to a MB.
func deflateWith(w *zlib.Writer, p []byte, step int) []byte {
	var b bytes.Buffer
	w.Reset(&b)
	for part := range slices.Chunk(p, step) {
		if b.Len() > 0 {
			w.Flush()
		}
		w.Write(part)
	}
	w.Close() // a Buffer takes all
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	d := Decoder{Verify: true}
	all := samples()
	for level := zlib.HuffmanOnly; level <= zlib.BestCompression; level++ {
		w, err := zlib.NewWriterLevel(nil, level)
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range all {
			for _, step := range []int{1 << 30, 700} {
				z := deflateWith(w, p, step)
				for _, behind := range []int{0, 3, 40} {
					src := append(slices.Clone(z), bytes.Repeat([]byte{0xa5}, behind)...)
					dst := make([]byte, len(p), len(p)+32)
					guard := dst[len(p):cap(dst)]
					n, err := d.Zlib(dst, src)
					if err != nil || n != len(z) || !bytes.Equal(dst, p) {
						t.Fatalf("%s, level %d, %d behind: %d of %d, %v", name, level, behind, n, len(z), err)
					}
					if !bytes.Equal(guard, make([]byte, len(guard))) {
						t.Fatalf("%s, level %d: wrote behind dst", name, level)
					}
				}
			}
		}
	}
}

// TestCut ends streams early and cuts room, at each place.
func TestCut(t *testing.T) {
	var d Decoder
	for _, name := range []string{"random 33", "text 1200", "period 3", "bits 140"} {
		p := samples()[name]
		z := deflate(t, p, 6, 1<<30)
		dst := make([]byte, len(p))
		for i := range z {
			if _, err := d.Zlib(dst, z[:i]); !errors.Is(err, ErrTruncated) {
				t.Fatalf("%s: %d of %d bytes: %v", name, i, len(z), err)
			}
		}
		for i := range p {
			if _, err := d.Zlib(dst[:i], z); !errors.Is(err, ErrSize) {
				t.Fatalf("%s: room for %d of %d bytes: %v", name, i, len(p), err)
			}
			clear(dst)
			n, err := d.Head(dst[:i], z)
			if err != nil || n != i || !bytes.Equal(dst[:i], p[:i]) || dst[i] != 0 {
				t.Fatalf("%s: first %d bytes: %d, %v", name, i, n, err)
			}
		}
		long := make([]byte, len(p)+9)
		if _, err := d.Zlib(long, z); !errors.Is(err, ErrSize) {
			t.Fatalf("%s: too much room: %v", name, err)
		}
		if n, err := d.Head(long, z); err != nil || n != len(p) || !bytes.Equal(long[:n], p) {
			t.Fatalf("%s: head of more than all: %d, %v", name, n, err)
		}
	}
}

func TestAdler32(t *testing.T) {
	for _, p := range [][]byte{bytes.Repeat([]byte{255}, 70_000), samples()["skewed"][:70_000]} {
		for n := 0; n < len(p); n += 1 + n/50 {
			if got, want := adler32(p[:n]), stdadler32.Checksum(p[:n]); got != want {
				t.Fatalf("%d bytes: %#x, want %#x", n, got, want)
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	var d Decoder
	p := samples()["text 1200"]
	z := deflate(t, p, 6, 1<<30)
	if n := testing.AllocsPerRun(10, func() { d.Zlib(p, z) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
