package objectwalk

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack/packtest"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// splitTrees makes two trees with names that share their beginnings and ends.
const splitTrees = `
put() { case $1 in */*) mkdir -p "${1%/*}" ;; esac && echo "$2" >"$1"; }
put d/alpha-one w1; put d/alpha-two w2; put d/beta w3; put d/sub/x w4; put d/tail w5; commit 1
git mv d/alpha-one d/alpha-onto; git mv d/beta d/bet; put d/alpha-two w6; git mv d/sub d/sub2; put d/b w3; commit 2
`

// TestSplitNames reads trees that are deltas, cut into pieces at any place: within
// modes, names and ids. Each is what it is when it is read whole.
func TestSplitNames(t *testing.T) {
	dir := scannertest.Repo(t, splitTrees)
	d, err := repo.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := d.OpenStore(false, func(*pack.Pack) bool { return false }, nil)
	defer s.Close()
	id := strings.Repeat("i", 19)
	for name, trees := range map[string][2][]byte{
		"renamed":            {treeOf(t, dir, s, "HEAD~:d"), treeOf(t, dir, s, "HEAD:d")},
		"entry_in_a_name":    {[]byte("100644 100644 bet\x00A" + id + "100644 tail\x00B" + id), []byte("100644 bet\x00A" + id + "100644 tail\x00B" + id)},
		"last_byte_of_an_id": {[]byte("100644 a\x00" + id + "A100644 b\x00" + id + "B"), []byte("100644 a\x00" + id + "C100644 b\x00" + id + "B")},
		"folders":            {[]byte("40000 a\x00" + id + "A40000 b\x00" + id + "B"), []byte("40000 a\x00" + id + "C40000 b\x00" + id + "B")},
	} {
		t.Run(name, func(t *testing.T) {
			for _, every := range []int32{1, 2} { // files that are not marked are no edges
				reading := NewWalk(s, objects.NoLimit, scanner.Prefilter{}, func(scanner.Blob) error { return nil })
				for n := int32(0); n < int32(s.Len()); n += every {
					reading.Graph.Mark(n)
				}
				checkSplit(t, (&visitor{Walk: reading}).trees(), trees[0], trees[1])
			}
		})
	}
}

func checkSplit(t *testing.T, v *treeVisitor, base, made []byte) {
	t.Helper()
	read := func(l *parsedTree, data []byte, base *parsedTree) error {
		defer v.lookUp(l)
		return v.parse(l, data, base)
	}
	from, whole := &parsedTree{}, &parsedTree{}
	if err := errors.Join(read(from, base, nil), read(whole, made, nil)); err != nil || len(whole.starts) < 3 {
		t.Fatal(err, whole)
	}
	random := rand.New(rand.NewPCG(1, 2))
	copied, kept := 0, 0
	for range 8_000 {
		v.parts = packtest.CutUp(random, base, made)
		got := &parsedTree{}
		if err := read(got, made, from); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(whole, got, cmp.AllowUnexported(parsedTree{}, edgeList{})); diff != "" {
			t.Fatalf("parts %v: %s", v.parts, diff)
		}
		fresh := bytes.Split(bytes.TrimSuffix(v.newNames, []byte("\n")), []byte("\n"))
		if len(fresh) < len(whole.starts)-1 {
			copied++
		}
		if !v.renamed && len(v.newEntries) > 0 {
			kept++
		}
		for _, name := range fresh {
			if !v.renamed && len(name) > 0 && !bytes.Contains(append([]byte("\n"), joinNames(base, 20)...), slices.Concat([]byte("\n"), name, []byte("\n"))) {
				t.Fatalf("parts %v: the new name %q counts as one of the base", v.parts, name)
			}
			if !bytes.Contains(append([]byte("\n"), joinNames(made, 20)...), slices.Concat([]byte("\n"), name, []byte("\n"))) && len(name) > 0 {
				t.Fatalf("parts %v: a name is %q", v.parts, name)
			}
		}
	}
	if copied < 50 {
		t.Errorf("entries were copied %d times", copied)
	}
	t.Logf("%d trees had all their names from the base", kept)
}

func treeOf(t *testing.T, dir string, s *objects.Store, rev string) []byte {
	t.Helper()
	id, _ := pack.ParseID([]byte(scannertest.Git(t, dir, "rev-parse", rev)))
	typ, data, err := s.Read(id, objects.NoLimit)
	if err != nil || typ != pack.Tree {
		t.Fatal(typ, err)
	}
	return data
}
