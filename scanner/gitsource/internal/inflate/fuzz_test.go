package inflate

import (
	"bytes"
	"compress/zlib"
	"errors"
	"slices"
	"testing"
)

// FuzzStreams holds the decoder against compress/zlib on any input: both accept,
// with the same bytes and the same consumed length, or both refuse. The one
// difference: compress/zlib takes a stream with a preset dictionary for one with
// an empty one if its checksum is that of nothing.
func FuzzStreams(f *testing.F) {
	for _, name := range []string{"random 33", "text 1200", "text 200", "period 3", "bits 140", "run 39"} {
		p := samples()[name]
		for _, level := range []int{zlib.HuffmanOnly, zlib.NoCompression, zlib.BestCompression} {
			f.Add(deflate(f, p, level, 1<<30), uint16(len(p)))
			f.Add(deflate(f, p, level, 50)[:60], uint16(len(p)))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, room uint16) {
		if len(src) > 1 && src[1]&0x20 != 0 {
			t.Skip("preset dictionary")
		}
		check(t, src, int(room))
		if len(src) > 2 { // most mutations fail in the header otherwise
			src[0], src[1] = 0x78, 0x9c
			check(t, src, int(room))
		}
	})
}

// check compares a decoder with compress/zlib on src, for the size that
// compress/zlib finds, and for room.
func check(t *testing.T, src []byte, room int) {
	t.Helper()
	want, wantN, wantErr := standard(src)
	if len(want) > 1<<24 {
		t.Skip("large")
	}
	d := Decoder{Verify: true}
	dst := make([]byte, len(want))
	n, err := d.Zlib(dst, src)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("error %v, compress/zlib %v", err, wantErr)
	}
	if err == nil && (n != wantN || !bytes.Equal(dst, want)) {
		t.Fatalf("%d bytes, compress/zlib %d, or other content", n, wantN)
	}
	if err == nil {
		// More input behind the stream, whatever it is, changes nothing.
		m, err := d.Zlib(dst, append(slices.Clone(src), src...))
		if err != nil || m != n || !bytes.Equal(dst, want) {
			t.Fatalf("with more behind it: %d bytes instead of %d, %v", m, n, err)
		}
	}
	if _, err := d.Zlib(make([]byte, room), src); err == nil && (wantErr != nil || room != len(want)) {
		t.Fatalf("accepts %d bytes instead of %d", room, len(want))
	}

	// As many bytes as compress/zlib gives out before it fails, Head gives too.
	head := make([]byte, room)
	n, err = d.Head(head, src)
	if n > len(head) || !bytes.Equal(head[:min(n, len(want))], want[:min(n, len(want))]) {
		t.Fatalf("head of %d bytes differs", n)
	}
	if err == nil && n < min(room, len(want)) || err == nil && n < room && wantErr != nil && !errors.Is(wantErr, zlib.ErrChecksum) && len(src) > wantN {
		t.Fatalf("head of %d bytes, room for %d, of %d: compress/zlib %v", n, room, len(want), wantErr)
	}
}

// FuzzContent has contents go there and back.
func FuzzContent(f *testing.F) {
	f.Add([]byte("hello hello hello"), 6, uint8(5), uint8(0))
	f.Add([]byte{}, -2, uint8(0), uint8(9))
	f.Fuzz(func(t *testing.T, p []byte, level int, times, behind uint8) {
		level = -2 + (level%12+12)%12
		p = bytes.Repeat(p, 1+int(times))
		z := deflate(t, p, level, 1+len(p)/(1+int(behind)%5))
		d := Decoder{Verify: true}
		dst := make([]byte, len(p))
		n, err := d.Zlib(dst, append(slices.Clone(z), make([]byte, behind)...))
		if err != nil || n != len(z) || !bytes.Equal(dst, p) {
			t.Fatalf("%d of %d bytes, %v", n, len(z), err)
		}
	})
}
