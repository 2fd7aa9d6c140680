package gitsource

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack/packtest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// twoTrees makes two trees with names that share their beginnings and ends.
const twoTrees = put + `
put d/alpha-one w1; put d/alpha-two w2; put d/beta w3; put d/sub/x w4; put d/tail w5; commit 1
git mv d/alpha-one d/alpha-onto; git mv d/beta d/bet; put d/alpha-two w6; git mv d/sub d/sub2; put d/b w3; commit 2
`

func treeAt(t *testing.T, r *Repository, s *objects.Store, rev string) []byte {
	t.Helper()
	id, _ := pack.ParseID([]byte(scannertest.Git(t, r.dir.GitDir, "rev-parse", rev)))
	typ, data, err := s.Read(id, objects.NoLimit)
	if err != nil || typ != pack.Tree {
		t.Fatal(typ, err)
	}
	return data
}

// TestSplitNamesInPack locates files in a tree that is a delta which git accepts, and
// of which each byte of a name comes from elsewhere.
func TestSplitNamesInPack(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, twoTrees)
	r := open(t, dir)
	s := r.dir.OpenStore(r.Rest, r.Seen.hasPack, nil)
	base, made := treeAt(t, r, s, "HEAD~:d"), treeAt(t, r, s, "HEAD:d")
	s.Close()
	for _, rev := range []string{"HEAD~:d", "HEAD:d"} {
		id := scannertest.Git(t, dir, "rev-parse", rev)
		if err := os.Remove(filepath.Join(dir, ".git/objects", id[:2], id[2:])); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	file := filepath.Join(dir, ".git/objects/pack/pack-split.pack")
	for range 20 {
		replaceAll(t, file, packOf(base, made, packtest.CutUp(random, base, made)))
		_ = os.Remove(file[:len(file)-4] + "idx")
		scannertest.Git(t, dir, "index-pack", file)
		r := open(t, dir)
		got := read(t, r)
		if got.contents() != "w1 w2 w3 w4 w5 w6" || len(got.errs) > 0 {
			t.Fatalf("read %q, unread %q", got.contents(), got.errs)
		}
		for _, path := range []string{"d/alpha-onto", "d/alpha-two", "d/b", "d/bet", "d/sub2/x", "d/tail"} {
			id := finding.BlobID(scannertest.Git(t, dir, "rev-parse", "HEAD:"+path))
			here := false
			for _, p := range locate(t, r, id)[id] {
				here = here || p.Path == path && p.AtHead
			}
			if !here {
				t.Errorf("%s is not located: %+v", path, locate(t, r, id)[id])
			}
		}
		_ = r.Close()
	}
}

func replaceAll(t *testing.T, file string, data []byte) {
	t.Helper()
	_ = os.Remove(file) // there is none at first
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// packOf makes a pack of a tree and of another that is made from it by parts.
func packOf(base, made []byte, parts []pack.Part) []byte {
	delta := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(base))), uint64(len(made)))
	for _, p := range parts {
		for at := int32(0); at < p.Len && p.From < 0; at += 100 {
			n := min(p.Len-at, 100)
			delta = append(append(delta, byte(n)), made[p.At+at:][:n]...)
		}
		if p.From >= 0 {
			delta = append(delta, 0xff, byte(p.From), byte(p.From>>8), 0, 0, byte(p.Len), byte(p.Len>>8), 0)
		}
	}
	var b bytes.Buffer
	b.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x02")
	entry := func(typ byte, prefix pack.ID, data []byte) {
		b.Write([]byte{0x80 | typ<<4 | byte(len(data)&15), 0x80 | byte(len(data)>>4&0x7f), byte(len(data) >> 11)})
		b.WriteString(string(prefix))
		z := zlib.NewWriter(&b)
		_, _ = z.Write(data) // to memory
		_ = z.Close()
	}
	entry(byte(pack.Tree), "", base)
	entry(7, pack.Sum(20, pack.Tree, base), delta)
	sum := sha1.Sum(b.Bytes())
	return append(b.Bytes(), sum[:]...)
}
