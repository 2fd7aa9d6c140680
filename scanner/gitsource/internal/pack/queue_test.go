package pack

import (
	"slices"
	"testing"
)

// TestQueue hands out each root once: heavy ones alone and first, then type by type.
func TestQueue(t *testing.T) {
	var roots []root
	var types []Type
	add := func(typ Type, weight uint32) {
		roots = append(roots, root{int32(len(types)), weight})
		types = append(types, typ)
	}
	for range 1000 {
		add(Commit, 10)
		add(Tree, 10)
		add(Blob, 10)
	}
	add(Blob, 500_000)
	add(Commit, 1_000_000)
	add(external, 10)
	q := newQueue(roots, types, []Type{Blob, Commit})
	var order []Type
	var heavy []uint32
	seen := map[int32]bool{}
	for batch := q.take(); len(batch) > 0; batch = q.take() {
		for _, r := range batch {
			if seen[r.entry] {
				t.Fatalf("root %d twice", r.entry)
			}
			seen[r.entry] = true
			if r.weight > 10 {
				heavy = append(heavy, r.weight)
				if len(batch) > 1 || len(order) > 0 {
					t.Errorf("a root of weight %d in a batch of %d, after %d light ones", r.weight, len(batch), len(order))
				}
				continue
			}
			order = append(order, types[r.entry])
		}
	}
	if want := []uint32{1_000_000, 500_000}; !slices.Equal(heavy, want) {
		t.Errorf("heavy roots %d, want %d", heavy, want)
	}
	if first, rest := order[:1001], order[1001:]; slices.Contains(first, Commit) || len(rest) != 1000 || slices.Contains(rest, Blob) {
		t.Error("blobs do not come before commits")
	}
}
