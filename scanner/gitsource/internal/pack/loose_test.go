package pack

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestLooseAsStream reads loose objects in the fast way and as streams, which say the same of
// whole ones and of damaged ones.
func TestLooseAsStream(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	file := filepath.Join(t.TempDir(), "object")
	var files Loose
	for i, size := range []int{0, 1, 300, 4 << 10, looseBuffer - 11, looseBuffer - 10, looseBuffer, 3 * looseBuffer} {
		for _, level := range []int{zlib.NoCompression, zlib.BestSpeed, zlib.DefaultCompression, zlib.HuffmanOnly} {
			text := make([]byte, size)
			for i := range text {
				text[i] = "abcdefgh\n"[random.IntN(9)]
			}
			whole := deflatedLoose(t, fmt.Appendf(nil, "blob %d\x00%s", size, text), level)
			id := Sum(20, Blob, text)
			for name, stored := range map[string][]byte{
				"whole":       whole,
				"longer":      append(bytes.Clone(whole), "more"...),
				"cut off":     whole[:random.IntN(len(whole))],
				"a byte":      withOtherByte(whole, random),
				"other size":  deflatedLoose(t, fmt.Appendf(nil, "blob %d\x00%s", size+1, text), level),
				"other type":  deflatedLoose(t, fmt.Appendf(nil, "bulb %d\x00%s", size, text), level),
				"no number":   deflatedLoose(t, fmt.Appendf(nil, "blob x\x00%s", text), level),
				"other id":    deflatedLoose(t, fmt.Appendf(nil, "tree %d\x00%s", size, text), level),
				"no header":   deflatedLoose(t, bytes.Repeat([]byte("a"), size), level),
				"claims more": deflatedLoose(t, fmt.Appendf(nil, "blob 99999999999\x00%s", text), level),
			} {
				if err := os.WriteFile(file, stored, 0o600); err != nil {
					t.Fatal(err)
				}
				typ, data, err := readLoose(&files, file, id, false)
				wantType, want, wantErr := readLoose(&Loose{}, file, id, true)
				if typ != wantType || !bytes.Equal(data, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Errorf("%d: %d bytes, level %d, %s: %s of %d bytes, %v; as a stream %s of %d bytes, %v",
						i, size, level, name, typ, len(data), err, wantType, len(want), wantErr)
				}
				if name == "whole" && !bytes.Equal(data, text) {
					t.Errorf("%d bytes, level %d: got other bytes, %v", size, level, err)
				}
			}
		}
	}
}

// readLoose reads an object, as a stream or as it is faster.
func readLoose(files *Loose, file string, id ID, stream bool) (Type, []byte, error) {
	if stream { // without the fast way to the header
		f, err := os.Open(file)
		if err != nil {
			return 0, nil, err
		}
		defer f.Close()
		if _, _, err := files.streamHeader(f); err != nil {
			return 0, nil, err
		}
	}
	o, err := files.Open(file)
	if err != nil {
		return 0, nil, err
	}
	defer o.Close()
	if stream {
		if err := o.rewind(); err != nil {
			return 0, nil, err
		}
	}
	data, err := o.Data(20, id)
	return o.Type, data, err
}

func deflatedLoose(t *testing.T, text []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func withOtherByte(data []byte, random *rand.Rand) []byte {
	data = bytes.Clone(data)
	data[random.IntN(len(data))] ^= byte(1 + random.IntN(255))
	return data
}

// TestLooseChecked reads an object as a stream after its header was read from memory.
func TestLooseChecked(t *testing.T) {
	text := bytes.Repeat([]byte("some text\n"), looseBuffer)
	file := filepath.Join(t.TempDir(), "object")
	if err := os.WriteFile(file, deflatedLoose(t, fmt.Appendf(nil, "blob %d\x00%s", len(text), text), zlib.BestSpeed), 0o600); err != nil {
		t.Fatal(err)
	}
	var files Loose
	o, err := files.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if got, err := io.ReadAll(o.Checked(20, Sum(20, Blob, text))); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
	}
}
