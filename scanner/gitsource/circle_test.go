package gitsource

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestCircleOfDeltas: two deltas, each the base of the other, are damage like any
// other. git refuses to make such a pack, so it is made here.
func TestCircleOfDeltas(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, "commit first\n-- file --\ncontent\n")
	a, b := plumbing.NewHash(strings.Repeat("a", 40)), plumbing.NewHash(strings.Repeat("b", 40))
	pack := bytes.NewBufferString("PACK")
	offsets := map[plumbing.Hash]int64{}
	err := errors.Join(binary.Write(pack, binary.BigEndian, uint32(2)), binary.Write(pack, binary.BigEndian, uint32(2)))
	for id, base := range map[plumbing.Hash]plumbing.Hash{a: b, b: a} {
		offsets[id] = int64(pack.Len())
		pack.WriteByte(7<<4 | 4) // REF_DELTA of 4 bytes
		pack.Write(base[:])
		z := zlib.NewWriter(pack)
		_, writeErr := z.Write([]byte{1, 1, 1, 'x'}) // of 1 byte, to 1 byte: insert "x"
		err = errors.Join(err, writeErr, z.Close())
	}
	sum := sha1.Sum(pack.Bytes())
	pack.Write(sum[:])

	w := &idxfile.Writer{}
	err = errors.Join(err, w.OnHeader(2))
	for id, offset := range offsets {
		w.Add(id, uint64(offset), 0)
	}
	err = errors.Join(err, w.OnFooter(sum))
	index, indexErr := w.Index()
	var idx bytes.Buffer
	if indexErr == nil {
		_, indexErr = idxfile.NewEncoder(&idx).Encode(index)
	}
	name := filepath.Join(dir, ".git/objects/pack/pack-"+plumbing.Hash(sum).String())
	err = errors.Join(err, indexErr, os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name+".pack", pack.Bytes(), 0o600),
		os.WriteFile(name+".idx", idx.Bytes(), 0o600), os.WriteFile(filepath.Join(dir, ".git/refs/tags/circle"), []byte(a.String()+"\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}

	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	damage, read := "", false
	err = r.Blobs(t.Context(), func(blob scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		if blob.Err != nil {
			damage = blob.Err.Error()
		}
		read = read || string(blob.Data) == "content\n"
		return nil
	})
	if err != nil || !read || !strings.Contains(damage, "its bases lead to itself") {
		t.Errorf("error %v, the rest was read: %v, damage %q", err, read, damage)
	}
}
