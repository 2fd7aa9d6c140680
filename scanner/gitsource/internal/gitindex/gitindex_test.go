package gitindex

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// FuzzIndex: an index is read or refused; a small one never names much.
func FuzzIndex(f *testing.F) {
	dir := scannertest.Repo(f, "mkdir a; echo one >a/b; echo two >a/c; git add -A; git update-index --index-version 4\n")
	data, err := os.ReadFile(filepath.Join(dir, ".git", "index"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(append([]byte("DIRC\x00\x00\x00\x02"), data[8:]...))
	f.Add(append([]byte("DIRC\x00\x00\x00\x04\x00\x00\x00\x01"), append(make([]byte, 62), "\x05name\x00"...)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 32 {
			t.Skip("parseIndex refuses it")
		}
		x, _, err := parseEntries(string(data), 20)
		if err != nil {
			return
		}
		for _, e := range x.Entries {
			if len(e.ID) != 20 || len(e.Path) > max(len(data), maxName) {
				t.Errorf("id %x, path of %d bytes, of an index of %d", e.ID, len(e.Path), len(data))
			}
		}
	})
}

// FuzzStagedIndex: no index makes the parser fail other than with an error.
func FuzzStagedIndex(f *testing.F) {
	for _, format := range []string{"2", "4"} {
		data, err := os.ReadFile(filepath.Join(scannertest.Repo(f, "echo kept >f; ln -s f link; git add -A; echo later >intent; git add -N intent; git update-index --index-version "+format), ".git", "index"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:len(data)-20])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append(slices.Clone(data), make([]byte, 20)...) // a checksum is what fuzzing does not find
		x, l, err := ParseIndex(string(data), 20)
		if err != nil {
			if !errors.Is(err, errIndex) {
				t.Fatal(err)
			}
			return
		}
		if l != nil {
			_, _ = l.join(x.Entries, x.Entries)
		}
	})
}
