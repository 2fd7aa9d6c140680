package pack

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzReceive receives mutated packs whose checksum is right. The entries are those that a
// reader of the whole pack finds, and the index that the first walk makes is that of WriteIndex.
func FuzzReceive(f *testing.F) {
	b, _ := small()
	valid := b.pack()
	valid = valid[:len(valid)-20]
	f.Add(valid)
	for i := range valid {
		mutated := bytes.Clone(valid)
		mutated[i] ^= 1 << (i % 8)
		f.Add(mutated)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			t.Skip("a small pack shows as much")
		}
		sum := sha1.Sum(data)
		data = append(bytes.Clone(data), sum[:]...)
		got, err := Receive(&bytes.Buffer{}, bytes.NewReader(data), 20, nil)
		if err != nil {
			var notPack *NotPackError
			if !errors.As(err, &notPack) {
				t.Fatal(err)
			}
			return
		}
		p := &Pack{hash: 20, file: &mapping{data: data}}
		if err := p.checkHeader(); err != nil {
			return
		}
		offsets, err := p.scanOffsets()
		if (err == nil) != (got.problem == nil) || err == nil && !slices.Equal(offsets, got.offsets) {
			t.Fatalf("entries at %d, %v, and for a reader of the whole at %d, %v", got.offsets, got.problem, offsets, err)
		}
		got.Stem = filepath.Join(dir, fmt.Sprint(os.Getpid()))
		if err := os.WriteFile(got.Stem+".pack", data, 0o600); err != nil {
			t.Fatal(err)
		}
		checkIndexes(t, got)
	})
}

// checkIndexes makes the index in both ways.
func checkIndexes(t *testing.T, got *Received) {
	t.Helper()
	defer os.Remove(got.Stem + ".idx")
	if err := got.WriteIndex(); err != nil || !got.Whole() {
		return
	}
	want, err := os.ReadFile(got.Stem + ".idx")
	if err == nil {
		err = os.Remove(got.Stem + ".idx")
	}
	if err != nil {
		t.Fatal(err)
	}
	if bad, err := walkAndNumber(t, got); err != nil || bad > 0 {
		t.Fatalf("%v, %d bad objects in a pack that has an index", err, bad)
	}
	if index, err := os.ReadFile(got.Stem + ".idx"); err != nil || !bytes.Equal(index, want) {
		t.Error("the walk makes another index", err)
	}
}
