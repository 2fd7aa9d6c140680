package pack

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A firstVisitor notes the ids of the blobs that it visits before they have numbers.
type firstVisitor struct {
	t    *testing.T
	p    *Pack
	mu   *sync.Mutex
	seen map[int]ID
}

func (v *firstVisitor) Visit(n *Node) error {
	data, err := n.Data()
	if err != nil {
		v.t.Error(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen[n.Number()] = Sum(v.p.hash, n.Type, data)
	if got := v.p.Index().ID(n.Number()); n.Type != Blob || got != v.seen[n.Number()] || v.p.Index().Find([]byte(got)) >= 0 {
		v.t.Errorf("object %d, a %v, has the id %v", n.Number(), n.Type, got)
	}
	return nil
}

func (v *firstVisitor) Bad(n int, err error) error { v.t.Errorf("object %d: %v", n, err); return nil }
func (v *firstVisitor) Done(any)                   {}

// numberByWalk makes the index by a walk over the blobs.
func numberByWalk(t *testing.T, got *Received) error {
	t.Helper()
	if !got.Whole() {
		return got.WriteIndex()
	}
	p, err := got.Unnumbered()
	if err != nil {
		return err
	}
	defer p.Close()
	v := &firstVisitor{t, p, &sync.Mutex{}, map[int]ID{}}
	blobs := p.Count(Blob)
	if err := p.Walk(t.Context(), Walk{Types: []Type{Blob}, Limit: MaxWhole, Base: noBase, Visitor: func() Visitor { return v }}); err != nil {
		return err
	}
	numbers, err := p.Number()
	if err != nil {
		return err
	}
	if len(v.seen) != blobs || blobs == 0 {
		t.Errorf("%d of %d blobs were visited", len(v.seen), blobs)
	}
	for n, id := range v.seen {
		if p.Index().ID(int(numbers[n])) != id || p.Index().Find([]byte(id)) != int(numbers[n]) {
			t.Errorf("object %d has the number %d, and another id", n, numbers[n])
		}
	}
	for id, o := range readAll(p, 1<<30, noBase).objects { // by the new numbers
		if Sum(p.hash, o.typ, []byte(o.data)) != id {
			t.Errorf("%v is the id of another object", id)
		}
	}
	again, err := p.Number()
	if again != nil {
		t.Error("a pack is numbered twice")
	}
	return err
}

// TestUnnumberedDamage: a delta that makes no object is an error of Number, and there is no
// index.
func TestUnnumberedDamage(t *testing.T) {
	delta := []byte{4, 9, 0x91, 0, 9} // copies nine bytes of a base of four
	base := blobEntry(t, []byte("base"))
	entry := blobEntry(t, delta)
	entry[0] = byte(ofsDelta)<<4 | byte(len(delta))
	entry = slices.Insert(entry, 1, byte(len(base)))
	data := slices.Concat([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02"), base, entry)
	sum := sha1.Sum(data)
	stem := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(stem+".pack", append(data, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	got := receive(t, stem, 20)
	if !got.Whole() {
		t.Fatal(got.problem)
	}
	if bad, err := walkAndNumber(t, got); !errors.Is(err, ErrDamaged) || bad != 1 {
		t.Errorf("Number: %v, %d bad objects", err, bad)
	}
	if _, err := os.Stat(stem + ".idx"); err == nil {
		t.Error("there is an index")
	}
}

// walkAndNumber walks over a pack without numbers, and returns how many objects were bad, and
// the error of Number.
func walkAndNumber(t *testing.T, got *Received) (bad int, err error) {
	t.Helper()
	p, err := got.Unnumbered()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	v := &recorder{}
	if err := p.Walk(t.Context(), Walk{Types: []Type{Blob}, Limit: MaxWhole, Base: noBase, Visitor: func() Visitor { return v }}); err != nil {
		t.Fatal(err)
	}
	_, err = p.Number()
	return v.bad, err
}

// A recorder counts objects that cannot be read.
type recorder struct{ bad int }

func (v *recorder) Visit(*Node) error    { return nil }
func (v *recorder) Bad(int, error) error { v.bad++; return nil }
func (v *recorder) Done(any)             {}

// TestWhole: packs that one walk cannot put together get their index before.
func TestWhole(t *testing.T) {
	b, _ := small()
	got, err := Receive(&bytes.Buffer{}, bytes.NewReader(b.pack()), 20, nil)
	if err != nil {
		t.Fatal(err)
	}
	byID := slices.ContainsFunc(b.offsets, func(off int64) bool { return b.pack()[off]>>4&7 == refDelta })
	if got.Whole() == byID {
		t.Errorf("a pack with deltas by id, %v: Whole is %v", byID, got.Whole())
	}
	for _, tt := range []struct {
		delta []byte
		large bool
	}{
		{[]byte{4, 9}, false},
		{[]byte{4, 0x80, 0x80, 0x80, 0x20}, false}, // 64 MiB
		{[]byte{4, 0x81, 0x80, 0x80, 0x20}, true},
		{[]byte{0x81, 0x80, 0x80, 0x20, 4}, true},
		{nil, false},
	} {
		if hasLarge(tt.delta) != tt.large {
			t.Errorf("%x: large is %v", tt.delta, !tt.large)
		}
	}
}
