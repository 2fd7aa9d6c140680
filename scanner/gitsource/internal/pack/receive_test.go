package pack

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

// receive receives the pack at stem.pack, and checks that the copy is the pack.
func receive(t *testing.T, stem string, hash int) *Received {
	t.Helper()
	data, err := os.ReadFile(stem + ".pack")
	if err != nil {
		t.Fatal(err)
	}
	var to bytes.Buffer
	got, err := Receive(&to, bytes.NewReader(data), hash, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(to.Bytes(), data) || !bytes.Equal(got.Sum, data[len(data)-hash:]) {
		t.Error("the copy is not the pack")
	}
	got.Stem = stem
	return got
}

// TestReceiveInPieces: an answer comes in pieces of any size.
func TestReceiveInPieces(t *testing.T) {
	b, want := small()
	data := b.pack()
	for name, from := range map[string]io.Reader{
		"whole": bytes.NewReader(data), "bytes": iotest.OneByteReader(bytes.NewReader(data)), "halves": iotest.HalfReader(bytes.NewReader(data)),
		"data_with_end": iotest.DataErrReader(bytes.NewReader(data)),
	} {
		var to bytes.Buffer
		steps := 0
		got, err := Receive(&to, from, 20, func(n, of int) {
			if steps++; n != steps || of != len(want) {
				t.Errorf("%s: %d of %d objects at step %d", name, n, of, steps)
			}
		})
		if err != nil || got.problem != nil || got.Objects != len(want) || !bytes.Equal(to.Bytes(), data) {
			t.Fatalf("%s: %v, %+v", name, err, got)
		}
		p, _, err := OpenBytes(data, 20, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if offsets, err := p.scanOffsets(); err != nil || !slices.Equal(got.offsets, offsets) {
			t.Errorf("%s: entries at %d, want %d, %v", name, got.offsets, offsets, err)
		}
	}
}

// TestReceiveLarge: an object that is not held in memory, and one whose stream is far longer
// than zlib would make it.
func TestReceiveLarge(t *testing.T) {
	large := make([]byte, maxWhole+maxWhole/2)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range large {
		large[i] = byte(r.Uint32() & 15)
	}
	var wordy bytes.Buffer
	w := zlib.NewWriter(&wordy)
	for range 300 { // each empty block takes five bytes
		_ = w.Flush()
	}
	_, _ = w.Write([]byte("end"))
	_ = w.Close()
	data := slices.Concat([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x03"), blobEntry(t, large), []byte{0x33}, wordy.Bytes(), blobEntry(t, []byte("small")))
	sum := sha1.Sum(data)
	stem := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(stem+".pack", append(data, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	got := receive(t, stem, 20)
	if got.problem != nil || len(got.offsets) != 3 {
		t.Fatalf("%v, entries at %d", got.problem, got.offsets)
	}
	if err := got.WriteIndex(); err != nil {
		t.Error(err)
	}
}

// blobEntry is the entry of a blob.
func blobEntry(t *testing.T, text []byte) []byte {
	t.Helper()
	entry := []byte{byte(Blob)<<4 | byte(len(text)&15)}
	for rest := len(text) >> 4; rest > 0; rest >>= 7 {
		entry[len(entry)-1] |= 0x80
		entry = append(entry, byte(rest&0x7f))
	}
	var stream bytes.Buffer
	w := zlib.NewWriter(&stream)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return append(entry, stream.Bytes()...)
}

// TestReceiveDamaged: damage is told of, whether the checksum is right or not.
func TestReceiveDamaged(t *testing.T) {
	b, _ := small()
	good := b.pack()
	reset := func(data []byte) []byte {
		sum := sha1.Sum(data[:len(data)-20])
		return append(data[:len(data)-20], sum[:]...)
	}
	for i := range good {
		data := bytes.Clone(good)
		data[i] ^= 0x10
		if _, err := Receive(io.Discard, bytes.NewReader(data), 20, nil); err == nil {
			t.Errorf("byte %d is another, and nobody notices", i)
		}
		_, _ = Receive(io.Discard, bytes.NewReader(reset(data)), 20, nil) // does not panic or hang
	}
	for name, edit := range map[string]func([]byte) []byte{
		"more_objects":  func(b []byte) []byte { b[11]++; return b },
		"millions":      func(b []byte) []byte { b[8] = 0xff; return b },
		"fewer_objects": func(b []byte) []byte { b[11]--; return b },
		"bytes_between": func(b []byte) []byte { return append(b[:len(b)-20], make([]byte, 40)...) },
		"damaged_entry": func(b []byte) []byte { b[headerSize+3] ^= 0xff; return b },
	} {
		got, err := Receive(io.Discard, bytes.NewReader(reset(edit(bytes.Clone(good)))), 20, nil)
		if err != nil || got.problem == nil {
			t.Errorf("%s: %v, %+v", name, err, got)
		} else if err := got.WriteIndex(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: WriteIndex: %v", name, err)
		}
	}
	for n := range good {
		if _, err := Receive(io.Discard, bytes.NewReader(good[:n]), 20, nil); err == nil {
			t.Errorf("no error after %d of %d bytes", n, len(good))
		}
	}
	broken := io.MultiReader(bytes.NewReader(good[:len(good)/2]), iotest.ErrReader(io.ErrClosedPipe))
	if _, err := Receive(io.Discard, broken, 20, nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a stream that breaks: %v", err)
	}
}
